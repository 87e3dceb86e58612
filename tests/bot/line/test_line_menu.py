"""Every item of the rich menu comes to something when it is pressed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bot.line.events import translate
from bot.line.menu import menus
from bot.messages import Command
from tests.fakes import line_events
from workers.acting import ORDERS

PRESSED = [(menu.language, area.action) for menu in menus() for area in menu.request.areas]


def order(item: Any) -> Command:
    """What comes of pressing an item."""
    ours = translate(line_events.postback(item.data), time.time())
    assert isinstance(ours, Command)
    return ours


@pytest.mark.parametrize(("language", "item"), PRESSED, ids=lambda value: getattr(value, "data", value))
def test_an_item_is_an_order_that_is_carried_out(language: str, item: Any) -> None:
    pressed = order(item)

    assert pressed.name in ORDERS
    assert pressed.language == (language if pressed.name != "language" else pressed.argument)


def test_the_items_are_to_ask_to_begin_anew_to_change_the_language_and_to_be_helped() -> None:
    orders = [(order(item).name, order(item).argument) for _, item in PRESSED]

    rest = [("ask", ""), ("reset", ""), ("help", "")]
    assert [one for one in orders if one[0] != "language"] == rest * 2
    assert [one for one in orders if one[0] == "language"] == [("language", "en"), ("language", "ja")]

"""The rich menu below a 1:1 chat: the same four items in Japanese and English, each as LINE wants it.

Which of the two a person sees is LINE's to know: the item that names the other language switches theirs at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files

from linebot.v3.messaging import (
    PostbackAction,
    RichMenuArea,
    RichMenuBounds,
    RichMenuRequest,
    RichMenuSize,
    RichMenuSwitchAction,
)

from bot.line.postback import Postback

WIDTH, HEIGHT = 2500, 843
"""Pixels; LINE's small format."""
OURS = re.compile(r"madoguchi-(ja|en)-[0-9a-f]{12}")
"""Names of menus that this module made, now or in an earlier version."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's menu; `language` is the item that leads to the other one, in that one's words."""

    bar: str
    ask: str
    reset: str
    language: str
    help: str


WORDS = {
    "ja": Words(bar="メニュー", ask="質問する", reset="最初から", language="English", help="使い方"),
    "en": Words(bar="Menu", ask="Ask", reset="Start over", language="日本語", help="Help"),
}
_OTHER = {"ja": "en", "en": "ja"}


@dataclass(frozen=True, slots=True)
class Menu:
    """One of the two, with everything that LINE is to be given of it."""

    language: str
    request: RichMenuRequest
    picture: bytes

    @property
    def name(self) -> str:
        """Another name for every other content, since LINE changes neither a menu nor its picture."""
        return str(self.request.name)

    @property
    def alias(self) -> str:
        """What the other one's item calls it."""
        return alias(self.language)


def alias(language: str) -> str:
    """The alias of a language's menu."""
    return f"madoguchi-{language}"


def menus() -> tuple[Menu, Menu]:
    """The two as they should be; the first is what everybody sees who has not chosen."""
    return _menu("ja"), _menu("en")


def _menu(language: str) -> Menu:
    picture = files("bot").joinpath("line", "menus", f"{language}.png").read_bytes()
    request = RichMenuRequest(
        size=RichMenuSize(width=WIDTH, height=HEIGHT),
        selected=True,
        chatBarText=WORDS[language].bar,
        areas=_areas(language),
    )
    content = json.dumps(request.to_dict(), sort_keys=True).encode() + picture
    request.name = f"{alias(language)}-{hashlib.sha256(content).hexdigest()[:12]}"
    return Menu(language, request, picture)


def _areas(language: str) -> list[RichMenuArea]:
    words, other = WORDS[language], _OTHER[language]
    actions = [
        PostbackAction(label=words.ask, data=_data("ask", language), inputOption="openKeyboard"),
        PostbackAction(label=words.reset, data=_data("reset", language), displayText=words.reset),
        RichMenuSwitchAction(label=words.language, data=_data("language", other), richMenuAliasId=alias(other)),
        PostbackAction(label=words.help, data=_data("help", language), displayText=words.help),
    ]
    width = WIDTH // len(actions)
    return [
        RichMenuArea(bounds=RichMenuBounds(x=number * width, y=0, width=width, height=HEIGHT), action=action)
        for number, action in enumerate(actions)
    ]


def _data(item: str, language: str) -> str:
    return Postback("menu", "", "", language, value=item).data()

"""Publishing App Home, and opening the dialog in which a gap is answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.errors import DeliveryError, DeliveryFailed
from bot.home import Page, PageGap
from bot.slack.home_view import answer_view, home_view
from bot.slack.web import SlackClient, call

log = logging.getLogger(__name__)


def publish(client: SlackClient, user: str, page: Page) -> None:
    """Have a person's Home show this page, in the place of the one before.

    Raises:
        DeliveryDeferred, DeliveryUnknown: it may be published again.
    """
    try:
        call(client.views_publish, user_id=user, view=home_view(page))
    except DeliveryFailed as error:  # the app has no Home, or the person is gone
        log.warning("home not shown", extra={"platform": "slack", "reason": str(error)})


def ask_for_answer(client: SlackClient, where: Mapping[str, Any], gap: PageGap, language: str) -> None:
    """Open the dialog for who has pressed the button; who waited for too long presses it again."""
    try:
        call(client.views_open, trigger_id=where.get("trigger_id", ""), view=answer_view(gap, language))
    except DeliveryError as error:
        log.warning("dialog not opened", extra={"platform": "slack", "reason": str(error)})

"""What Slack tells of a person."""

from __future__ import annotations

import logging

from bot.errors import DeliveryError
from bot.slack.web import SlackClient, call, sparing

log = logging.getLogger(__name__)


def language_of(client: SlackClient, user: str) -> str:
    """The language of a person's Slack, `ja` or `en`; `ja` where it cannot be looked up."""
    try:
        with sparing(True):
            profile = call(client.users_info, user=user, include_locale=True).get("user") or {}
    except DeliveryError as error:
        log.info("language unknown", extra={"platform": "slack", "reason": str(error)})
        return "ja"
    return "ja" if str(profile.get("locale") or "ja").startswith("ja") else "en"

"""What to ask, suggested to who opens a conversation with the bot."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import DeliveryFailed, DeliveryUnknown
from bot.slack.people import language_of
from bot.slack.web import SlackClient, call

log = logging.getLogger(__name__)

MOST_PROMPTS = 4
MOST_TITLE_CHARS = 75


def suggest(client: SlackClient, where: Mapping[str, Any], questions: Mapping[str, Sequence[str]]) -> None:
    """Show these questions in the conversation at `where`, each to be asked with one click; see `Suggests`."""
    chosen = questions[language_of(client, where["user"])][:MOST_PROMPTS]
    thread = {"thread_ts": where["thread_ts"]} if where["thread_ts"] else {}
    prompts = [{"title": question[:MOST_TITLE_CHARS], "message": question} for question in chosen]
    try:
        call(client.assistant_threads_setSuggestedPrompts, channel_id=where["channel"], prompts=prompts, **thread)
    except (DeliveryFailed, DeliveryUnknown) as error:  # no such thread any more, or an app without that scope
        log.info("nothing suggested", extra={"platform": "slack", "reason": str(error)})

"""What a person does to what the bot has shown (a button, a dialog, a shortcut) as an event of ours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.messages import Control, JSONObject, Message
from bot.slack.asking_about import ASK_ABOUT, parse_ask_about
from bot.slack.buttons import PARSERS
from bot.slack.dialogs import parse_reason
from bot.slack.home import BUTTONS, DIALOGS
from bot.slack.stopping import STOP, parse_stop
from bot.slack.votes import parse_vote
from bot.votes import REASON, VOTE

Taken = tuple[Control | Message, str]
"""What was done, and an id that every further delivery of it has too."""
Parser = Callable[[JSONObject], Taken | None]
"""One kind of interaction: payload in; None when it is of no shape that Slack sends for it."""

ACTIONS: Mapping[str, Parser] = {**BUTTONS, VOTE: parse_vote, STOP: parse_stop, **PARSERS}
"""Pressed buttons, by the element's `action_id`."""
VIEWS: Mapping[str, Parser] = {**DIALOGS, REASON: parse_reason}
"""Dialogs that were filled in and sent, by the view's `callback_id`."""
SHORTCUTS: Mapping[str, Parser] = {ASK_ABOUT: parse_ask_about}
"""Shortcuts of a message, by their `callback_id`."""


def parse_interaction(payload: JSONObject) -> Taken | None:
    """What a person did; None when it is nothing to us, or of no shape that Slack sends."""
    parser = _parser(payload)
    return parser(payload) if parser else None


def _parser(payload: JSONObject) -> Parser | None:
    match payload:
        case {"type": "block_actions", "actions": [{"action_id": str(name)}, *_]}:
            return ACTIONS.get(name)
        case {"type": "view_submission", "view": {"callback_id": str(name)}}:
            return VIEWS.get(name)
        case {"type": "message_action", "callback_id": str(name)}:
            return SHORTCUTS.get(name)
        case _:
            return None

"""People who vote, as the clerk hears of it."""

from __future__ import annotations

import itertools
import time
from typing import Literal

from bot.messages import Action, Message
from bot.votes import VOTE, Ballot
from workers.acting import act
from workers.services import Clerk

_controls = itertools.count(1)


def press(
    clerk: Clerk,
    asked: Message | str,
    value: Literal["up", "down"] = "up",
    *,
    user: str = "console:u1",
    conversation: str = "console:c1",
    may_train: bool = False,
    at: float | None = None,
) -> None:
    """Somebody presses a button under the answer to a message."""
    message_id = asked if isinstance(asked, str) else asked.id
    said(clerk, Ballot(message_id, value, may_train).to_text(), user=user, conversation=conversation, at=at)


def said(
    clerk: Clerk, ballot: str, *, user: str = "console:u1", conversation: str = "console:c1", at: float | None = None
) -> None:
    """A button with this in it is pressed."""
    reply_to = {"session": "u1"}
    pressed = Action("console", conversation, user, VOTE, ballot, time.time() if at is None else at, reply_to, "ja")
    act(f"vote {next(_controls)}", pressed, clerk)

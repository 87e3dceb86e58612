"""Whether what is said in a channel or group is for us: by its mention, its thread, and what is set for the place.

The rule (docs/slack.md): a mention calls the bot in. In a thread that it was called into it goes on with whoever it
last spoke with, and with anybody as long as its answer is the last thing that was said. When people talk to each other
(one mentions another, or speaks before the bot has answered somebody else) it keeps out until it is mentioned again. Of
what is not for us nothing is kept but that it was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import redis

from bot.messages import Command, Message
from bot.places import Places
from bot.store import SEEN_S, script, store_errors
from bot.words import language

DAY_S = 24 * 3600
FOLLOWED_S = 14 * 24 * 3600
"""A thread in which nothing was said for so long is followed no more."""

Addressed = Literal["us", "others", "nobody"]
Verdict = Literal["take", "leave", "refuse"]


@dataclass(frozen=True, slots=True)
class Heard:
    """How a message was said: where, by whom, when (seconds since the epoch), and whom it mentions."""

    message_id: str
    thread: str
    channel: str
    user_id: str
    at: float
    addressed: Addressed

    @property
    def opens(self) -> bool:
        """Whether it stands in no thread; it may open one."""
        return self.message_id == self.thread


class Listening:
    """Decides by what is known of a thread, and remembers who spoke; the same message is decided once."""

    def __init__(self, store: redis.Redis, places: Places) -> None:
        self._store = store
        self._places = places
        self._listen = script(store, "bot", "listen")

    def verdict(self, heard: Heard, *, order: bool = False) -> Verdict:
        """What to do with a message: take it, leave it, or refuse its writer, who may not use the bot there.

        Args:
            order: it is answered at once, by the clerk.

        Raises:
            StoreUnavailable
        """
        place = self._places.of(heard.channel)
        if not place.admits(heard.user_id):
            if heard.addressed == "us":
                return "refuse"
            self._is_for_us(heard, "others")
            return "leave"
        addressed = "us" if place.hears_all and heard.opens and heard.addressed == "nobody" else heard.addressed
        return "take" if self._is_for_us(heard, addressed, order=order) else "leave"

    def knows(self, message_id: str) -> bool:
        """Whether a message was taken in, or read in a thread: then its changes are for us.

        Raises:
            StoreUnavailable
        """
        with store_errors():
            return bool(self._store.exists(f"seen:{message_id}", f"about:{message_id}"))

    def _is_for_us(self, heard: Heard, addressed: Addressed, *, order: bool = False) -> bool:
        if heard.opens and addressed != "us":  # no thread yet, and nobody called us
            return False
        with store_errors():
            told = self._listen(
                keys=[f"listening:{heard.thread}", f"heard:{heard.message_id}"],
                args=[heard.message_id, heard.user_id, heard.at, addressed, int(order), FOLLOWED_S, SEEN_S],
            )
        return bool(told)


def not_allowed(event: Message | Command, heard: Heard) -> tuple[Command, str]:
    """The order to tell who may not use the bot there that they may not; once a day each."""
    text = event.text if isinstance(event, Message) else event.argument
    told = Command(
        platform="slack",
        conversation_id=event.conversation_id,
        user_id=event.user_id,
        name="not_allowed",
        argument="",
        language=language(text),
        sent_at=event.sent_at,
        reply_to=event.reply_to,
    )
    return told, f"slack:not_allowed:{heard.channel}:{heard.user_id}:{int(heard.at // DAY_S)}"

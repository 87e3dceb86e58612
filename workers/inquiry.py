"""An inquiry: one batch of messages while it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.platform import ReplyStream
from workers.batch import Batch
from workers.citing import Place
from workers.conversation import Turn
from workers.course import Course
from workers.interrupts import Watch
from workers.policy import Policy
from workers.voice import Voice


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was asked and where, how that place is answered, and what is seen of the answer until it is there.

    Args:
        batch: the messages.
        place: where the answer is read, and by whom.
        policy: what holds there.
        reply: what is shown while the answer grows.
        watch: tells whether it is wanted still.
        course: how it comes about.
    """

    batch: Batch
    place: Place
    policy: Policy
    reply: ReplyStream
    watch: Watch
    course: Course = field(default_factory=Course)

    @property
    def text(self) -> str:
        """What the person asked, all of it."""
        return self.batch.text

    @property
    def asked_in(self) -> str:
        """The language of the person's own words (`ja`, `en`), in which the desk speaks of itself."""
        return self.batch.target.language

    @property
    def voice(self) -> Voice:
        """How it is answered here."""
        return self.policy.voice(self.text)

    @property
    def turn(self) -> Turn:
        """The batch as the person's turn."""
        texts = tuple(message.text for message in self.batch.messages)
        return Turn("user", texts, self.batch.newest.user_id, tuple(self.batch.ids))

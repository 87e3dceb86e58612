"""What people have said in a history, and what became of it: the count of what was answered, and what was erased."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import redis

from bot.messages import Message
from tests.stored import everything_in
from workers.batch import Batch
from workers.conversation import Turn


@dataclass
class Said:
    """Messages that can be told apart in whatever the store holds."""

    messages: dict[str, Message] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    erased: set[str] = field(default_factory=set)
    _words: dict[str, list[str]] = field(default_factory=dict)

    def message(self, conversation: str, person: str, sent_at: float) -> Message:
        """A new message, whose id is unlike the order of arrival, as a platform's may be."""
        name = f"console:m{len(self.messages) * 7919 % 1000}"
        self.messages[name] = Message(name, "console", conversation, person, self.new_words(name), sent_at, {})
        return self.messages[name]

    def new_words(self, message_id: str) -> str:
        """What no message has ever said."""
        said = self._words.setdefault(message_id, [])
        said.append(f"<{message_id} in words {len(said)}>")
        return said[-1]

    def by(self, person: str) -> set[str]:
        """The ids of all that a person ever said."""
        return {message.id for message in self.messages.values() if message.user_id == person}

    def twice(self) -> list[str]:
        """What was answered more than once."""
        return [message_id for message_id, times in self.answered.items() if times > 1]

    def lost(self) -> set[str]:
        """What was neither answered nor erased."""
        return {*self.messages} - self.erased - {message_id for message_id, times in self.answered.items() if times}

    def left_in(self, store: redis.Redis, gone: set[str]) -> list[str]:
        """The words of erased messages, old ones and new ones, that are still somewhere."""
        left = everything_in(store)
        return [words for message_id in gone for words in self._words[message_id] if words in left]


def answer_to(batch: Batch) -> str:
    """An answer that repeats all it was asked, so that what is left of erased words can be found."""
    return f"You said: {batch.text}"


def turns_of(batch: Batch) -> list[Turn]:
    """What is to be remembered of a batch."""
    asked = Turn("user", tuple(m.text for m in batch.messages), batch.newest.user_id, tuple(batch.ids))
    return [asked, Turn("assistant", (answer_to(batch),), "assistant", tuple(batch.ids))]

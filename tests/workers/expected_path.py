"""The message path in plain Python: the model that runs beside the store, all conversations together."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.workers.expected_conversation import ExpectedConversation
from workers.batches import MOST_HELD_OF_ONE_PERSON

LATER_S = 1000.0
"""Times are far apart, so that a slow machine is not mistaken for a late step."""


@dataclass
class ExpectedLane:
    """One person's turn: where their batches are held, and which conversations wait for one of those to end."""

    answering: set[str] = field(default_factory=set)
    held_up: list[str] = field(default_factory=list)

    def admits(self, conversation: str, locked: set[str]) -> bool:
        """Whether one more may be held; a conversation without a lock has lost its worker."""
        self.answering &= locked
        if len(self.answering) >= MOST_HELD_OF_ONE_PERSON:
            self.held_up += [conversation] if conversation not in self.held_up else []
            return False
        self.answering.add(conversation)
        self.held_up = [other for other in self.held_up if other != conversation]
        return True


class ExpectedPath:
    """Conversations by name, and the lanes that lead through all of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.conversations = {name: ExpectedConversation() for name in names}
        self.lanes: defaultdict[str, ExpectedLane] = defaultdict(ExpectedLane)

    def locked(self) -> list[str]:
        """The conversations that somebody holds, alive or not."""
        return [name for name, conversation in self.conversations.items() if conversation.lock]

    def free(self) -> list[str]:
        """The conversations that nobody holds."""
        return [name for name, conversation in self.conversations.items() if not conversation.lock]

    def touchable(self) -> list[str]:
        """What is being answered, what waits, and what is remembered."""
        begun = [message_id for c in self.conversations.values() if c.begun for message_id in c.begun.ids]
        waiting = [message_id for c in self.conversations.values() for message_id in c.waiting]
        return [*begun, *waiting, *sorted(self.remembered())]

    def remembered(self) -> set[str]:
        """The messages that the conversations' turns hold."""
        return {message_id for c in self.conversations.values() for ids, _, _ in c.exchanges for message_id in ids}

    def letters(self) -> list[str]:
        """The dead letters that are not asked again."""
        return [name for c in self.conversations.values() for name, letter in c.letters.items() if letter.messages]

    def to_be_taken(self, name: str, *, looks: bool) -> list[str]:
        """What a worker who comes now must get."""
        conversation = self.conversations[name]
        ids = conversation.next_ids()
        if not ids:
            conversation.due = conversation.due if conversation.lock else None
            return []
        if looks or self.lanes[conversation.lane(ids[0])].admits(name, {*self.locked()}):
            return ids
        conversation.due = time.time() + LATER_S
        return []

    def leave_the_lane(self, name: str) -> None:
        """What was begun there is not held any more."""
        begun = self.conversations[name].begun
        if begun and begun.lane:
            self.lanes[begun.lane].answering.discard(name)

    def erase(self, gone: set[str]) -> None:
        """Erase messages wherever they are."""
        for name, conversation in self.conversations.items():
            if conversation.begun and gone.intersection(conversation.begun.ids, conversation.waiting):
                self.leave_the_lane(name)
            conversation.erase(gone)

    def sweep(self, now: float, again_at: float, overdue_since: float) -> set[str]:
        """The conversations that the clerk must hint at."""
        return {name for name, c in self.conversations.items() if c.sweep(now, again_at, overdue_since)}

    def succeed(self, owner: str, now: float) -> set[str]:
        """The conversations that become free when a dead owner's locks are taken away: the sweep knows no others."""
        held = {name for name in self.locked() if str(self.conversations[name].lock).endswith(f":{owner}")}
        freed = {name for name in held if self.conversations[name].due is not None}
        for name in freed:
            self.conversations[name].lock, self.conversations[name].due = None, now
        return freed

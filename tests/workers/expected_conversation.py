"""One conversation in plain Python: a model of what the store must hold of it after every step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from bot.inbox import ROOM
from bot.messages import Message
from workers.batches import MOST_MESSAGES

Token = str
Exchange = tuple[list[str], list[str], str]
"""The ids of what was asked, its words as they are now, and the answer to it."""


@dataclass
class Begun:
    """The messages that one answer covers, and its journal. It has a token while a worker may go on with it.

    What was begun anew has neither lane nor epoch: they are found when it is taken.
    """

    ids: list[str]
    token: Token | None = None
    lane: str | None = None
    epoch: str | None = None
    journal: dict[str, Any] = field(default_factory=dict)

    def outdate(self) -> None:
        """A question says something else now; an answer that is on its way stands."""
        if "on_its_way" not in self.journal:
            self.journal.pop("answer", None)


@dataclass
class Letter:
    """A dead letter. While it is asked again its messages wait in the inbox, and it keeps only the journal."""

    begun: Begun
    sent_at: float
    apologised: bool
    messages: dict[str, Message] | None

    def ask_again(self) -> None:
        """An answer after an apology is another one, in a round of its own."""
        journal, ids = self.begun.journal, list(self.messages or {})
        if "apology" in journal:
            self.begun = Begun(ids, lane=self.begun.lane, journal={"round": journal.get("round", 0) + 1})
        journal.pop("tries", None)
        self.messages = None


@dataclass
class ExpectedConversation:
    """One conversation as the store must hold it."""

    waiting: dict[str, Message] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    lock: Token | None = None
    begun: Begun | None = None
    attempts: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    epoch: int = 0
    due: float | None = None
    letters: dict[str, Letter] = field(default_factory=dict)

    def inbox(self) -> list[str]:
        """What waits, by the platform's time; the id decides between equals."""
        return sorted(self.waiting, key=lambda message_id: (self.waiting[message_id].sent_at, message_id))

    def accept(self, message: Message, now: float, *, over_limit: bool) -> None:
        self.waiting[message.id] = message
        self.due = now if self.due is None else self.due
        if over_limit:
            self.over.add(message.id)

    def lane(self, message_id: str) -> str:
        """Whose turn it is with this message; notices to who writes too much have lanes of their own."""
        return ("over:" if message_id in self.over else "") + self.waiting[message_id].user_id

    # Taking

    def next_ids(self) -> list[str]:
        """What comes next: what was begun before, else the first letter that is asked again, else what is at the head.

        A lock keeps all of it. A letter takes its place as what was begun, even if nobody may take it yet.
        """
        if self.lock:
            return []
        if not self._left_of_begun() and (letter := self._first_asked_again()):
            self.begun = self.letters.pop(letter).begun
        return self._left_of_begun() or self._head()

    def take(self, ids: list[str], token: Token, *, looks: bool) -> Begun:
        """A worker got them; who only looks makes no attempt to answer."""
        before = self.begun or Begun([])
        self.begun = Begun(ids, token, self.lane(ids[0]), before.epoch or str(self.epoch), before.journal)
        self.lock = token
        self.attempts += not looks
        return self.begun

    def holds(self, token: Token) -> bool:
        """Whether this worker may send."""
        return self.lock == token and self.begun is not None and self.begun.token == token

    def _left_of_begun(self) -> list[str]:
        if self.begun is None:
            return []
        left = [message_id for message_id in self.begun.ids if message_id in self.waiting]
        if not left:
            self.begun, self.attempts = None, 0
        return left

    def _first_asked_again(self) -> str | None:
        asked = [(letter.sent_at, name) for name, letter in self.letters.items() if letter.messages is None]
        return min(asked)[1] if asked else None

    def _head(self) -> list[str]:
        for lane, run in itertools.groupby(self.inbox(), key=self.lane):
            return [*run][: ROOM if lane.startswith("over:") else MOST_MESSAGES]
        return []

    # Having taken

    def note(self, token: Token, facts: dict[str, Any]) -> bool:
        """Whether the journal takes these facts."""
        if self.begun is None or not self.holds(token):
            return False
        self.begun.journal.update(facts)
        return True

    def hand_back(self, token: Token, due: float, *, forgive: bool) -> bool:
        """Whether it was this worker's to hand back."""
        begun_by_it = self.begun is not None and self.begun.token == token
        if not begun_by_it and self.lock != token:
            return False
        if self.lock == token:
            self.lock = None
        if self.begun:
            self.begun.token = None
        self.attempts = max(0, self.attempts - forgive)
        self.due = due
        return True

    def is_whole(self, ids: list[str]) -> bool:
        """Whether nothing of a batch was erased."""
        return all(message_id in self.waiting for message_id in ids)

    def remember(self, ids: list[str], answer: str, *, cut: int) -> None:
        """Before `finish`: the exchange, in the words that its messages have now."""
        words = [self.waiting[message_id].text for message_id in ids]
        self.exchanges = [*self.exchanges[cut:], (ids, words, answer)]

    def bury(self, ids: list[str], *, apologised: bool) -> None:
        """Before `finish`: the messages as they are now, with the journal."""
        assert self.begun is not None
        messages = {message_id: self.waiting[message_id] for message_id in ids}
        begun = replace(self.begun, token=None)
        self.letters[ids[-1]] = Letter(begun, messages[ids[-1]].sent_at, apologised, messages)

    def finish(self, ids: list[str], now: float) -> None:
        self._drop(set(ids))
        self.lock, self.begun, self.attempts = None, None, 0
        self.due = now if self.waiting else None

    # Second thoughts

    def ask_again(self, letter_id: str, now: float) -> None:
        letter = self.letters[letter_id]
        self.waiting |= letter.messages or {}
        if (letter.begun.lane or "").startswith("over:"):
            self.over |= (letter.messages or {}).keys()
        letter.ask_again()
        self.due = now if self.due is None else self.due

    def reword(self, message_id: str, text: str) -> None:
        if message_id in self.waiting:
            self.waiting[message_id] = replace(self.waiting[message_id], text=text)
            for begun in [self.begun, *(letter.begun for letter in self.letters.values())]:
                if begun:
                    begun.outdate()
            return
        for ids, words, _ in self.exchanges:
            if message_id in ids:
                words[ids.index(message_id)] = text
        for letter in self.letters.values():
            if letter.messages and message_id in letter.messages:
                letter.messages[message_id] = replace(letter.messages[message_id], text=text)
                letter.begun.outdate()

    def reset(self) -> None:
        self.exchanges = []
        self.epoch += 1

    def erase(self, gone: set[str]) -> None:
        """What is left of a batch is begun anew, since its journal may hold an answer to what is gone."""
        going = gone & self.waiting.keys()
        self._drop(gone)
        self.exchanges = [exchange for exchange in self.exchanges if not gone.intersection(exchange[0])]
        self.letters = {k: v for k, v in self.letters.items() if not gone.intersection(v.messages or ())}
        for letter in self.letters.values():
            if letter.messages is None and going.intersection(letter.begun.ids):
                letter.begun = Begun(letter.begun.ids, journal={"round": letter.begun.journal.get("round", 0)})
        if self.begun and going.intersection(self.begun.ids):
            again = {name: fact for name, fact in self.begun.journal.items() if name == "round"}
            self.begun, self.attempts = Begun(self.begun.ids, journal=again) if again else None, 0
        if not self.waiting:
            self.due, self.begun = None, None
            self.letters = {name: letter for name, letter in self.letters.items() if letter.messages is not None}

    # The clerk

    def sweep(self, now: float, again_at: float, overdue_since: float) -> bool:
        """Whether the clerk hints at it: it is due and nobody's, and its first hint was read or is overdue."""
        if self.due is None or self.due > now:
            return False
        hinted = not self.lock and (self.due <= overdue_since or self.begun is not None)
        if hinted or self.lock:
            self.due = again_at
        return hinted

    def turns(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Roles, message ids and words."""
        for ids, words, answer in self.exchanges:
            yield "user", ids, words
            yield "assistant", ids, [answer]

    def _drop(self, gone: set[str]) -> None:
        self.waiting = {message_id: said for message_id, said in self.waiting.items() if message_id not in gone}
        self.over -= gone

"""Counting, by the numbers that messages carry, what people were shown: lost, doubled, out of order.

The count knows what people wrote, when the platforms had it acknowledged, and what the platforms show. Nothing of it
comes from the service itself.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.line.phrases import phrases
from tests.faults.numbered import NUMBER
from workers.phrases import phrase

UNSURE = tuple(phrases(language).introductions["unsure"] for language in ("ja", "en"))
"""LINE: how words are introduced that may have been shown before."""
APOLOGIES = tuple(phrase(name, language) for name in ("apology", "too_slow") for language in ("ja", "en"))


@dataclass(slots=True)
class Said:
    """A message as its platform has it.

    Args:
        place: where its answer belongs: a thread, a chat, a page.
        written_at: by the platform's clock.
        delivered_at: when its first delivery began, by ours.
        acknowledged_at: when a delivery of it was first answered 200; until then it does not count.
    """

    number: str
    place: str
    person: str
    written_at: float
    delivered_at: float
    acknowledged_at: float = math.inf

    def comes_before(self, other: Said, *, in_one_answer: bool) -> bool:
        """Whether it has to stand before the other one; what was taken in late is answered late."""
        return self.written_at < other.written_at and (in_one_answer or self.acknowledged_at < other.delivered_at)


@dataclass(frozen=True, slots=True)
class Shown:
    """Something of the bot's that a person sees; those of one place in the order in which they stand there."""

    place: str
    text: str

    @property
    def numbers(self) -> list[str]:
        return NUMBER.findall(self.text)

    @property
    def unsure(self) -> bool:
        """Whether it is introduced as something that may have been shown before."""
        return self.text.startswith(UNSURE)

    @property
    def apology(self) -> bool:
        return any(apology in self.text for apology in APOLOGIES)


@dataclass(frozen=True, slots=True)
class Count:
    """The numbers of the messages, by what became of them.

    Args:
        kept: not shown yet, but kept for the next message on LINE.
        unsure: shown more than once, but from the second time on as something that may have been shown before.
        apologised: an apology is their answer.
        idle_apologies: apologies where everything was answered.
    """

    messages: list[str]
    lost: list[str]
    doubled: list[str]
    out_of_order: list[str]
    kept: list[str]
    unsure: list[str]
    apologised: list[str]
    idle_apologies: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order or self.idle_apologies)


def count(said: Sequence[Said], shown: Sequence[Shown], kept: Sequence[str] = ()) -> Count:
    """What became of every acknowledged message; `kept` are the texts that are still kept.

    An answer counts where it belongs only: in another place its message counts as lost.
    """
    places = {message.number: message.place for message in said}
    plain, unsure = Counter[str](), Counter[str]()
    for post in shown:
        here = [number for number in post.numbers if places.get(number) == post.place]
        (unsure if post.unsure else plain).update(here)
    acknowledged = [message for message in said if message.acknowledged_at < math.inf]
    waiting = {number for text in kept for number in NUMBER.findall(text)}
    missing = [m for m in acknowledged if not plain[m.number] and not unsure[m.number] and m.number not in waiting]
    apologised, idle = _apologised(acknowledged, missing, shown)
    return Count(
        messages=[m.number for m in acknowledged],
        lost=[m.number for m in missing if m.number not in apologised],
        doubled=[number for number, times in plain.items() if times > 1],
        out_of_order=sorted(_out_of_order(said, shown)),
        kept=[m.number for m in acknowledged if m.number in waiting and not plain[m.number] + unsure[m.number]],
        unsure=[number for number in unsure if plain[number] + unsure[number] > 1],
        apologised=apologised,
        idle_apologies=idle,
    )


def _apologised(acknowledged: Sequence[Said], missing: Sequence[Said], shown: Sequence[Shown]) -> tuple[list[str], int]:
    """Which of the missing ones were apologised for, and how many apologies were for none of them.

    An apology bears no numbers. It is for one batch: messages of one person that follow each other; so each apology in
    a place stands for the first such run there that is still without an answer.
    """
    runs: dict[str, list[list[str]]] = defaultdict(list)
    for place, run in _runs(acknowledged, {message.number for message in missing}):
        runs[place].append(run)
    apologised: list[str] = []
    idle = 0
    for post in shown:
        if not post.apology:
            continue
        if runs[post.place]:
            apologised += runs[post.place].pop(0)
        else:
            idle += 1
    return apologised, idle


def _runs(acknowledged: Sequence[Said], missing: set[str]) -> Iterator[tuple[str, list[str]]]:
    """The missing messages of one place and person that nothing stands between, oldest first."""
    ordered = sorted(acknowledged, key=lambda message: (message.place, message.written_at))
    for (place, _, is_missing), run in groupby(ordered, key=lambda m: (m.place, m.person, m.number in missing)):
        if is_missing:
            yield place, [message.number for message in run]


def _out_of_order(said: Sequence[Said], shown: Sequence[Shown]) -> set[str]:
    """The messages that stand behind one that they have to come before; where they stand first counts."""
    messages = {message.number: message for message in said}
    stand: dict[str, list[tuple[int, Said]]] = defaultdict(list)
    seen: set[str] = set()
    late: set[str] = set()
    for at, post in enumerate(shown):
        for number in post.numbers:
            message = messages.get(number)
            if message is None or number in seen or message.place != post.place:
                continue
            seen.add(number)
            if any(message.comes_before(other, in_one_answer=at == there) for there, other in stand[post.place]):
                late.add(number)
            stand[post.place].append((at, message))
    return late

"""People on several platforms who ask without pause, while something happens to the service."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.faults.crowd import WITHIN_A_MINUTE_S, answers, delivered
from tests.faults.desk import wait_until
from tests.faults.people import Person

BREATH_S = 0.1


class Asking:
    """What people who ask one question after the other are shown, by their place: `shown` grows."""

    def __init__(self, people: Mapping[str, Person], question: Callable[[int], str]) -> None:
        self.shown: dict[str, list[str]] = {place: [] for place in people}
        self._people = people
        self._question = question
        self._numbers = itertools.count()
        self._enough = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Inside the block they ask; it ends when everybody has the answer to the last question.

        Raises:
            AssertionError: somebody waited in vain.
        """
        with ThreadPoolExecutor(len(self._people)) as pool:
            asking = [pool.submit(self._ask, place) for place in self._people]
            try:
                yield
            finally:
                self._enough.set()
        for one in asking:
            one.result()

    def wait_for_answers(self, more: int, within_s: float = WITHIN_A_MINUTE_S) -> None:
        """Return when everybody was shown so many more."""
        wanted = {place: len(shown) + more for place, shown in self.shown.items()}
        wait_until(lambda: all(len(self.shown[place]) >= many for place, many in wanted.items()), within_s=within_s)

    def _ask(self, place: str) -> None:
        person = self._people[place]
        while not self._enough.wait(BREATH_S):
            before = len(answers(person))
            for sent in person.write(self._question(next(self._numbers))):
                delivered(person, sent)
            until = time.monotonic() + WITHIN_A_MINUTE_S
            while len(read := answers(person)) <= before:
                assert time.monotonic() < until, f"no answer in {place}"
                time.sleep(BREATH_S)
            self.shown[place] += read[before:]

"""Killing: processes end as the kernel ends them, at random times or at a random checkpoint, and are started again."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from typing import get_args

from bot.checkpoints import Point
from tests.faults.desk import Desk

EVERY_S = 4.0
AT_A_CHECKPOINT = 0.5
"""The share of the kills that wait for a process to pass a checkpoint; if none does, nothing is killed."""
WHILE_STARTING = 0.2
"""The share of the other kills that hit whoever it is, be it just starting."""
VICTIMS = {"replies": 4, "web": 2, "clerk": 2, "store": 2, "knowledge": 1}
POINTS: tuple[Point, ...] = get_args(Point)


class Killer:
    """Kills one of the desk's processes now and then; starts again what has ended, as the supervisor would."""

    def __init__(
        self, desk: Desk, seed: int, processes: Sequence[str], *, every_s: float, checkpoints: bool = True
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.ended_by_itself: Counter[str] = Counter()
        self._desk = desk
        self._rng = random.Random(seed)
        self._processes = processes
        self._every_s = every_s
        self._checkpoints = checkpoints
        self._next_at = self._later()

    def step(self) -> None:
        """Kill something if it is time to; call it many times a second."""
        self.restart()
        if time.monotonic() < self._next_at:
            return
        self._next_at = self._later()
        self._desk.disarm()
        if self._checkpoints and self._rng.random() < AT_A_CHECKPOINT:
            self._desk.arm(self._rng.choice(POINTS), "kill")
        elif victim := self._victim():
            self._desk.kill(victim)
            self.kills[victim] += 1
            self._desk.start(victim)

    def _victim(self) -> str | None:
        """Somebody who is up, or now and then whoever; on a busy machine nothing would ever be up otherwise."""
        candidates = list(self._processes)
        if self._rng.random() >= WHILE_STARTING:
            candidates = list(filter(self._desk.is_up, candidates))
        return self._rng.choices(candidates, [VICTIMS[name] for name in candidates])[0] if candidates else None

    def restart(self) -> None:
        """Start again what has ended."""
        for name in self._processes:
            status = self._desk.exited(name)
            if status is not None:
                (self.kills if status == -signal.SIGKILL else self.ended_by_itself)[name] += 1
                self._desk.start(name)

    def _later(self) -> float:
        return time.monotonic() + self._rng.uniform(0.5, 1.5) * self._every_s

"""How fast a reindexing goes, and how long it will take."""

from __future__ import annotations

from knowledge.report import Step

MEASURED_OVER_S = 1.0
NEWEST_WEIGHT = 0.3


class Pace:
    """The speed of the stage under way, measured and smoothed."""

    def __init__(self) -> None:
        self._stage = ""
        self._done = 0
        self._since = 0.0
        self._per_s = 0.0

    def at(self, step: Step, now: float) -> dict[str, float]:
        """`per_s` and, where the total is known, `left_s`; nothing before the stage has been measured.

        Args:
            now: seconds of any clock that only goes forward.
        """
        if step.stage != self._stage or step.done < self._done:
            self._stage, self._done, self._since, self._per_s = step.stage, step.done, now, 0.0
        elapsed_s = now - self._since
        if elapsed_s >= MEASURED_OVER_S and step.done > self._done:
            measured = (step.done - self._done) / elapsed_s
            self._per_s = measured if not self._per_s else self._per_s + NEWEST_WEIGHT * (measured - self._per_s)
            self._done, self._since = step.done, now
        if not self._per_s:
            return {}
        left = {"left_s": round((step.total - step.done) / self._per_s, 1)} if step.total else {}
        return {"per_s": round(self._per_s, 1), **left}

"""A chunk is found by its meaning and its words together, or by rare words alone."""

from __future__ import annotations

import pytest

from knowledge.calibration import COVERAGE_SHARE, Floor
from knowledge.fusion import Candidate

FLOOR = Floor(cosine=0.80, evidence=0.82, coverage=0.7)


@pytest.mark.parametrize(
    ("cosine", "coverage", "found"),
    [
        (0.83, 0.0, True),
        (0.81, 0.0, False),
        (0.81, 0.02 / COVERAGE_SHARE, True),
        (0.60, 0.3, False),
        (0.10, 0.7, True),
        (0.82 - COVERAGE_SHARE * 0.1 + 1e-9, 0.1, True),
        (0.82 - COVERAGE_SHARE * 0.1 - 1e-9, 0.1, False),
    ],
)
def test_meaning_and_words_together_reach_the_floor_or_words_alone(cosine: float, coverage: float, found: bool) -> None:
    assert FLOOR.passes(Candidate(number=1, score=0.0, cosine=cosine, coverage=coverage)) is found

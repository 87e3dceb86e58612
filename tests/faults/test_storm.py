"""A short random run: `make bench-faults` in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.faults import run_ours

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def test_a_short_storm_loses_doubles_and_disorders_nothing(tmp_path: Path) -> None:
    outcome = run_ours(seed=7, messages=30, folder=tmp_path / "desk")

    assert outcome.drained
    assert outcome.count.good, outcome.count
    assert outcome.kills.total() > 0

"""A token that dies while its answer is written, and the tap that follows, with processes killed in between."""

from __future__ import annotations

import itertools
import time
from functools import partial
from typing import Any

import pytest

from bot.checkpoints import Point
from bot.line.events import TOKEN_LAST_CHANCE_S
from bot.line.phrases import phrases
from tests.fakes import line_events
from tests.fakes.line import FakeLine
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER
from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnLine

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

LIFE_S = 10.0
"""Of a token whose event comes late: LINE takes none later than 20 minutes after its event."""
WITHIN_A_MINUTE_S = 60.0
JA = phrases("ja")
_people = itertools.count(0xA00)


class Late(OnLine):
    """Somebody whose events come so late that their tokens are about to die."""

    def __init__(self, desk: Desk, line: FakeLine) -> None:
        super().__init__(desk, line, f"U{next(_people):032x}")

    def _event(self, text: str, token: str) -> dict[str, Any]:
        sent_at = time.time() - TOKEN_LAST_CHANCE_S + LIFE_S
        return line_events.text(text, line_events.user(self.chat_id), reply_token=token, sent_at=sent_at)

    def taps_until_answered(self) -> None:
        """Press the button every few seconds until the answer is there."""
        until = time.monotonic() + WITHIN_A_MINUTE_S
        while not self.has_answer():
            assert time.monotonic() < until
            self.collect()
            time.sleep(3)

    def has_answer(self) -> bool:
        return any(self.answers())

    def answers(self) -> list[str]:
        """What was shown as the answer, and not as what a document says meanwhile."""
        return [text for text in self.reads() if DEADLINE_ANSWER in text and "資料の抜粋" not in text]


@pytest.fixture
def late(desk: Desk, line: FakeLine) -> Late:
    for name in ("replies", "clerk"):
        wait_until(partial(desk.is_up, name), within_s=WITHIN_A_MINUTE_S)
    return Late(desk, line)


def test_what_a_document_says_comes_before_the_token_dies_and_the_answer_by_a_tap(late: Late, line: FakeLine) -> None:
    late.say(f"SLOW {DEADLINE}")
    wait_until(lambda: len(late.reads()) >= 2, within_s=LIFE_S)
    assert "資料の抜粋" in late.reads()[0]
    assert JA.wait_for_button in late.reads()[1]

    late.taps_until_answered()

    assert len(late.answers()) == 1
    assert line.pushes == 0


@pytest.mark.parametrize("point", ["sending", "sent", "generating", "delivering", "delivered"])
def test_the_worker_is_killed(desk: Desk, late: Late, line: FakeLine, point: Point) -> None:
    desk.arm(point, "kill")
    late.say(f"SLOW {DEADLINE}")
    desk.wait_until_reached(point)
    wait_until(lambda: desk.exited("replies") is not None)
    desk.disarm()
    desk.start("replies")

    late.taps_until_answered()

    assert len(late.answers()) == 1
    assert line.pushes == 0


@pytest.mark.parametrize("point", ["ordered", "carried_out"])
def test_the_clerk_is_killed_with_a_tap_in_its_hands(desk: Desk, late: Late, line: FakeLine, point: Point) -> None:
    late.say(f"SLOW {DEADLINE}")
    wait_until(lambda: len(late.reads()) >= 2, within_s=LIFE_S)
    desk.arm(point, "kill")
    late.collect()
    desk.wait_until_reached(point)
    wait_until(lambda: desk.exited("clerk") is not None)
    desk.disarm()
    desk.start("clerk")

    wait_until(late.has_answer, within_s=WITHIN_A_MINUTE_S)

    time.sleep(3)
    assert len(late.answers()) == 1
    assert line.pushes == 0


def test_with_no_worker_at_all_the_clerk_speaks(desk: Desk, late: Late, line: FakeLine) -> None:
    desk.end("replies")
    late.say(DEADLINE)

    wait_until(late.reads, within_s=LIFE_S)
    assert JA.wait_for_button in late.reads()[0]

    desk.start("replies")
    late.taps_until_answered()
    assert len(late.answers()) == 1
    assert line.pushes == 0

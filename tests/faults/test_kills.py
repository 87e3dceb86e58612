"""What only one kind of message, or a lost hint, brings about; the matrix has the rest."""

from __future__ import annotations

import pytest

from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnTheConsole

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

WITHIN_A_MINUTE_S = 60.0


def test_a_question_that_kills_the_process_gets_an_apology_and_no_more_deaths(desk: Desk) -> None:
    person = OnTheConsole(desk)
    person.say("DIE 経費の申請の締め日はいつですか？")

    for _ in range(3):
        wait_until(lambda: desk.exited("replies") is not None, within_s=WITHIN_A_MINUTE_S)
        desk.start("replies")

    wait_until(person.events, within_s=WITHIN_A_MINUTE_S)
    assert [event["type"] for event in person.events()] == ["failed"]
    assert desk.store.hlen("dead") == 1
    assert desk.exited("replies") is None


def test_a_lost_hint_is_found_by_the_sweep(desk: Desk) -> None:
    person = OnTheConsole(desk)
    desk.end("replies")
    person.say("経費の申請の締め日はいつですか？")
    lose_hints(desk, "replies")
    desk.start("replies")

    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == 1


def test_the_clerk_killed_with_an_order_in_its_queue(desk: Desk) -> None:
    person = OnTheConsole(desk)
    desk.kill("clerk")
    person.say("SLOW 経費の申請の締め日はいつですか？")
    wait_until(lambda: being_answered(desk))
    person.say("ストップ")
    lose_hints(desk, "control")
    desk.start("clerk")

    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == 1


def being_answered(desk: Desk) -> bool:
    """Whether a model is at work."""
    return any(desk.store.scan_iter("lock:*"))


def lose_hints(desk: Desk, queue: str) -> None:
    """Lose what is in Celery's queue, when something is."""
    wait_until(lambda: desk.store.llen(queue))
    desk.store.delete(queue)

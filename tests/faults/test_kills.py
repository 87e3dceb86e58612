"""Whatever is killed, who asked gets one answer."""

from __future__ import annotations

import pytest

from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnLine, OnSlack, OnTheConsole, Person

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

ANSWER = "毎月25日"
WITHIN_A_MINUTE_S = 60.0


def test_replies_killed_in_the_middle_of_an_answer(desk: Desk, person: Person) -> None:
    before = len(person.reads())
    person.say("SLOW 経費の申請の締め日はいつですか？")
    wait_until(lambda: being_answered(desk))

    desk.kill("replies")
    desk.start("replies")

    wait_until(lambda: len(person.reads()) > before, within_s=WITHIN_A_MINUTE_S)
    wait_until(lambda: all_is_done(desk))
    assert len(person.reads()) == before + 1
    assert ANSWER in person.reads()[-1]


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


def test_web_killed_after_it_took_the_message(desk: Desk, person: Person) -> None:
    before = len(person.reads())
    person.say("SLOW 経費の申請の締め日はいつですか？")

    desk.kill("web")
    desk.start("web")
    desk.wait_until_ready()

    wait_until(lambda: len(person.reads()) > before, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == before + 1


def test_a_lost_hint_is_found_by_the_sweep(desk: Desk) -> None:
    person = OnTheConsole(desk)
    desk.end("replies")
    person.say("経費の申請の締め日はいつですか？")
    desk.store.delete("replies")  # Celery's queue, with the hint in it
    desk.start("replies")

    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == 1


def test_the_clerk_killed_with_an_order_in_its_queue(desk: Desk) -> None:
    person = OnTheConsole(desk)
    desk.kill("clerk")
    person.say("SLOW 経費の申請の締め日はいつですか？")
    wait_until(lambda: being_answered(desk))
    person.say("ストップ")
    desk.store.delete("control")
    desk.start("clerk")

    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == 1


def test_the_store_killed_loses_nothing(desk: Desk, person: Person) -> None:
    before = len(person.reads())
    person.say("SLOW 経費の申請の締め日はいつですか？")
    wait_until(lambda: being_answered(desk))

    desk.kill("store")
    refused = wait_until(lambda: [s for s in say_anyway(person) if s == 503])
    desk.start("store")
    desk.wait_until_ready()

    assert refused
    wait_until(lambda: len(person.reads()) > before, within_s=WITHIN_A_MINUTE_S)
    wait_until(lambda: all_is_done(desk), within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == before + 1


def test_a_polite_end_hands_the_answer_back_at_once(desk: Desk) -> None:
    person = OnTheConsole(desk)
    person.say("SLOW 経費の申請の締め日はいつですか？")
    wait_until(lambda: being_answered(desk))

    assert desk.end("replies", within_s=10) == 0
    conversation = f"console:{person.session}"
    assert not desk.store.exists(f"lock:{conversation}", f"attempts:{conversation}")
    desk.start("replies")

    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    assert len(person.reads()) == 1


def test_a_delivery_that_comes_again_after_a_restart_is_known(desk: Desk, slack: object, line: object) -> None:
    on_slack, on_line = OnSlack(desk, slack), OnLine(desk, line)  # type: ignore[arg-type]
    line_before = len(on_line.reads())
    on_slack.say("経費の申請の締め日はいつですか？")
    on_line.say("経費の申請の締め日はいつですか？")
    wait_until(lambda: len(on_slack.reads()) == 1 and len(on_line.reads()) == line_before + 1)
    desk.kill("web")
    desk.start("web")
    desk.wait_until_ready()

    assert on_slack.deliver(on_slack.sent[0]) == 200
    assert on_line.deliver(on_line.sent[0]) == 200

    wait_until(lambda: all_is_done(desk))
    assert len(on_slack.reads()) == 1
    assert len(on_line.reads()) == line_before + 1


def being_answered(desk: Desk) -> bool:
    """Whether a model is at work."""
    return any(desk.store.scan_iter("lock:*"))


def all_is_done(desk: Desk) -> bool:
    """Whether nothing waits and nothing is being answered."""
    return not desk.store.zcard("ready") and not being_answered(desk)


def say_anyway(person: Person) -> list[int]:
    """The statuses of something said that may well be refused; the fakes show the question, nobody answers it."""
    return person.say("聞こえますか")

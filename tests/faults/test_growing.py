"""A process killed or frozen while an answer grows on Slack leaves who asked one whole answer, and no half one."""

from __future__ import annotations

import signal

import pytest

from bot.checkpoints import Point
from tests.fakes.slack import FakeSlack, Fault
from tests.faults.desk import Desk, wait_until
from tests.faults.people import InAChannel

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

WITHIN_A_MINUTE_S = 60.0
QUESTION = "経費の申請の締め日はいつですか？"


def seen_by(person: InAChannel, slack: FakeSlack) -> list[str]:
    """Everything of the bot's in the thread, whole or not."""
    return slack.visible(person.channel, person.sent[-1]["event"]["ts"])


def reads_one_whole_answer(person: InAChannel, slack: FakeSlack) -> bool:
    """Whether there is one message, and nothing of it is still to come."""
    seen = seen_by(person, slack)
    return len(seen) == 1 and "25日" in seen[0] and not seen[0].endswith(("[growing]", "[cut off]"))


@pytest.mark.parametrize("point", ["streaming", "sending", "sent"])
def test_a_worker_killed_while_its_answer_grows(desk: Desk, slack: FakeSlack, point: Point) -> None:
    person = InAChannel(desk, slack)
    desk.arm(point, "hold")
    person.say(QUESTION)
    desk.wait_until_reached(point)
    assert slack.workspace.calls["chat.startStream"] > 0
    half = seen_by(person, slack)
    desk.kill("replies")
    desk.disarm()
    desk.start("replies")

    wait_until(lambda: reads_one_whole_answer(person, slack), within_s=WITHIN_A_MINUTE_S)
    assert len(half) == 1
    wait_until(lambda: not list(desk.store.scan_iter("slack_previews:*")))


def test_a_worker_that_is_frozen_while_its_answer_grows_and_wakes_up_too_late(desk: Desk, slack: FakeSlack) -> None:
    person = InAChannel(desk, slack)
    desk.arm("streaming", "hold")
    person.say(QUESTION)
    desk.wait_until_reached("streaming")
    desk.signal("replies", signal.SIGSTOP)
    slack.workspace.streams.later_s = 301
    desk.disarm()
    desk.signal("replies", signal.SIGCONT)

    wait_until(lambda: reads_one_whole_answer(person, slack), within_s=WITHIN_A_MINUTE_S)


@pytest.mark.parametrize("method", ["chat.startStream", "chat.stopStream"])
def test_a_connection_that_breaks_when_slack_has_taken_the_call(desk: Desk, slack: FakeSlack, method: str) -> None:
    person = InAChannel(desk, slack)
    slack.fail(method, Fault(reset="after"))
    person.say(QUESTION)

    wait_until(lambda: reads_one_whole_answer(person, slack), within_s=WITHIN_A_MINUTE_S)

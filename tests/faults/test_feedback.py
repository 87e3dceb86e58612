"""Whoever asked in vain is told once, though the clerk is killed as it tells them."""

from __future__ import annotations

import pytest

from tests.fakes.slack import FakeSlack
from tests.faults.crowd import wait_until_done
from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnSlack
from workers.gaps.gaps import Gaps

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

VAIN = "社員食堂のからあげ定食は何円ですか？"
ANSWER = "社員食堂のからあげ定食は六百五十円です。"
WITHIN_S = 120.0
"""A claim on telling somebody lasts for a minute after its clerk was killed."""


def test_a_clerk_that_is_killed_while_it_tells_leaves_the_asker_told_once(desk: Desk, slack: FakeSlack) -> None:
    person, gaps = OnSlack(desk, slack, channel="DT1"), Gaps(desk.store)
    person.say(VAIN)
    wait_until_done(desk, person)
    (topic,) = wait_until(gaps.topics)
    desk.arm("sending", "kill")
    answer = desk.command("gaps", "answer", str(topic.number), "--question", "定食の値段は？", "--answer", ANSWER)
    assert answer.returncode == 0, answer.stderr

    desk.wait_until_ended("clerk", within_s=WITHIN_S)
    desk.start("clerk")

    wait_until(lambda: not gaps.topics(), within_s=WITHIN_S)
    assert [ANSWER in text for text in person.reads()].count(True) == 1

"""The whole service with Slack over Socket Mode: every question is answered once, whatever parts or dies meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_socket import APP_TOKEN, SlackSocket
from tests.faults.desk import COMMANDS, Desk, wait_until
from tests.faults.fixtures import service

QUESTION = "経費の申請の締め日はいつですか？"
ANSWER = "毎月25日に締め切り"
WITHIN_S = 30.0
PROCESSES = {**COMMANDS, "socket": ["-m", "tests.faults.process", "socket"]}
_places = itertools.count(700)


@pytest.fixture(scope="module")
def socket(slack: FakeSlack) -> Iterator[SlackSocket]:
    with SlackSocket(again_after_s=1.0) as fake:
        slack.socket = fake
        yield fake


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine, documents: Path, socket: SlackSocket
) -> Iterator[Desk]:
    only_the_socket = {"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""}
    with service(tmp_path_factory.mktemp("desk"), slack, line, documents, PROCESSES, only_the_socket) as running:
        wait_until(lambda: socket.connected)
        yield running


@pytest.fixture
def place() -> str:
    """A direct conversation that nobody has used."""
    return f"D{next(_places)}"


def answered_once(desk: Desk, slack: FakeSlack, place: str) -> None:
    """Return when the question there has its answer and nothing more is being done."""
    wait_until(lambda: any(ANSWER in text for text in slack.visible(place)), within_s=WITHIN_S)
    wait_until(lambda: not any(desk.store.exists(key) for key in ("ready", "controls")), within_s=WITHIN_S)
    assert len(slack.visible(place)) == 1


def test_a_question_is_answered_once_though_it_comes_twice_and_the_connection_is_renewed_between(
    desk: Desk, slack: FakeSlack, socket: SlackSocket, place: str
) -> None:
    (question,) = slack.say(place, QUESTION)
    first = socket.deliver(question)
    socket.disconnect("refresh_requested")
    second = socket.deliver(question)

    wait_until(lambda: first.acknowledged and second.acknowledged, within_s=WITHIN_S)
    answered_once(desk, slack, place)


def test_a_question_comes_again_when_the_store_is_back(
    desk: Desk, slack: FakeSlack, socket: SlackSocket, place: str
) -> None:
    desk.kill("store")
    sent = socket.deliver(*slack.say(place, QUESTION))
    wait_until(lambda: sent.tries >= 2, within_s=WITHIN_S)
    assert not sent.acknowledged
    desk.start("store")

    answered_once(desk, slack, place)
    wait_until(lambda: sent.acknowledged, within_s=WITHIN_S)


@pytest.mark.parametrize("point", ["accepting", "accepted"])
def test_a_killed_process_loses_and_doubles_nothing(
    desk: Desk, slack: FakeSlack, socket: SlackSocket, place: str, point: str
) -> None:
    desk.arm(point, "kill")  # type: ignore[arg-type]
    sent = socket.deliver(*slack.say(place, QUESTION))
    desk.wait_until_ended("socket")
    assert not sent.acknowledged
    desk.start("socket")

    wait_until(lambda: sent.acknowledged, within_s=WITHIN_S)
    answered_once(desk, slack, place)


def test_the_socket_is_a_part_of_being_ready_and_no_webhook_is_open(desk: Desk) -> None:
    assert desk.post("/slack/events", b"{}", {}).status_code == 404
    wait_until(lambda: desk.is_up("socket"))
    desk.kill("socket")
    desk.store.delete("status:socket")

    told = desk.get("/readyz").json()
    desk.start("socket")

    assert told["parts"]["socket"] is False
    assert told["ready"] is False
    wait_until(lambda: desk.get("/readyz").json()["parts"]["socket"])


def test_the_process_ends_when_it_is_asked_to(desk: Desk) -> None:
    wait_until(lambda: desk.is_up("socket"))
    assert desk.end("socket", within_s=10) == 0
    desk.start("socket")
    wait_until(lambda: desk.is_up("socket"))

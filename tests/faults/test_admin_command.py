"""`/madoguchi reindex` in Slack ends in one message that says what came of it, whichever process is killed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import TEAM, form_of, sign
from tests.faults import editions
from tests.faults.desk import SLACK_SECRET, Desk, wait_until
from tests.faults.fixtures import service

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

DM = "DU1"
ENDS_WITHIN_S = 120.0
_triggers = itertools.count(1)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    editions.write(folder, 0)
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine, documents: Path) -> Iterator[Desk]:
    """The service, with U1 as its administrator."""
    folder = tmp_path_factory.mktemp("desk")
    with service(folder, slack, line, documents, environment={"ADMIN_USERS": "slack:U1"}) as running:
        yield running


def give(desk: Desk, text: str) -> httpx.Response:
    """U1 gives the command in a channel."""
    fields = {"command": "/madoguchi", "team_id": TEAM, "channel_id": "C1", "user_id": "U1", "text": text}
    body = form_of(**fields, trigger_id=f"1.2.{next(_triggers)}")
    headers = sign(SLACK_SECRET, body, content_type="application/x-www-form-urlencoded")
    return httpx.post(f"{desk.url}/slack/events", content=body, headers=headers, timeout=3)


def told(slack: FakeSlack) -> list[str]:
    """What the administrator reads in the conversation with the bot."""
    return slack.visible(DM) if DM in slack.workspace.channels else []


@pytest.mark.parametrize("killed", ["knowledge", "clerk"])
def test_a_process_is_killed_while_the_order_is_carried_out(
    desk: Desk, slack: FakeSlack, documents: Path, killed: str
) -> None:
    before = len(told(slack))
    editions.write(documents, before + 1)
    desk.arm("embedding", "hold")
    assert give(desk, "reindex").status_code == 200
    desk.wait_until_reached("embedding")
    wait_until(lambda: "embedding" in "".join(told(slack)[before:]))

    desk.kill(killed)
    desk.disarm()
    desk.start(killed)

    wait_until(lambda: "new generation" in "".join(told(slack)[before:]), within_s=ENDS_WITHIN_S)
    assert len(told(slack)) == before + 1
    assert not slack.visible("C1")

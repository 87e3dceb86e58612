"""One service for all tests of a module, with a scripted model and fakes of Slack and LINE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.line import FakeLine
from tests.fakes.slack import TOKEN, FakeSlack
from tests.faults.desk import COMMANDS, LINE_SECRET, SLACK_SECRET, Desk
from tests.faults.people import InAChannel, OnLine, OnSlack, OnTheConsole, Person

__all__ = ["desk", "documents", "line", "person", "slack"]


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture(scope="module")
def line() -> Iterator[FakeLine]:
    with FakeLine() as fake:
        yield fake


@pytest.fixture(scope="module")
def documents() -> Path:
    """The folder with what the desk knows."""
    return Path(__file__).parent / "documents"


@contextmanager
def service(
    folder: Path,
    slack: FakeSlack,
    line: FakeLine,
    documents: Path,
    commands: dict[str, list[str]] = COMMANDS,
    environment: Mapping[str, str] = {},
) -> Iterator[Desk]:
    """The service, ready, with the fakes as its platforms; `environment` has further settings of it."""
    running = Desk(
        folder,
        {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "SLACK_API_URL": slack.api_url,
            "LINE_CHANNEL_SECRET": LINE_SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
            "LINE_API_URL": line.url,
            "LINE_ACCESS": "open",
            "KNOWLEDGE_PATH": str(documents),
            "ANSWER_MAX_TOKENS": "4096",  # the scripted model's are characters
            **environment,
        },
        commands,
    )
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine, documents: Path) -> Iterator[Desk]:
    with service(tmp_path_factory.mktemp("desk"), slack, line, documents) as running:
        yield running


@pytest.fixture(params=["slack", "channel", "line", "console"])
def person(request: pytest.FixtureRequest, desk: Desk, slack: FakeSlack, line: FakeLine) -> Person:
    """Somebody on each of the platforms."""
    people: dict[str, Callable[[], Person]] = {
        "slack": lambda: OnSlack(desk, slack),
        "channel": lambda: InAChannel(desk, slack),
        "line": lambda: OnLine(desk, line),
        "console": lambda: OnTheConsole(desk),
    }
    return people[request.param]()

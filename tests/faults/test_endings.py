"""Every process ends in time when it is told to, whatever hangs, and what it held is answered once."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import readiness
from bot.queue import REINDEX, celery_app
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.faults.desk import COMMANDS, SLACK_SECRET, Desk, wait_until
from tests.faults.people import OnSlack, OnTheConsole, Person
from workers.ending import END_WITHIN_S
from workers.phrases import phrase

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ANSWER = "毎月25日"
QUESTION = "経費の申請の締め日はいつですか？"
WITHIN_A_MINUTE_S = 60.0
MANY = 3000
"""Documents that take longer to index than a test takes."""
IN_TIME_S = END_WITHIN_S + 3.0
"""Less than the supervisor's patience (workers.supervision.STOP_WAIT_S)."""
NOT_THE_STORE = ("web", "clerk", "replies", "knowledge")


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack) -> Iterator[Desk]:
    running = Desk(
        tmp_path_factory.mktemp("endings"),
        {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SLACK_SECRET, "SLACK_API_URL": slack.api_url},
        COMMANDS | {"replies": ["-m", "tests.faults.stuck"]},
    )
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def is_held(desk: Desk) -> bool:
    return any(desk.store.scan_iter("lock:*"))


def start_again(desk: Desk, *names: str, **environment: str) -> None:
    """Start processes that have ended; returns when they are ready."""
    for name in names:
        desk.store.delete(f"status:{name}")  # the heartbeat of the one before
    desk.start(*names, **environment)
    desk.wait_until_ready()


def end_all(desk: Desk, *names: str) -> None:
    """End these processes at the same time."""
    for name in names:
        desk.signal(name, signal.SIGTERM)
    wait_until(lambda: all(desk.exited(name) is not None for name in names), within_s=IN_TIME_S)


def read_once(person: Person) -> str:
    """The one answer to the one question that the person asked."""
    wait_until(person.reads, within_s=WITHIN_A_MINUTE_S)
    (answer,) = person.reads()
    return answer


def test_while_an_answer_is_written(desk: Desk) -> None:
    person = OnTheConsole(desk)
    person.say(f"SLOW {QUESTION}")
    wait_until(lambda: is_held(desk))

    assert desk.end("replies", within_s=IN_TIME_S) == 0
    assert not is_held(desk)

    start_again(desk, "replies")
    assert ANSWER in read_once(person)


def test_while_the_platform_hangs(desk: Desk, slack: FakeSlack) -> None:
    person = OnSlack(desk, slack)
    slack.fail("chat.postMessage", Fault(after_s=30.0), channel=person.channel)
    person.say(QUESTION)
    wait_until(lambda: not slack.has_faults(person.channel))

    assert desk.end("replies", within_s=IN_TIME_S) == 0

    start_again(desk, "replies")
    assert ANSWER in read_once(person)


@pytest.mark.parametrize("frozen", [True, False])
def test_while_the_store_is_frozen_or_gone(desk: Desk, frozen: bool) -> None:
    person = OnTheConsole(desk)
    person.say(f"SLOW {QUESTION}")
    wait_until(lambda: is_held(desk))

    if frozen:
        desk.signal("store", signal.SIGSTOP)
    else:
        desk.kill("store")
    try:
        end_all(desk, *NOT_THE_STORE)
    finally:
        if frozen:
            desk.signal("store", signal.SIGCONT)
        else:
            desk.start("store")
        wait_until(lambda: readiness(desk.store)["store"])
        start_again(desk, *NOT_THE_STORE)

    assert ANSWER in read_once(person)


def test_while_a_browser_follows_its_stream(desk: Desk) -> None:
    cookie = desk.console_cookie()
    follows = threading.Event()

    def follow() -> None:
        headers = {"Cookie": f"madoguchi_console={cookie}"}
        with httpx.stream("GET", f"{desk.url}/console/events", headers=headers, timeout=30) as response:
            for _ in response.iter_lines():
                follows.set()

    browser = threading.Thread(target=follow)
    browser.start()
    assert follows.wait(10)

    assert desk.end("web", within_s=IN_TIME_S) == 0

    browser.join(5)
    assert not browser.is_alive()
    start_again(desk, "web")


def test_while_the_documents_are_indexed(desk: Desk, tmp_path: Path) -> None:
    for number in range(MANY):
        (tmp_path / f"{number}.md").write_text(
            f"# Rule {number}\n\nRule {number} has {number} words.", encoding="utf-8"
        )
    desk.end("knowledge")
    start_again(desk, "knowledge", KNOWLEDGE_PATH=str(tmp_path))
    celery_app(desk.store_url).send_task(REINDEX, args=["many"])
    wait_until(lambda: told(desk, "many").get("done"), within_s=WITHIN_A_MINUTE_S)

    assert desk.end("knowledge", within_s=IN_TIME_S) == 0

    assert told(desk, "many")["state"] == "failed"
    assert "ended before it was done" in told(desk, "many")["reason"]
    start_again(desk, "knowledge")


def told(desk: Desk, run_id: str) -> dict[str, Any]:
    """What is told of a reindexing."""
    return dict(json.loads(desk.store.get(f"reindex:{run_id}") or "{}"))


def test_a_question_that_hangs_the_model_is_answered_by_the_documents_and_costs_nobody_else_an_attempt(
    desk: Desk,
) -> None:
    stuck, other = OnTheConsole(desk), OnTheConsole(desk)
    stuck.say(f"STUCK {QUESTION}")
    wait_until(lambda: is_held(desk))
    assert desk.end("replies", within_s=IN_TIME_S) == 0
    assert not is_held(desk)
    other.say(QUESTION)

    desk.start("replies")
    for _ in range(3):
        wait_until(lambda: desk.exited("replies") is not None, within_s=WITHIN_A_MINUTE_S)
        assert not is_held(desk)
        assert desk.exited("replies") == 0
        assert int(desk.store.get(f"attempts:console:{other.session}") or 0) == 0
        desk.start("replies")

    assert read_once(stuck).startswith(phrase("without_model", "ja", words="").partition("\n")[0])
    assert ANSWER in read_once(other)
    assert desk.store.hlen("dead") == 0
    assert desk.exited("replies") is None


def test_what_a_killed_process_held_is_taken_up_by_the_next_at_once(desk: Desk) -> None:
    person = OnTheConsole(desk)
    person.say(f"SLOW {QUESTION}")
    wait_until(lambda: is_held(desk))
    lock = f"lock:console:{person.session}"
    desk.kill("replies")
    desk.store.persist(lock)  # it would not run out by itself

    desk.start("replies")

    assert ANSWER in read_once(person)

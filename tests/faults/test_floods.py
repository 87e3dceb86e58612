"""However much comes at once, every message is covered by one answer or one notice, and nobody waits for a flood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.settings import BotSettings
from tests.fakes import slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, WITHIN_A_MINUTE_S, InADirectMessage, delivered, left
from tests.faults.desk import Desk, wait_until
from tests.faults.fixtures import service
from tests.faults.numbered import NUMBER
from tests.faults.people import OnLine, OnSlack, Person
from workers.phrases import phrase

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

MANY = 200
DELIVERIES_AT_ONCE = 8
A_MINUTE: int = BotSettings.model_fields["person_messages_per_minute"].default
NOTICE = phrase("over_limit", "en")
NUMBERS = [f"Q-{number:04}" for number in range(MANY)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine, documents: Path) -> Iterator[Desk]:
    """The service where the model may say what is not in the documents: which messages it was given."""
    folder = tmp_path_factory.mktemp("floods")
    (folder / "madoguchi.toml").write_text('[answers]\noutside = "general"\n', encoding="utf-8")
    with service(folder, slack, line, documents) as running:
        yield running


def at_once(deliveries: Iterable[tuple[Person, str]]) -> None:
    """All of them say it at once, and it is taken in."""
    written = [(person, sent) for person, text in deliveries for sent in person.write(text)]
    with ThreadPoolExecutor(DELIVERIES_AT_ONCE) as platform:
        for delivery in [platform.submit(delivered, person, sent) for person, sent in written]:
            delivery.result()


def done(desk: Desk, place: str) -> None:
    """Return when nothing is left to do there."""
    wait_until(lambda: not left(desk, place), within_s=2 * WITHIN_A_MINUTE_S)


def numbers(texts: Iterable[str]) -> list[str]:
    """The numbers of the messages that these answers answer."""
    return [number for text in texts for number in NUMBER.findall(text)]


def member(slack: FakeSlack, user: str) -> str:
    slack.workspace.users[user] = slack_events.user(user)
    return user


def test_two_hundred_messages_of_one_person_in_one_place(desk: Desk, slack: FakeSlack) -> None:
    person = InADirectMessage(desk, slack, "D2001", member(slack, "U2001"))
    desk.arm("taken", "hold")  # what comes late is answered when it comes: all have come before the second is begun
    person.say(NUMBERS[0])
    desk.wait_until_reached("taken")

    at_once((person, number) for number in NUMBERS[1:])
    desk.release("taken")
    done(desk, "D2001")

    answered = numbers(person.reads())
    assert answered == sorted(set(answered))
    assert len(answered) == A_MINUTE
    assert person.reads().count(NOTICE) >= 1
    assert len(person.reads()) <= A_MINUTE + person.reads().count(NOTICE)
    assert all(was_answered(desk, f"slack:{slack_events.TEAM}:D2001:{sent['event']['ts']}") for sent in person.sent)


def test_two_hundred_threads_of_one_person(desk: Desk, slack: FakeSlack) -> None:
    user = member(slack, "U2002")
    # In eight channels: Slack takes one post a second in one.
    threads = [OnSlack(desk, slack, f"C2002{n % 8}", user) for n in range(MANY)]

    at_once((thread, number) for thread, number in zip(threads, NUMBERS, strict=True))
    done(desk, ":C2002")

    shown = [thread.reads() for thread in threads]
    assert all(len(texts) == 1 for texts in shown)
    assert sum(texts == [NOTICE] for texts in shown) == MANY - A_MINUTE
    assert all(texts == [NOTICE] or numbers(texts) == [number] for texts, number in zip(shown, NUMBERS, strict=True))


def test_two_hundred_people(desk: Desk, slack: FakeSlack) -> None:
    people = [InADirectMessage(desk, slack, f"D3{n:03}", member(slack, f"U3{n:03}")) for n in range(MANY)]

    at_once((person, number) for person, number in zip(people, NUMBERS, strict=True))
    done(desk, ":D3")

    assert [numbers(person.reads()) for person in people] == [[number] for number in NUMBERS]
    assert all(len(person.reads()) == 1 for person in people)


def test_while_one_person_floods_another_is_answered_first(desk: Desk, slack: FakeSlack, line: FakeLine) -> None:
    user, other = member(slack, "U2003"), OnLine(desk, line, f"U{2003:032x}")
    threads = [OnSlack(desk, slack, "C2003", user) for _ in range(A_MINUTE)]
    at_once((thread, f"SLOW {number}") for thread, number in zip(threads, NUMBERS, strict=False))

    other.say(DEADLINE)

    wait_until(other.reads)
    assert DEADLINE_ANSWER in other.reads()[0]
    assert sum(len(thread.reads()) for thread in threads) < A_MINUTE // 2
    done(desk, "C2003")
    assert [numbers(thread.reads()) for thread in threads] == [[number] for number in NUMBERS[:A_MINUTE]]


def was_answered(desk: Desk, message_id: str) -> bool:
    return desk.store.get(f"seen:{message_id}") == "answered"

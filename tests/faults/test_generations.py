"""The running service from one generation to the next and back: golden questions, rollback, and what is deleted."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from knowledge.generations import ROLLBACK_S
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import WITHIN_A_MINUTE_S, answers, somebody_new, wait_until_done
from tests.faults.desk import Desk, wait_until
from tests.faults.fixtures import service
from tests.faults.people import Person
from tests.stored import files_with

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

PARKING, PARKING_ANSWER = "Where do visitors park?", "level 3"
GOLDEN = [{"question": PARKING, "document": "parking.md"}]
DOCUMENTS = {
    "parking.md": "# Parking\n\nVisitors park on level 3 of the east car park.\n",
    "canteen.md": "# Canteen\n\nThe canteen on the ground floor serves lunch from noon to two.\n",
    "経費.md": "# 経費精算\n\n経費の申請は毎月25日に締め切ります。\n",
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of documents, which may be changed."""
    folder = tmp_path_factory.mktemp("documents")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine, documents: Path) -> Iterator[Desk]:
    """The service, with a golden question."""
    folder = tmp_path_factory.mktemp("desk")
    golden = folder / "golden.yaml"
    golden.write_text(json.dumps(GOLDEN), encoding="utf-8")  # JSON is YAML too
    with service(folder, slack, line, documents, environment={"GOLDEN_PATH": str(golden)}) as running:
        yield running


@pytest.fixture
def somebody(desk: Desk, slack: FakeSlack, line: FakeLine) -> Person:
    """Somebody in a thread on Slack, which keeps what it has shown itself."""
    return somebody_new(desk, slack, line)["slack-thread"]()


def asked(desk: Desk, person: Person, question: str) -> str:
    """What is answered to this."""
    before = len(answers(person))
    person.say(question)
    wait_until(lambda: len(answers(person)) > before, within_s=WITHIN_A_MINUTE_S)
    wait_until_done(desk, person)
    return answers(person)[-1]


def index(desk: Desk) -> Path:
    return desk.folder / "data" / "index"


def generation(desk: Desk) -> str:
    """The name of the generation that answers."""
    return (index(desk) / "CURRENT").read_text("utf-8").strip()


FORGETTING = ("slack-thread", "console")
"""Where a conversation is asked again, and where it is erased."""
_numbers = itertools.count(1)


@pytest.mark.parametrize("place", FORGETTING)
def test_a_deleted_text_is_in_no_file_after_its_generation_went(
    desk: Desk, slack: FakeSlack, line: FakeLine, documents: Path, place: str
) -> None:
    word = f"zqplugh{next(_numbers)}"
    secret = documents / f"{word}.md"
    secret.write_text(
        f"# Passwords\n\nThe password of the aquarium is {word}, 合言葉は「水槽の{word}」です。\n", "utf-8"
    )
    assert desk.command("reindex").returncode == 0
    person = somebody_new(desk, slack, line)[place]()
    assert word in asked(desk, person, "What is the password of the aquarium?")
    assert held_in(desk, word) != []

    secret.unlink()
    before = rewrites(desk)
    assert desk.command("reindex").returncode == 0
    wait_until(lambda: rewrites(desk) > before)  # for the pages of cited passages; the conversation is asked after it
    asked(desk, person, PARKING)
    if place == "console":
        person.say("忘れて")
        wait_until_done(desk, person)
    an_hour_passes(desk)
    assert desk.command("reindex").returncode == 0

    with suppress(AssertionError):  # the replies' process lets go, the clerk has the store's file rewritten
        wait_until(lambda: not held_in(desk, word), within_s=WITHIN_A_MINUTE_S)
    assert held_in(desk, word) == []


def held_in(desk: Desk, word: str) -> list[Path]:
    """The files under DATA_PATH that hold it; of a word's first letters an index may have spared itself some."""
    return files_with(desk.folder / "data", word.removeprefix("z"))


def rewrites(desk: Desk) -> int:
    """How often the store was told to write its file anew."""
    calls: Any = desk.store.info("commandstats")
    return int(calls.get("cmdstat_bgrewriteaof", {}).get("calls", 0))


def an_hour_passes(desk: Desk) -> None:
    """The time for a rollback is over: the pointer was moved that long ago."""
    then = time.time() - ROLLBACK_S
    os.utime(index(desk) / "CURRENT", (then, then))


@pytest.fixture(scope="module")
def old(desk: Desk) -> str:
    """The generation that answers the golden question."""
    return generation(desk)


@pytest.fixture(scope="module")
def worse(desk: Desk, documents: Path, old: str) -> Iterator[str]:
    """The document that answers the golden question says something else now; what is said of the reindexing."""
    (documents / "parking.md").write_text("# Zoo\n\nThe penguins are fed at half past three.\n", encoding="utf-8")
    refused = desk.command("reindex")
    assert refused.returncode == 1
    yield refused.stderr
    (documents / "parking.md").write_text(DOCUMENTS["parking.md"], encoding="utf-8")


def test_a_golden_question_that_got_worse_is_named(worse: str) -> None:
    assert PARKING in worse


def test_the_old_generation_goes_on_answering(desk: Desk, worse: str, old: str, somebody: Person) -> None:
    assert generation(desk) == old
    assert PARKING_ANSWER in asked(desk, somebody, PARKING)


@pytest.fixture(scope="module")
def accepted(desk: Desk, worse: str) -> str:
    """The generation that somebody accepted all the same."""
    assert desk.command("reindex", "--accept").returncode == 0
    return generation(desk)


def test_who_accepts_it_gets_the_new_generation(desk: Desk, accepted: str, old: str, somebody: Person) -> None:
    assert accepted != old
    assert "half past three" in asked(desk, somebody, "When are the penguins fed?")
    assert PARKING_ANSWER not in asked(desk, somebody, PARKING)


@pytest.fixture(scope="module")
def rolled_back(desk: Desk, accepted: str) -> str:
    """The generation that answers after a rollback."""
    told = desk.command("rollback")
    assert told.returncode == 0, told
    return generation(desk)


def test_after_a_rollback_the_generation_before_answers(
    desk: Desk, rolled_back: str, old: str, somebody: Person
) -> None:
    assert rolled_back == old
    assert PARKING_ANSWER in asked(desk, somebody, PARKING)
    assert "half past three" not in asked(desk, somebody, "When are the penguins fed?")

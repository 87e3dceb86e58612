"""Whatever happens to a reindexing, everybody is answered from one whole generation, and it ends all the same.

Every chunk of the documents says which edition it is of.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults import editions
from tests.faults.asking import Asking
from tests.faults.crowd import Crowd
from tests.faults.desk import Desk, outcome
from tests.faults.fixtures import service
from tests.faults.process import Where

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

PLACES = ("slack-thread", "line", "console")
STAGES: tuple[Where, ...] = ("reading", "embedding", "checking", "swapping", "cleaning")
"""`swapping`: the new generation is complete, the pointer still names the old one; `cleaning`: it names the new one."""
ENDS_WITHIN_S = 120.0


class Publishing:
    """Editions of the documents, one after the other, and people who ask meanwhile."""

    def __init__(self, desk: Desk, folder: Path, slack: FakeSlack, line: FakeLine) -> None:
        self.desk = desk
        self.edition = 0
        self._folder = folder
        self._slack = slack
        self._line = line

    def write(self) -> int:
        """Write the next edition; its number."""
        self.edition += 1
        editions.write(self._folder, self.edition)
        return self.edition

    def publish(self) -> int:
        """Write the next edition, and wait until it is indexed."""
        edition = self.write()
        assert_done(self.desk.begin("reindex"))
        return edition

    def begin_to_publish(self) -> subprocess.Popen[str]:
        """Write the next edition and begin to index it; the command that waits for that."""
        self.write()
        return self.desk.begin("reindex")

    @contextmanager
    def being_asked(self) -> Iterator[Asking]:
        """Inside the block people ask without pause; after it nobody has been given words of two editions at once."""
        before = len(editions.prompts(self.desk))
        asking = Asking(Crowd(self.desk, self._slack, self._line, PLACES).people, editions.question)
        with asking.going_on():
            yield asking
        quoted = [editions.editions_in(prompt) for prompt in editions.prompts(self.desk)[before:]]
        assert quoted
        assert [sorted(some) for some in quoted if len(some) != 1] == []


@pytest.fixture(scope="module")
def publishing(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine) -> Iterator[Publishing]:
    """The service with two generations, so that the third has an old one to clean up."""
    folder = tmp_path_factory.mktemp("publishing")
    editions.write(folder / "documents", 0)
    with service(folder, slack, line, folder / "documents", environment={"PERSON_MESSAGES_PER_MINUTE": "0"}) as desk:
        started = Publishing(desk, folder / "documents", slack, line)
        started.publish()
        yield started


@pytest.fixture
def desk(publishing: Publishing) -> Iterator[Desk]:
    """The service; nothing stays armed or frozen."""
    yield publishing.desk
    publishing.desk.disarm()
    publishing.desk.signal("knowledge", signal.SIGCONT)


def assert_done(command: subprocess.Popen[str]) -> str:
    """Check that a reindexing ends well; what it says."""
    done = outcome(command, ENDS_WITHIN_S)
    assert done.returncode == 0, done
    return done.stdout


def assert_editions(asking: Asking, first: int, last: int) -> None:
    """Check that everybody read of these editions, the first ones first, and of no other."""
    for place, shown in asking.shown.items():
        read = [edition for text in shown for edition in editions.editions_in(text)]
        assert len(read) == len(shown), (place, [text for text in shown if not editions.editions_in(text)])
        assert read == sorted(read), place
        assert (read[0], read[-1]) == (first, last), place


@pytest.mark.parametrize("stage", STAGES)
def test_the_process_is_killed_at_any_stage_and_the_reindexing_goes_on(
    publishing: Publishing, desk: Desk, stage: Where
) -> None:
    old = publishing.edition
    with publishing.being_asked() as asking:
        asking.wait_for_answers(1)
        desk.arm(stage, "hold")
        command = publishing.begin_to_publish()
        desk.wait_until_reached(stage)
        if stage == "embedding":  # of several batches the first is done: the middle
            desk.arm(stage, "hold")
            desk.wait_until_reached(stage)
        asking.wait_for_answers(2)
        desk.kill("knowledge")
        desk.disarm()
        asking.wait_for_answers(2)
        desk.start("knowledge")
        said = assert_done(command)
        asking.wait_for_answers(3)

    assert_editions(asking, old, publishing.edition)
    if stage == "embedding":
        assert newly_embedded(said) < editions.CHUNKS


def test_the_replies_process_is_killed_while_the_index_changes(publishing: Publishing, desk: Desk) -> None:
    old = publishing.edition
    with publishing.being_asked() as asking:
        asking.wait_for_answers(1)
        desk.arm("swapping", "hold")
        command = publishing.begin_to_publish()
        desk.wait_until_reached("swapping")
        desk.arm("retrieving", "hold", times=len(PLACES))
        desk.wait_until_reached("retrieving", times=len(PLACES))
        desk.release("swapping")
        assert_done(command)
        desk.kill("replies")
        desk.disarm()
        desk.start("replies")
        asking.wait_for_answers(3)

    assert_editions(asking, old, publishing.edition)


def test_the_process_freezes_in_the_middle_of_the_swap(publishing: Publishing, desk: Desk) -> None:
    old = publishing.edition
    with publishing.being_asked() as asking:
        asking.wait_for_answers(1)
        desk.arm("swapping", "freeze")
        command = publishing.begin_to_publish()
        desk.wait_until_reached("swapping")
        asking.wait_for_answers(3)
        assert {
            edition for shown in asking.shown.values() for text in shown for edition in editions.editions_in(text)
        } == {old}
        desk.signal("knowledge", signal.SIGCONT)
        assert_done(command)
        asking.wait_for_answers(3)

    assert_editions(asking, old, publishing.edition)


def test_of_two_commands_at_once_one_generation_comes(publishing: Publishing, desk: Desk) -> None:
    before = generation(desk)
    desk.arm("embedding", "hold")
    first = publishing.begin_to_publish()
    desk.wait_until_reached("embedding")
    second = desk.begin("reindex")
    with publishing.being_asked() as asking:
        asking.wait_for_answers(1)
        desk.disarm()
        assert_done(first)
        assert_done(second)
        asking.wait_for_answers(2)

    assert generation(desk) == before + 1
    assert_editions(asking, publishing.edition - 1, publishing.edition)


def test_a_terminal_that_does_not_know_of_the_service_is_turned_away(publishing: Publishing, desk: Desk) -> None:
    before = generation(desk)
    desk.arm("embedding", "hold")
    command = publishing.begin_to_publish()
    desk.wait_until_reached("embedding")

    turned_away = desk.command("reindex", REDIS_URL="redis://127.0.0.1:9")

    assert turned_away.returncode == 1
    assert "another reindexing is under way" in turned_away.stderr
    desk.disarm()
    assert_done(command)
    assert generation(desk) == before + 1


def test_the_service_waits_for_a_terminal_that_is_at_it(publishing: Publishing, desk: Desk) -> None:
    before = generation(desk)
    publishing.write()
    desk.arm("embedding", "hold")
    terminal = desk.begin_with_checkpoints("reindex", REDIS_URL="redis://127.0.0.1:9")
    desk.wait_until_reached("embedding")
    through_the_service = desk.begin("reindex")
    with publishing.being_asked() as asking:
        asking.wait_for_answers(2)
        desk.disarm()
        assert_done(terminal)
        assert_done(through_the_service)
        asking.wait_for_answers(2)

    assert generation(desk) == before + 1
    assert_editions(asking, publishing.edition - 1, publishing.edition)


def newly_embedded(said: str) -> int:
    """How many chunks had to be embedded, as the command says."""
    before, _, _ = said.partition(" newly embedded")
    return int(before.split()[-1])


def generation(desk: Desk) -> int:
    """The number of the generation that answers."""
    return int((desk.folder / "data" / "index" / "CURRENT").read_text("utf-8").removeprefix("gen-"))

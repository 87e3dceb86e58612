"""What is deleted from the documents, or narrowed to others, goes from what a conversation remembers too."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from bot.line.phrases import phrases
from bot.line.sender import LineSender
from knowledge.documents import MEMBERS, PUBLIC
from knowledge.embedders import load_embedder
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.fakes.slack import FakeSlack
from tests.stored import everything_in
from tests.workers.desk import ANSWER, from_line, from_slack, line_sender, make_desk, saying, slack_sender, until
from tests.workers.making import accept
from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.following import Following
from workers.gaps.gaps import Gaps
from workers.provenance import Provenances
from workers.services import Desk, Retriever
from workers.serving import answer_next
from workers.votes.votes import Votes
from workers.withdrawing import Withdrawing

SECRET = "冬の賞与は12月10日に基本給の2か月分を支給します。"
EXPENSES = "経費の締め日はいつですか？"
BONUS = "冬の賞与はいつですか？"


class Library:
    """Documents for members beside one for a place of its own, their index, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder)  # type: ignore[call-arg]
        self.embedder = load_embedder(self.settings)
        for name, text in (("expenses", f"# 経費精算\n\n{ANSWER}\n"), ("bonus", f"# 賞与規程\n\n{SECRET}\n")):
            (folder / name).mkdir()
            (folder / name / f"{name}.md").write_text(text, encoding="utf-8")
        self.index(bonus=MEMBERS)
        self.retriever = open_retriever(self.settings, self.embedder)

    def index(self, **audiences: str) -> None:
        """Index the expenses for everybody, and the other folders for these audiences."""
        read_by = {"expenses": PUBLIC, **audiences}
        sources = [Folder(path=self._folder / name, audience=frozenset({label})) for name, label in read_by.items()]
        reindex(self.settings, sources=sources, embedder=self.embedder)

    def delete_the_bonus(self) -> None:
        shutil.rmtree(self._folder / "bonus")
        self.index()

    def narrow_the_bonus(self) -> None:
        self.index(bonus="slack:C9")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path)
    yield opened
    opened.retriever.close()


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    with saying(Script(SECRET, asks(BONUS)), Script(ANSWER)) as model:
        yield model


@pytest.fixture
def desk(store: redis.Redis, library: Library, generator: ScriptedGenerator, slack: FakeSlack) -> Desk:
    """A worker for Slack, which keeps what it has shown itself."""
    return make_desk(store, library.retriever, generator, senders={"slack": slack_sender(slack, store)})


def ask(store: redis.Redis, desk: Desk, slack: FakeSlack, text: str, thread_ts: str | None = None) -> str:
    """Ask in a thread, or open one; the thread."""
    said = from_slack(slack, text, thread_ts=thread_ts)
    accept(store, said)
    answer_next(said.conversation_id, desk)
    return str(said.reply_to["thread_ts"])


@pytest.mark.parametrize("change", [Library.delete_the_bonus, Library.narrow_the_bonus])
@pytest.mark.parametrize("next_question", [EXPENSES, "社長の好きな食べ物は何ですか？"])
def test_the_words_are_in_no_prompt_and_nowhere_in_the_store_after_the_next_answer(
    *,
    store: redis.Redis,
    desk: Desk,
    slack: FakeSlack,
    library: Library,
    generator: ScriptedGenerator,
    change: Callable[[Library], None],
    next_question: str,
) -> None:
    thread = ask(store, desk, slack, EXPENSES)
    ask(store, desk, slack, BONUS, thread)
    assert SECRET in everything_in(store)
    generator.prompts.clear()

    change(library)
    ask(store, desk, slack, next_question, thread)
    desk.provenances.refresh(library.retriever.known)  # as whoever follows the index does (workers/following.py)

    assert SECRET not in str(generator.prompts)
    assert "賞与" not in everything_in(store)
    assert next_question in everything_in(store)


def test_what_was_said_after_it_is_still_remembered(
    store: redis.Redis, desk: Desk, slack: FakeSlack, library: Library, generator: ScriptedGenerator
) -> None:
    thread = ask(store, desk, slack, BONUS)
    (conversation,) = (str(key).removeprefix("turns:") for key in store.scan_iter("turns:*"))
    library.delete_the_bonus()
    ask(store, desk, slack, EXPENSES, thread)
    ask(store, desk, slack, f"もう一度、{EXPENSES}", thread)

    assert Conversations(store).load(conversation).questions(9) == (EXPENSES, f"もう一度、{EXPENSES}")
    assert EXPENSES in generator.prompts[-1].messages[1].text


def test_a_thread_that_begins_with_turns_of_elsewhere_begins_without_them(
    store: redis.Redis, desk: Desk, slack: FakeSlack, library: Library, generator: ScriptedGenerator
) -> None:
    thread = ask(store, desk, slack, BONUS)
    (opened,) = (str(key).removeprefix("turns:") for key in store.scan_iter("turns:*"))
    store.rename(f"turns:{opened}", "turns:slack:T1:D1")
    store.set(f"about:{opened}", "slack:T1:D1")
    assert SECRET in str(Conversations(store).load(opened).turns)
    library.delete_the_bonus()

    ask(store, desk, slack, EXPENSES, thread)

    assert SECRET not in str(generator.prompts[1:])
    assert Conversations(store).load(opened).questions(9) == (EXPENSES,)


def test_an_idle_process_lets_go_of_the_old_generation(
    library: Library, store: redis.Redis, generator: ScriptedGenerator
) -> None:
    library.retriever.follow()
    (old,) = copies(library)
    library.delete_the_bonus()

    with following(library.retriever, store, generator):
        until(lambda: copies(library) and old not in copies(library))

    assert len(copies(library)) == 1


def test_an_index_that_cannot_be_followed_is_logged_once_and_followed_later(
    tmp_path: Path, library: Library, store: redis.Redis, generator: ScriptedGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    later = KnowledgeSettings(_env_file=None, data_path=tmp_path / "later")  # type: ignore[call-arg]
    with open_retriever(later, library.embedder) as retriever, following(retriever, store, generator):
        caplog.set_level(logging.INFO)
        until(lambda: caplog.records)
        reindex(later, sources=[Folder(path=tmp_path / "expenses")], embedder=library.embedder)
        until(lambda: "generation opened" in caplog.text)

    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == ["not followed"]


@pytest.fixture
def late(store: redis.Redis, library: Library, generator: ScriptedGenerator, line: FakeLine) -> LineSender:
    """LINE's way out, with an answer about the bonus that waits for the next reply token."""
    sender = line_sender(line, store)
    said = from_line(line, BONUS, age_s=3600)
    accept(store, said)
    answer_next(said.conversation_id, make_desk(store, library.retriever, generator, senders={"line": sender}))
    assert SECRET in everything_in(store)
    return sender


def withdrawing(library: Library, store: redis.Redis, sender: LineSender) -> Withdrawing:
    return Withdrawing([sender], Conversations(store), Gaps(store), library.retriever)


def followed(library: Library, store: redis.Redis, generator: ScriptedGenerator, sender: LineSender) -> None:
    """One look of a process that follows the index."""
    retriever = library.retriever
    parts = (retriever, Conversations(store), generator, Citing(store, retriever, {}), Votes(store))
    Following(
        *parts,
        answers=AnswerCache(store),
        provenances=Provenances(store),
        withdrawing=withdrawing(library, store, sender),
    ).follow()


def kept_parts(store: redis.Redis) -> str:
    return "".join(str(store.lrange(key, 0, -1)) for key in store.scan_iter("kept:*"))


@pytest.mark.parametrize("change", [Library.delete_the_bonus, Library.narrow_the_bonus])
def test_an_answer_that_waits_for_its_reader_is_withdrawn_with_its_document(
    library: Library,
    store: redis.Redis,
    generator: ScriptedGenerator,
    line: FakeLine,
    late: LineSender,
    change: Callable[[Library], None],
) -> None:
    change(library)

    for _ in range(2):
        followed(library, store, generator, late)

    assert SECRET not in kept_parts(store)
    assert list(late.kept()) == []
    again = from_line(line, EXPENSES)
    late.collect(again.reply_to, again.conversation_id, "ja", asked_for="shown")
    assert [phrases("ja").withdrawn in shown for shown in line.visible(USER)] == [True]


def test_an_answer_that_was_under_way_when_its_document_left_is_withdrawn_too(
    library: Library, store: redis.Redis, generator: ScriptedGenerator, line: FakeLine
) -> None:
    sender = line_sender(line, store)
    parts = (library.retriever, Conversations(store), generator, Citing(store, library.retriever, {}), Votes(store))
    process = Following(
        *parts,
        answers=AnswerCache(store),
        provenances=Provenances(store),
        withdrawing=withdrawing(library, store, sender),
    )
    said = from_line(line, BONUS, age_s=3600)
    accept(store, said)
    answer_next(said.conversation_id, make_desk(store, library.retriever, generator, senders={"line": sender}))
    kept = store.lrange(f"kept:{said.conversation_id}", 0, -1)
    store.delete(f"kept:{said.conversation_id}")
    library.delete_the_bonus()
    process.follow()

    store.rpush(f"kept:{said.conversation_id}", *kept)
    process.follow()

    assert SECRET not in kept_parts(store)


def test_an_answer_that_waits_stays_while_its_document_does(
    library: Library, store: redis.Redis, generator: ScriptedGenerator, late: LineSender, tmp_path: Path
) -> None:
    (tmp_path / "bonus" / "holidays.md").write_text("# 休日\n\n夏の休みは三日です。\n", encoding="utf-8")
    library.index(bonus=MEMBERS)

    followed(library, store, generator, late)

    assert SECRET in kept_parts(store)


def copies(library: Library) -> set[Path]:
    return {path for path in (library.settings.index_path / "readers").iterdir() if path.is_dir()}


@contextmanager
def following(retriever: Retriever, store: redis.Redis, generator: ScriptedGenerator) -> Iterator[None]:
    """A process that follows the index in a thread; the block's end waits for its end."""
    done = threading.Event()
    following = Following(
        retriever,
        Conversations(store),
        generator,
        Citing(store, retriever, {}),
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    )
    thread = threading.Thread(target=following.run, args=(done, 0.01))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=20)
    assert not thread.is_alive()

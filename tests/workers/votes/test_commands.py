"""`madoguchi votes`: what was lent, and only that, becomes an example; what was liked a golden question, once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.messages import Message
from bot.votes import Reason
from knowledge.documents import MEMBERS, PUBLIC
from knowledge.golden import GoldenQuestion, load_questions
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.fakes.model import Script, asks
from tests.workers.conftest import MEMBERS_DOCUMENTS, PUBLIC_DOCUMENTS
from tests.workers.desk import ANSWER, make_clerk, make_desk, order, saying
from tests.workers.making import accept, message
from tests.workers.votes.voters import press
from workers.acting import act
from workers.cli import main
from workers.prompt import SYSTEM
from workers.services import Clerk, Desk
from workers.serving import answer_next
from workers.votes.votes import Votes

QUESTION = "経費の締め日はいつですか？"
BONUS_QUESTION, BONUS = "冬の賞与はいつ支給されますか？", "冬の賞与は12月10日に基本給の2か月分を支給します。"
E517_QUESTION, E517 = "What does the error E-517 mean?", "The error E-517 means that 40 people are connected."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents for everybody and for members, indexed by the default embedder."""
    folder = tmp_path_factory.mktemp("votes")
    index(folder)
    return folder


def index(folder: Path, documents: dict[str, str] = PUBLIC_DOCUMENTS) -> None:
    sources = []
    for audience, texts in ((PUBLIC, documents), (MEMBERS, MEMBERS_DOCUMENTS)):
        (folder / audience).mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / audience / name).write_text(text, encoding="utf-8")
        sources.append(Folder(path=folder / audience, audience=frozenset({audience})))
    golden = KnowledgeSettings.model_fields["golden_path"].default
    settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", golden_path=golden)  # type: ignore[call-arg]
    reindex(settings, sources=sources)


@pytest.fixture(autouse=True)
def elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str, store: redis.Redis, folder: Path
) -> Iterator[None]:
    """A folder without settings, the store and the index of the test."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "REDIS_URL": store_url,
        "DATA_PATH": str(folder / "data"),
        "GOLDEN_PATH": "golden.yaml",
    }.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o022)
    yield
    os.umask(umask)


@pytest.fixture
def lending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOTES_MAY_TRAIN", "true")


@pytest.fixture(scope="module")
def own_retriever(folder: Path) -> Iterator[Retriever]:
    with open_retriever(KnowledgeSettings(_env_file=None, data_path=folder / "data")) as opened:  # type: ignore[call-arg]
        yield opened


@pytest.fixture
def own_desk(store: redis.Redis, own_retriever: Retriever) -> Iterator[Desk]:
    with saying(Script(BONUS, asks(BONUS_QUESTION)), Script(E517, asks(E517_QUESTION)), Script(ANSWER)) as generator:
        yield make_desk(store, own_retriever, generator)


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


def ask(store: redis.Redis, desk: Desk, text: str = QUESTION, conversation: str = "console:c1") -> Message:
    asked = message(text, conversation=conversation)
    accept(store, asked)
    answer_next(conversation, desk)
    return asked


def ran(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["votes", *arguments]) == status
    said = capsys.readouterr()
    return said.out if status == 0 else said.err


def exported(capsys: pytest.CaptureFixture[str], audience: str = "members") -> list[list[dict[str, str]]]:
    path = Path("pairs.jsonl")
    path.unlink(missing_ok=True)
    ran(capsys, "export", str(path), "--audience", audience)
    return [json.loads(line)["messages"] for line in path.read_text("utf-8").splitlines()]


def test_it_counts(store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ask(store, own_desk), ask(store, own_desk, BONUS_QUESTION)
    press(clerk, first, "up", may_train=True)
    press(clerk, first, "up", user="console:u2")
    press(clerk, second, "down")

    assert ran(capsys).splitlines() == [
        "votes: 2 helpful, 1 not helpful, on 2 answers",
        "pairs: 1 that nobody found unhelpful, 1 of them lent for training",
    ]


def test_it_tells_the_reasons_of_bad_votes_on_lines_of_their_own(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask(store, own_desk)
    press(clerk, asked, "down")
    Votes(store).explain(Reason(asked.id, "支払日を\n\x1b[2J聞きました"), "console:u1")

    assert ran(capsys).splitlines()[2:] == [f"not helpful: {QUESTION}", "  reason: 支払日を [2J聞きました"]


def test_a_lent_pair_is_what_the_model_read_and_what_it_said(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, lending: None, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "up", may_train=True)

    ((system, user, assistant),) = exported(capsys)

    assert system == {"role": "system", "content": SYSTEM}
    assert user["role"] == "user"
    assert ANSWER in user["content"]  # the passage
    assert QUESTION in user["content"]
    assert assistant == {"role": "assistant", "content": ANSWER}
    written = Path("pairs.jsonl").read_text("utf-8")
    assert "console:" not in written  # nobody's name, no id
    assert Path("pairs.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_was_not_lent_is_not_exported(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, lending: None, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "up")
    theirs = ask(store, own_desk, conversation="console:c2")
    press(clerk, theirs, "up", user="console:u2", conversation="console:c2", may_train=True)  # who asked was not asked
    disputed = ask(store, own_desk, conversation="console:c3")
    press(clerk, disputed, "up", conversation="console:c3", may_train=True)
    press(clerk, disputed, "down", user="console:u2", conversation="console:c3")

    assert exported(capsys) == []


def test_what_was_lent_and_taken_back_is_not_exported(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, lending: None, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask(store, own_desk)
    press(clerk, asked, "up", may_train=True)
    press(clerk, asked, "up")  # on a button that does not ask for it
    assert exported(capsys) == []

    press(clerk, asked, "up", may_train=True)
    assert len(exported(capsys)) == 1
    act("order 1", order("forget"), clerk)
    assert exported(capsys) == []


def test_a_model_for_everybody_learns_nothing_that_is_for_members(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, lending: None, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk, E517_QUESTION), "up", may_train=True)
    press(clerk, ask(store, own_desk, BONUS_QUESTION), "up", may_train=True)
    press(clerk, ask(store, own_desk, E517_QUESTION), "up", may_train=True)  # the model had read of the bonus

    assert [pair[2]["content"] for pair in exported(capsys, "public")] == [E517]
    assert [pair[2]["content"] for pair in exported(capsys, "members")] == [E517, BONUS, E517]


def test_without_the_setting_nothing_is_written(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "up", may_train=True)

    assert "VOTES_MAY_TRAIN" in ran(capsys, "export", "pairs.jsonl", status=2)
    assert not Path("pairs.jsonl").exists()


def test_no_file_is_written_over(lending: None, capsys: pytest.CaptureFixture[str]) -> None:
    Path("golden.yaml").write_text("# mine\n", "utf-8")

    assert "is there already" in ran(capsys, "export", "golden.yaml", status=2)
    assert "cannot be written" in ran(capsys, "export", "no/such/folder/pairs.jsonl", status=2)
    assert Path("golden.yaml").read_text("utf-8") == "# mine\n"


def test_without_an_index_nothing_is_written(
    lending: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "nothing"))

    assert "no index" in ran(capsys, "export", "pairs.jsonl", status=2)
    assert "no index" in ran(capsys, "golden", status=2)
    assert not Path("pairs.jsonl").exists()


def test_a_liked_question_becomes_a_golden_one_once(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "up")
    press(clerk, ask(store, own_desk, BONUS_QUESTION, conversation="console:c2"), "up", conversation="console:c2")
    expected = (
        GoldenQuestion(question=QUESTION, document="expenses.md"),
        GoldenQuestion(question=BONUS_QUESTION, document="bonus.md"),
    )

    printed = ran(capsys, "golden")
    ran(capsys, "golden", "--write")
    assert "0 questions added" in ran(capsys, "golden", "--write")

    assert load_questions(Path("golden.yaml")) == expected
    assert printed in Path("golden.yaml").read_text("utf-8")
    assert ran(capsys, "golden") == ""


def test_a_question_that_leans_on_its_conversation_is_no_golden_one(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(store, own_desk)
    press(clerk, ask(store, own_desk, "それはどこに出しますか？"), "up")

    printed = ran(capsys, "golden")

    assert "それは" not in printed


def test_an_unhelpful_answer_is_no_golden_one(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "down")

    assert ran(capsys, "golden") == ""


def test_a_broken_golden_file_is_named_and_left_alone(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    press(clerk, ask(store, own_desk), "up")
    Path("golden.yaml").write_text("- question: [", "utf-8")

    assert "golden.yaml" in ran(capsys, "golden", "--write", status=2)
    assert Path("golden.yaml").read_text("utf-8") == "- question: ["


def test_pairs_whose_document_has_changed_are_neither(
    store: redis.Redis, own_desk: Desk, clerk: Clerk, lending: None, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    press(clerk, ask(store, own_desk), "up", may_train=True)
    try:
        assert len(exported(capsys)) == 1
        index(folder, {"expenses.md": "# 経費精算\n\n締め日はなくなりました。\n"})

        assert exported(capsys) == []
        assert ran(capsys, "golden") == ""
    finally:
        index(folder)

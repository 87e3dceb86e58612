"""`madoguchi gaps` lists what was asked in vain, never by whom, and takes an answer or says why it does not."""

from __future__ import annotations

import io
import sys

import pytest
import redis

from tests.knowledge.conftest import HashedEmbedder
from tests.workers.gaps.asking_in_vain import VAIN
from tests.workers.gaps.test_gaps import note
from tests.workers.gaps.test_topics import asking
from workers.cli import main
from workers.gaps.commands import MAX_ANSWER_CHARS
from workers.gaps.gaps import Gaps
from workers.gaps.topics import Sorting

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def number(store: redis.Redis) -> str:
    """The number of a topic that two people asked about, one of them twice."""
    note(store, asking(1, VAIN), asking(2, VAIN, "console:u2"), asking(3, VAIN + "\x1b[2J", "console:u2"))
    Sorting(Gaps(store), HashedEmbedder).sort()
    return str(Gaps(store).topics()[0].number)


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    """What the command prints, and what it complains about."""
    assert main(["gaps", *arguments]) == status
    out, err = capsys.readouterr()
    return out, err


def test_without_gaps_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(capsys)[0] == "There is no question without an answer.\n"


def test_it_lists_questions_and_counts_and_nobody(capsys: pytest.CaptureFixture[str], number: str) -> None:
    out, _ = said_by(capsys)

    head, *wordings = out.splitlines()
    assert head.startswith(f"{number}: asked 3 times by 2 people, last ")
    assert wordings[1] == f"    {VAIN}"
    assert "\x1b" not in out
    assert "console" not in out


def test_what_is_not_sorted_yet_is_counted(capsys: pytest.CaptureFixture[str], store: redis.Redis) -> None:
    note(store, asking(1, VAIN))

    assert said_by(capsys)[0] == "1 questions not sorted yet\n"


def test_an_answer_is_taken_once(capsys: pytest.CaptureFixture[str], store: redis.Redis, number: str) -> None:
    out, _ = said_by(capsys, "answer", number, "--question", "# 値段\nは？", "--answer", "六百五十円です。")

    assert out == "answered for public; 2 people are told when the index has it\n"
    (entry,) = Gaps(store).answers().values()
    assert (entry.question, entry.answer, entry.audience) == ("値段 は？", "六百五十円です。", frozenset({"public"}))
    assert "answered" in said_by(capsys)[0]
    assert (
        "has an answer already"
        in said_by(capsys, "answer", number, "--question", "値段は？", "--answer", "別", status=2)[1]
    )
    assert list(Gaps(store).answers().values()) == [entry]


def test_an_answer_comes_from_standard_input(
    capsys: pytest.CaptureFixture[str], store: redis.Redis, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("一行目。\r\n二行目。\f\n"))

    said_by(capsys, "answer", number, "--question", "値段は？", "--audience", "slack:C1", "--audience", "members")

    (entry,) = Gaps(store).answers().values()
    assert (entry.answer, entry.audience) == ("一行目。\n二行目。", frozenset({"slack:C1", "members"}))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--question", " # ", "--answer", "答え"), "the question is empty"),
        (("--question", "長" * 201, "--answer", "答え"), "longer than 200"),
        (("--question", "値段は？", "--answer", " \u200b\n"), "the answer is empty"),
        (("--question", "値段は？", "--answer", "長" * (MAX_ANSWER_CHARS + 1)), "put a document into the sources"),
        (("--question", "値段は？", "--answer", "\udcff"), "no text"),
        (("--question", "\udcff", "--answer", "答え"), "no text"),
        (("--question", "値段は？", "--answer", "答え", "--audience", "../../etc"), "an audience is"),
        (("--question", "値段は？", "--answer", "答え", "--audience", "slack:C1+x"), "an audience is"),
        (("--question", "値段は？", "--answer", "答え", "--audience", "public", "--audience", ""), "an audience is"),
    ],
)
def test_what_is_no_answer_changes_nothing(
    capsys: pytest.CaptureFixture[str], store: redis.Redis, number: str, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in said_by(capsys, "answer", number, *arguments, status=2)[1]

    assert Gaps(store).answers() == {}
    assert len(Gaps(store).all()) == 3


@pytest.mark.parametrize(
    "what", [("answer", "99", "--question", "値段は？", "--answer", "答え"), ("drop", "99"), ("drop", "-1")]
)
def test_a_number_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], number: str, what: tuple[str, ...]
) -> None:
    if what[1] == "-1":
        what = (what[0], "--", what[1])
    assert "there is no gap" in said_by(capsys, *what, status=2)[1]


def test_a_dropped_topic_is_gone(capsys: pytest.CaptureFixture[str], store: redis.Redis, number: str) -> None:
    assert said_by(capsys, "drop", number)[0] == "3 questions dropped\n"

    assert Gaps(store).all() == []
    assert said_by(capsys)[0] == "There is no question without an answer.\n"


def test_a_standard_input_that_is_no_text_is_refused(
    capsys: pytest.CaptureFixture[str], store: redis.Redis, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8"))

    assert "no text" in said_by(capsys, "answer", number, "--question", "値段は？", status=2)[1]
    assert Gaps(store).answers() == {}

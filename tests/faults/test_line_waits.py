"""What somebody on LINE sees for models of every speed behind queues of every length, and that it costs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis

from bot.line.phrases import phrases
from bot.store import connect
from knowledge.documents import PUBLIC
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.workers.line_waits import (
    AHEAD,
    DOCUMENT,
    EXTRACT,
    SENTENCES,
    SPEEDS,
    WITHOUT_MODEL,
    Cell,
    Seen,
    run_all,
)

LIFE_S = 16.0
"""Of a token, in the place of 55: a quarter of a minute is a minute here."""
CELLS = [Cell(speed, ahead) for speed in SPEEDS for ahead in AHEAD]
JA = phrases("ja")
pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

SAID_BY_THE_DESK = re.compile(rf"{JA.introductions['rest']}|{JA.introductions['late']}|\n+出典(?s:.)*|\s")


@pytest.fixture(scope="module")
def seen(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Cell, Seen]]:
    """What was seen in every cell; all of them run at the same time."""
    folder = tmp_path_factory.mktemp("waits")
    (folder / "documents").mkdir()
    (folder / "documents" / "expenses.md").write_text(DOCUMENT, encoding="utf-8")
    settings = KnowledgeSettings(_env_file=None, data_path=folder / "data", knowledge_path=folder)  # type: ignore[call-arg]
    reindex(settings, sources=[Folder(path=folder / "documents", audience=frozenset({PUBLIC}))])
    with open_retriever(settings) as retriever:
        yield run_all(CELLS, stores_of(store_url), retriever, life_s=LIFE_S, within_s=7 * LIFE_S)


def stores_of(store_url: str) -> list[redis.Redis]:
    """An empty store for each cell."""
    connect(store_url).flushall()
    return [connect(f"{store_url}?db={number}", timeout_s=4.0) for number in range(len(CELLS))]


def the_answer(seen: Seen) -> str:
    """The model's words as they were shown, put together."""
    words = (what for _, what in seen.messages if EXTRACT not in what and not is_a_notice(what))
    return "".join(SAID_BY_THE_DESK.sub("", what) for what in words)


def is_a_notice(what: str) -> bool:
    return any(what.endswith(said) for said in (JA.wait_for_button, JA.more_by_button))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nobody_sits_in_silence_while_a_token_lives(seen: dict[Cell, Seen], cell: Cell) -> None:
    assert seen[cell].messages[0][0] < LIFE_S - 5


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nothing_is_pushed(seen: dict[Cell, Seen], cell: Cell) -> None:
    assert seen[cell].pushes == 0


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.speed in {"fast", "slow"}], ids=str)
def test_all_of_the_answer_is_seen_once_and_in_order(seen: dict[Cell, Seen], cell: Cell) -> None:
    assert the_answer(seen[cell]) == "".join(SENTENCES)


def test_what_is_finished_in_time_is_one_reply(seen: dict[Cell, Seen]) -> None:
    answer, *_ = seen[Cell("fast", 0)].messages
    assert SENTENCES[0] in answer[1]
    assert SENTENCES[-1] in answer[1]


@pytest.mark.parametrize("ahead", AHEAD)
def test_of_a_slow_answer_the_beginning_comes_with_a_button_for_the_rest(seen: dict[Cell, Seen], ahead: int) -> None:
    shown = [what for _, what in seen[Cell("slow", ahead)].messages]
    beginning = shown[shown.index(JA.more_by_button) - 1]
    assert "".join(SENTENCES).startswith(beginning)
    assert shown[-1].startswith(JA.introductions["rest"])


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_stalled_model_has_said_what_it_has_said(seen: dict[Cell, Seen], ahead: int) -> None:
    assert the_answer(seen[Cell("stalled", ahead)]) == f"{SENTENCES[0]}（途中までの答えです）"


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.speed in {"crashed", "not loaded"}], ids=str)
def test_without_a_model_the_document_answers(seen: dict[Cell, Seen], cell: Cell) -> None:
    (*_, (_, last)) = seen[cell].messages
    assert WITHOUT_MODEL in seen[cell].text
    assert SENTENCES[0] in seen[cell].text
    assert last


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.ahead == AHEAD[-1]], ids=str)
def test_who_has_no_worker_is_told_how_many_are_before(seen: dict[Cell, Seen], cell: Cell) -> None:
    first = seen[cell].messages[0][1]
    assert first.endswith(JA.wait_for_button)
    assert "読み込んでいます" in first if cell.speed == "not loaded" else re.search(r"\d+件", first)

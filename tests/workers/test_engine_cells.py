"""llama.cpp's memory with a real small model: rows of several sequences, shared beginnings, saved states."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workers.engine.binding import llama_cpp
from workers.engine.cells import Cells, Row
from workers.engine.flag import IS_RAISED
from workers.engine.model import Model
from workers.generation import GenerationFailed

pytestmark = pytest.mark.model

SIZE_TOKENS = 512
BATCH_TOKENS = 128
BEGIN, REST = list(range(100, 150)), list(range(200, 300))
EPSILON = 1.0
"""Sums change with the shape of a batch: up to 0.53 was seen here, of logits up to 24."""


@pytest.fixture(scope="module")
def model(small_model: Path) -> Iterator[Model]:
    loaded = Model(small_model)
    yield loaded
    loaded.close()


@pytest.fixture
def cells(model: Model) -> Iterator[Cells]:
    made = Cells(model, size_tokens=SIZE_TOKENS, sequences=3, batch_tokens=BATCH_TOKENS, threads=2)
    yield made
    made.close()


def rows(sequence: int, tokens: list[int]) -> list[Row]:
    return [Row(sequence, token, wants_logits=at == len(tokens) - 1) for at, token in enumerate(tokens)]


def test_what_would_end_the_process_is_refused(model: Model, cells: Cells) -> None:
    wrong = ([], rows(0, [1] * (BATCH_TOKENS + 1)), rows(0, [model.vocabulary_size]), rows(0, [-1]), rows(3, [1]))
    for batch in wrong:
        with pytest.raises(ValueError, match=r"rows?|token"):
            cells.evaluate(batch)
    with pytest.raises(ValueError, match="empty"):
        cells.share(0, 1, 1)


def test_what_does_not_fit_changes_nothing(cells: Cells) -> None:
    for _ in range(SIZE_TOKENS // BATCH_TOKENS):
        assert cells.evaluate(rows(0, [1] * BATCH_TOKENS))

    with pytest.raises(GenerationFailed, match="no room"):
        cells.evaluate(rows(1, [1]))

    assert [len(tokens) for tokens in cells.tokens] == [SIZE_TOKENS, 0, 0]


def test_flag_that_is_up_ends_every_step_until_it_is_down(cells: Cells) -> None:
    cells.give_up.up()
    assert not cells.evaluate(rows(0, BEGIN))
    assert not cells.evaluate(rows(0, BEGIN))

    cells.give_up.down()
    assert cells.evaluate(rows(0, BEGIN))
    assert cells.tokens[0] == BEGIN


@pytest.mark.parametrize("nodes", [1, 150])
def test_step_that_was_given_up_has_read_nothing(cells: Cells, nodes: int) -> None:
    """Given up at a node of the graph in the middle, as llama.cpp does when it sees the flag there."""
    seen = itertools.count(1)
    at_the_node = llama_cpp.ggml_abort_callback(lambda _: next(seen) == nodes)
    cells.evaluate(rows(0, BEGIN))

    llama_cpp.llama_set_abort_callback(cells._context, at_the_node, None)
    assert not cells.evaluate(rows(0, REST))
    assert (cells.tokens[0], cells.step) == (BEGIN, None)
    llama_cpp.llama_set_abort_callback(cells._context, IS_RAISED, cells.give_up.address)
    assert cells.evaluate(rows(0, REST))
    again = cells.logits(len(REST) - 1).copy()

    cells.cut(0, 0)
    cells.evaluate(rows(0, BEGIN))
    cells.evaluate(rows(0, REST))
    assert np.array_equal(again, cells.logits(len(REST) - 1))
    assert next(seen) > nodes


def test_sequences_of_one_batch_do_not_see_each_other(cells: Cells) -> None:
    cells.evaluate(rows(0, BEGIN))
    alone = cells.logits(len(BEGIN) - 1).copy()

    cells.evaluate([*rows(1, REST[:50]), *rows(2, BEGIN)])

    assert np.abs(cells.logits(50 + len(BEGIN) - 1) - alone).max() < EPSILON


def test_shared_beginning_is_the_same_as_one_that_was_read(cells: Cells) -> None:
    cells.evaluate(rows(0, BEGIN))
    cells.evaluate(rows(0, REST))
    read = cells.logits(len(REST) - 1).copy()

    cells.share(0, 1, len(BEGIN))
    cells.evaluate(rows(1, REST))

    assert cells.tokens[1] == BEGIN + REST
    assert np.abs(cells.logits(len(REST) - 1) - read).max() < EPSILON


def test_saved_state_is_the_same_after_its_sequence_is_gone(cells: Cells) -> None:
    cells.evaluate(rows(0, BEGIN))
    state = cells.save(0)
    cells.evaluate(rows(0, REST))
    read = cells.logits(len(REST) - 1).copy()
    cells.cut(0, 0)
    cells.evaluate(rows(1, REST))

    assert cells.restore(2, state, BEGIN)
    cells.evaluate(rows(2, REST))

    assert np.abs(cells.logits(len(REST) - 1) - read).max() < EPSILON


def test_state_that_does_not_fit_is_not_restored(cells: Cells) -> None:
    cells.evaluate(rows(0, BEGIN))
    state = cells.save(0)
    cells.cut(0, 0)
    for _ in range(SIZE_TOKENS // BATCH_TOKENS):
        cells.evaluate(rows(0, [1] * BATCH_TOKENS))

    assert not cells.restore(1, state, BEGIN)

    assert cells.tokens[1] == []


def test_logits_that_were_not_asked_for_are_an_error(cells: Cells) -> None:
    cells.evaluate([Row(0, 1), Row(0, 2), Row(0, 3)])

    with pytest.raises(GenerationFailed, match="without logits"):
        cells.logits(2)

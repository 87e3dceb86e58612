"""Passages evaluated once, with a real small model: what is placed, what is exact about it, and what it never costs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from workers.engine import LlamaEngine
from workers.engine.cells import Cells, Row
from workers.engine.layers import Layers, LayoutUnknown
from workers.engine.model import Model
from workers.engine.rotation import rotation_of
from workers.generation import ChatMessage, Counts, Generation, Prompt, Sampling

pytestmark = pytest.mark.model

SYSTEM = "You answer from the material in one sentence."
LEAD = "Material:\n[1]"
POOL = (
    "The pool opens at eight and closes at six. On Sundays it is closed all day. Bring a towel; lockers take one coin, "
    "and children under the age of six swim free of charge with one of their parents."
)
BOOKS = (
    "The library lends books for four weeks and films for one. A card costs twelve euros a year, and late books ten "
    "cents a day. Pupils pay nothing for the card, but as much as all others for what is late."
)
BREAD = (
    "The bakery on Mill Street sells rye bread on Tuesdays, walnut bread on Fridays, and cakes every day from noon on. "
    "It was opened in 1952 by Anna Weiss, whose grandson runs it today with two apprentices."
)
BEGIN, TOKENS = list(range(300, 340)), list(range(1000, 1060))


@pytest.fixture(scope="module")
def model(small_model: Path) -> Iterator[Model]:
    loaded = Model(small_model)
    yield loaded
    loaded.close()


@pytest.fixture
def cells(model: Model) -> Iterator[Cells]:
    made = Cells(model, size_tokens=512, sequences=2, batch_tokens=256, threads=2)
    yield made
    made.close()


@pytest.fixture
def engine(small_model: Path) -> Iterator[LlamaEngine]:
    made = LlamaEngine(small_model, context_tokens=512, passage_bytes=50_000_000, system=SYSTEM, lead=LEAD)
    yield made
    made.close()


def until(is_so: Callable[[], bool], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def chat(*passages: str, question: str = "When does the pool close?") -> tuple[ChatMessage, ...]:
    quoted = tuple(f" {passage}\n\n" for passage in passages)
    listed = "".join(f"[{n}]{passage}" for n, passage in enumerate(quoted, 1))
    return ChatMessage("system", SYSTEM), ChatMessage("user", f"Material:\n{listed}{question}", quoted)


def submit(engine: LlamaEngine, messages: tuple[ChatMessage, ...], conversation: str = "a") -> Generation:
    prompt = Prompt(messages, (), engine.tokenize(messages))
    return engine.submit(prompt, max_tokens=12, deadline_s=60, sampling=Sampling(), conversation=conversation)


def ask(engine: LlamaEngine, *passages: str, conversation: str = "a") -> str:
    return "".join(submit(engine, chat(*passages), conversation))


def counted(engine: LlamaEngine, *passages: str, conversation: str = "b") -> Counts:
    """What one question adds to the counts."""
    before = engine.load.counts
    ask(engine, *passages, conversation=conversation)
    after = dataclasses.asdict(engine.load.counts)
    return Counts(**{name: number - getattr(before, name) for name, number in after.items()})


def logits_after(cells: Cells, sequence: int, tokens: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    cells.evaluate([Row(sequence, token, wants_logits=at == len(tokens) - 1) for at, token in enumerate(tokens)])
    return cells.logits(len(tokens) - 1).copy()


def test_state_is_what_its_layers_make_again(cells: Cells) -> None:
    cells.read(0, TOKENS)
    state = cells.save(0)

    assert (Layers.of(state).state(0) == state).all()


@pytest.mark.parametrize("cut", [0, 8, 40, 1000, -1])
def test_state_that_is_cut_or_longer_is_refused(cells: Cells, cut: int) -> None:
    cells.read(0, TOKENS)
    state = cells.save(0)
    wrong = np.append(state, np.zeros(8, np.uint8)) if cut < 0 else state[:cut]

    with pytest.raises(LayoutUnknown):
        Layers.of(wrong)


def test_quantized_keys_are_refused_and_so_is_the_rotation(model: Model) -> None:
    quantized = Cells(model, size_tokens=512, sequences=2, batch_tokens=256, threads=2, kv_type="q8_0")
    quantized.read(0, TOKENS)

    with pytest.raises(LayoutUnknown):
        Layers.of(quantized.save(0))
    quantized.cut(0, 0)
    assert rotation_of(model.metadata, quantized) is None
    quantized.close()


def test_rotation_is_the_one_that_the_model_turns_its_keys_with(model: Model, cells: Cells) -> None:
    rotation = rotation_of(model.metadata, cells)

    assert rotation is not None
    assert (rotation.head, rotation.base, rotation.adjacent) == (64, 100_000.0, True)
    assert cells.tokens == [[], []]
    wrong = {**model.metadata, "llama.rope.freq_base": 10_000.0}
    assert rotation_of(wrong, cells) is None


def test_part_that_is_put_where_it_was_gives_what_reading_it_gave(model: Model, cells: Cells) -> None:
    rest = [7, 8, 9]
    cells.read(0, BEGIN + TOKENS)
    part = Layers.of(cells.save_part(0, len(BEGIN), len(BEGIN + TOKENS)))
    expected = logits_after(cells, 0, rest)

    cells.read(1, BEGIN)
    assert cells.append(1, part.state(len(BEGIN)), TOKENS)

    assert np.abs(logits_after(cells, 1, rest) - expected).max() < 1.0
    assert cells.tokens[1] == BEGIN + TOKENS + rest


def test_keys_that_are_moved_are_those_of_the_new_place(model: Model, cells: Cells) -> None:
    """In the first layer keys depend on the token and its place alone, so there moving is exact but for rounding."""
    rotation = rotation_of(model.metadata, cells)
    assert rotation is not None
    cells.read(0, TOKENS)
    cells.read(1, BEGIN + TOKENS)
    here = Layers.of(cells.save(0)).keys[0]
    there = Layers.of(cells.save_part(1, len(BEGIN), len(BEGIN + TOKENS))).keys[0].astype(np.float32)

    moved = rotation.moved(here, len(BEGIN)).astype(np.float32)

    assert np.linalg.norm(moved - there) < 0.02 * np.linalg.norm(there)
    assert np.linalg.norm(here.astype(np.float32) - there) > 0.2 * np.linalg.norm(there)


def test_state_of_other_places_is_not_appended(cells: Cells) -> None:
    cells.read(0, BEGIN + TOKENS)
    part = Layers.of(cells.save_part(0, len(BEGIN), len(BEGIN + TOKENS)))
    cells.read(1, BEGIN)

    assert not cells.append(1, part.state(len(BEGIN) + 1), TOKENS)
    assert not cells.append(1, part.state(len(BEGIN)), TOKENS[:-1])
    assert cells.tokens[1] == BEGIN
    assert cells.append(1, part.state(len(BEGIN)), TOKENS)


def test_passage_that_was_read_elsewhere_is_placed(engine: LlamaEngine) -> None:
    ask(engine, POOL)
    engine.forget("a")
    alone = counted(engine, BOOKS, POOL)

    assert alone.placed_tokens > 25
    assert alone.prompt_tokens == alone.reused_tokens + alone.evaluated_tokens


def test_all_passages_that_were_asked_for_are_read_while_nobody_waits(engine: LlamaEngine) -> None:
    ask(engine, POOL, BOOKS, BREAD)
    until(lambda: engine.load.counts.ahead_tokens > 70)
    engine.forget("a")

    counts = counted(engine, BREAD, POOL, BOOKS)

    assert counts.placed_tokens > 70
    assert counts.evaluated_tokens < counts.prompt_tokens / 2


def test_what_is_said_after_placed_passages_is_what_the_material_says(engine: LlamaEngine) -> None:
    ask(engine, POOL, BOOKS)
    until(lambda: engine.load.counts.ahead_tokens > 30)

    assert "closes at" in ask(engine, BOOKS, POOL, conversation="b")


def test_without_room_for_passages_nothing_is_placed(small_model: Path) -> None:
    off = LlamaEngine(small_model, context_tokens=512, system=SYSTEM, lead=LEAD)
    ask(off, POOL, BOOKS)
    off.forget("a")

    counts = counted(off, BOOKS, POOL)

    assert (counts.placed_tokens, off.load.counts.ahead_tokens) == (0, 0)
    off.close()


def test_when_documents_may_have_left_no_passage_is_known(engine: LlamaEngine) -> None:
    ask(engine, POOL)
    engine.forget_all()

    assert counted(engine, BOOKS, POOL).placed_tokens == 0


def test_words_before_a_passage_are_never_in_what_is_kept_of_it(engine: LlamaEngine) -> None:
    """A message that begins with a person's words: its first passage was computed after them."""
    quoted = (f" {POOL}\n\n",)
    private = ChatMessage("user", f"I am Ann, my PIN is 4711.\n[1]{quoted[0]}When?", quoted)
    generation = submit(engine, (ChatMessage("system", SYSTEM), private))
    list(generation)

    until(lambda: engine.load.counts.ahead_tokens > 0)
    engine.forget("a")

    assert counted(engine, BOOKS, POOL).placed_tokens > 25


def test_prompt_whose_tokens_are_not_those_of_its_messages_is_read_as_it_is(engine: LlamaEngine) -> None:
    messages = chat(POOL)
    ask(engine, POOL)
    other = engine.tokenize(chat(BOOKS, POOL))

    generation = engine.submit(Prompt(messages, (), other), max_tokens=4, deadline_s=60, sampling=Sampling())
    list(generation)

    assert engine.load.counts.placed_tokens == 0


def test_question_that_comes_while_a_passage_is_read_ahead_is_answered_at_once(engine: LlamaEngine) -> None:
    for n in range(4):
        ask(engine, POOL, f"{BOOKS} {n}", f"{BREAD} {n}")
        assert "closes at" in ask(engine, POOL)


def test_quotation_that_is_not_in_the_message_is_refused(engine: LlamaEngine) -> None:
    with pytest.raises(ValueError, match="not in the message"):
        engine.tokenize((ChatMessage("user", "Hello", quoted=("Bye",)),))


def test_reading_ahead_that_is_given_up_is_no_error_in_the_log(
    engine: LlamaEngine, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(4):
        ask(engine, f"{POOL} {n}", f"{BOOKS} {n}", f"{BREAD} {n}")

    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []

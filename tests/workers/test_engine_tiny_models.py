"""The engine with models that do not keep every token: tiny ones with random weights, in the real llama.cpp."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.fakes.templates import QWEN_3
from tests.fakes.tiny_models import WINDOW_TOKENS, WRITERS, write_llama
from tests.workers.desk import until
from workers.engine import LlamaEngine
from workers.engine.generation import LlamaGeneration
from workers.generation import ChatMessage, Prompt, Sampling

Chat = tuple[ChatMessage, ...]

GREEDY = Sampling(temperature=0.0)
FORGETFUL = tuple(kind for kind in WRITERS if kind != "llama")
SYSTEM = ChatMessage("system", "You answer in one sentence.")
QUESTIONS = tuple((SYSTEM, ChatMessage("user", f"{word} is the capital of France")) for word in ("What", "Who", "How"))
LONG = (SYSTEM, ChatMessage("user", "abcdefg " * 40))
AT_ONCE = 3
FEW, MANY = 20, 150


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {kind: folder / f"{kind}.gguf" for kind in WRITERS}
    for kind, path in paths.items():
        WRITERS[kind](path)
    return paths


@pytest.fixture(params=WRITERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fresh(files: Mapping[str, Path], kind: str) -> Iterator[Callable[[], LlamaEngine]]:
    """Makes engines that have read nothing yet."""
    made: list[LlamaEngine] = []

    def make() -> LlamaEngine:
        made.append(LlamaEngine(files[kind], context_tokens=512, threads=1, at_once=AT_ONCE, system=SYSTEM.text))
        return made[-1]

    yield make
    for engine in made:
        assert engine.close()


def submit(engine: LlamaEngine, chat: Chat, max_tokens: int = FEW) -> LlamaGeneration:
    prompt = Prompt(chat, (), engine.tokenize(chat))
    return engine.submit(prompt, max_tokens=max_tokens, deadline_s=60, sampling=GREEDY)


def answer(engine: LlamaEngine, chat: Chat, max_tokens: int = FEW) -> str:
    return "".join(submit(engine, chat, max_tokens))


def further(chat: Chat, said: str) -> Chat:
    return (*chat, ChatMessage("assistant", said), ChatMessage("user", "And of Italy"))


def until_idle(engine: LlamaEngine) -> None:
    until(lambda: (engine.load.running, engine.load.waiting) == (0, 0))


def test_answers_depend_on_what_was_asked(fresh: Callable[[], LlamaEngine]) -> None:
    """Else the other tests could not see that a model has forgotten it, or remembers what it should not."""
    engine = fresh()

    assert len({answer(engine, chat) for chat in (*QUESTIONS, LONG)}) == len(QUESTIONS) + 1


def test_answer_is_the_same_after_other_chats_were_in_its_sequence(fresh: Callable[[], LlamaEngine]) -> None:
    engine = fresh()
    expected = answer(engine, QUESTIONS[0])

    for chat in (*QUESTIONS[1:], LONG, QUESTIONS[0], QUESTIONS[0][1:]):
        answer(engine, chat)

    assert answer(engine, QUESTIONS[0]) == expected == answer(fresh(), QUESTIONS[0])


def test_several_answers_at_once_are_those_that_each_gets_alone(fresh: Callable[[], LlamaEngine]) -> None:
    alone = [answer(fresh(), chat) for chat in QUESTIONS]
    engine = fresh()

    for _ in range(2):
        together = [submit(engine, chat) for chat in (*QUESTIONS, *QUESTIONS)]
        assert ["".join(generation) for generation in together] == [*alone, *alone]


def test_chat_that_goes_on_is_answered_as_by_a_model_that_reads_it_whole(fresh: Callable[[], LlamaEngine]) -> None:
    engine = fresh()
    chat: Chat = QUESTIONS[0]
    for _ in range(3):
        chat = further(chat, answer(engine, chat))
        answer(engine, QUESTIONS[1])

    assert answer(engine, chat) == answer(fresh(), chat)


def test_cancelled_answer_leaves_nothing_behind(fresh: Callable[[], LlamaEngine]) -> None:
    engine = fresh()
    others = [submit(engine, chat, MANY) for chat in QUESTIONS[1:]]
    pieces = iter(others[0])
    until(lambda: next(pieces))

    for generation in others:
        generation.cancel()

    assert answer(engine, QUESTIONS[0]) == answer(fresh(), QUESTIONS[0])
    assert {generation.completion.finish_reason for generation in others} == {"cancelled"}


@pytest.mark.parametrize("kind", FORGETFUL, indirect=True)
def test_model_that_forgets_reads_every_prompt_whole_and_the_log_says_so(
    fresh: Callable[[], LlamaEngine], caplog: pytest.LogCaptureFixture
) -> None:
    engine = fresh()
    chats = [QUESTIONS[0], QUESTIONS[0], further(QUESTIONS[0], "Paris"), QUESTIONS[0]]

    for chat in chats:
        answer(engine, chat)
    until_idle(engine)

    counts = engine.load.counts
    assert "every prompt is read whole" in caplog.text
    assert counts.evaluated_tokens == counts.prompt_tokens == sum(len(engine.tokenize(chat)) for chat in chats)
    assert counts.reused_tokens == 0
    assert engine.load.kept_bytes == 0


@pytest.mark.parametrize("kind", ["llama"], indirect=True)
def test_model_that_keeps_every_token_reads_none_twice(
    fresh: Callable[[], LlamaEngine], caplog: pytest.LogCaptureFixture
) -> None:
    engine = fresh()
    for _ in range(2):
        answer(engine, QUESTIONS[0])
        until_idle(engine)
    tokens = engine.tokenize(QUESTIONS[0])
    beginning = len(tokens) - engine.load.counts.evaluated_tokens + 1

    assert engine.load.counts.reused_tokens == beginning + len(tokens) - 1
    assert "read whole" not in caplog.text


@pytest.mark.parametrize("kind", ["sliding window"], indirect=True)
def test_sliding_window_has_slid_over_the_beginning(fresh: Callable[[], LlamaEngine]) -> None:
    """Each of its two layers looks WINDOW_TOKENS back, so the answer cannot depend on what is farther than both."""
    engine = fresh()
    chats = [(ChatMessage("user", begin + "a" * 3 * WINDOW_TOKENS),) for begin in ("bbbb", "cccc")]

    assert answer(engine, chats[0]) == answer(engine, chats[1])


def test_template_that_rewrites_history_costs_the_last_answer_and_no_more(tmp_path: Path) -> None:
    write_llama(tmp_path / "qwen.gguf", QWEN_3)
    engine = LlamaEngine(tmp_path / "qwen.gguf", context_tokens=512, threads=1)
    said = answer(engine, QUESTIONS[0])
    until_idle(engine)
    opened, longer = engine.tokenize(QUESTIONS[0]), engine.tokenize(further(QUESTIONS[0], said))

    answer(engine, further(QUESTIONS[0], said))

    thought = engine.count_tokens("<think>\n\n</think>\n\n")
    assert engine.load.counts.reused_tokens == len(opened) - thought
    assert engine.load.counts.evaluated_tokens == len(longer) + thought
    engine.close()

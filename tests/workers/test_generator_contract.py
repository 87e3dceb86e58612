"""What every generator does, whatever writes its answers: what the rest of the work relies on."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.openai_server import MODEL, Dialect, FakeServer, Fault
from tests.workers.desk import until
from workers.engine import LlamaEngine
from workers.generation import ChatMessage, Generation, Generator, GeneratorBusy, Prompt, PromptTooLong, Sampling
from workers.remote import RemoteGenerator

CONTEXT_TOKENS = 512
QUEUE_LIMIT = 3
CHAT = (ChatMessage("system", "You answer in one sentence."), ChatMessage("user", "Capital of France?"))
STORY = (ChatMessage("user", "Tell a very long story about the sea."),)


@dataclass(frozen=True, slots=True)
class Subject:
    """A generator under test, which answers CHAT with a sentence and STORY for ever; one after the other."""

    generator: Generator

    def ask(
        self, chat: tuple[ChatMessage, ...], max_tokens: int = 40, deadline_s: float = 60.0, stop: tuple[str, ...] = ()
    ) -> Generation:
        prompt = Prompt(chat, (), self.generator.tokenize(chat))
        return self.generator.submit(
            prompt, max_tokens=max_tokens, deadline_s=deadline_s, sampling=Sampling(), stop=stop, conversation="c1"
        )

    def busy(self) -> None:
        """Give it so much to do that what is asked next has to wait."""
        self.ask(STORY, max_tokens=400)
        until(lambda: self.generator.load.running == 1)

    @property
    def idle(self) -> bool:
        load = self.generator.load
        return (load.running, load.waiting) == (0, 0)


def scripted(_: pytest.FixtureRequest) -> Iterator[Subject]:
    generator = ScriptedGenerator(
        [Script("", lambda prompt: prompt.messages == STORY, hangs=True), Script("The capital is Paris.")],
        context_tokens=CONTEXT_TOKENS,
        queue_limit=QUEUE_LIMIT,
    )
    yield Subject(generator)
    generator.close()


def remote(dialect: Dialect) -> Callable[[pytest.FixtureRequest], Iterator[Subject]]:
    def make(_: pytest.FixtureRequest) -> Iterator[Subject]:
        with FakeServer(dialect, "The capital is Paris.", context_tokens=CONTEXT_TOKENS, slots=1) as fake:
            generator = RemoteGenerator(
                fake.url, MODEL, api_key=SecretStr(""), context_tokens=CONTEXT_TOKENS, queue_limit=QUEUE_LIMIT
            )
            fake.faults_of[STORY[0].text] = Fault(hangs_after=1)
            yield Subject(generator)
            generator.close()

    return make


def engine(request: pytest.FixtureRequest) -> Iterator[Subject]:
    model: Path = request.getfixturevalue("small_model")
    generator = LlamaEngine(model, context_tokens=CONTEXT_TOKENS, queue_limit=QUEUE_LIMIT, at_once=1)
    yield Subject(generator)
    generator.close()


GENERATORS = [
    pytest.param(scripted, id="scripted"),
    *(pytest.param(remote(d), id=d) for d in ("vllm", "llama-server", "ollama")),
    pytest.param(engine, id="engine", marks=pytest.mark.model),
]


@pytest.fixture(params=GENERATORS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with ExitStack() as ending:
        made = request.param(request)
        ending.callback(lambda: next(made, None))
        yield next(made)


def test_pieces_are_the_text_of_the_completion(subject: Subject) -> None:
    generation = subject.ask(CHAT)
    said = "".join(generation)

    assert "Paris" in said
    assert generation.completion.text == said
    assert generation.completion.finish_reason == "stop"
    assert generation.completion.prompt_tokens == len(subject.generator.tokenize(CHAT))
    assert 0 < generation.completion.completion_tokens <= 40
    until(lambda: subject.idle)


def test_token_limit_ends_the_answer(subject: Subject) -> None:
    generation = subject.ask(CHAT, max_tokens=3)
    list(generation)

    assert generation.completion.finish_reason == "length"
    assert generation.completion.completion_tokens == 3


def test_stop_string_ends_the_answer_and_is_not_in_it(subject: Subject) -> None:
    generation = subject.ask(CHAT, stop=("Par",))
    list(generation)

    assert generation.completion.finish_reason == "stop"
    assert generation.completion.text.endswith(" ")
    assert "Par" not in generation.completion.text


def test_signs_of_life_come_while_it_waits(subject: Subject) -> None:
    subject.busy()
    pieces = iter(subject.ask(CHAT))
    began = time.monotonic()

    assert next(pieces) == ""
    assert time.monotonic() - began < 3  # half a second each, on a machine with nothing else to do


def test_cancelled_one_ends_normally_and_leaves(subject: Subject) -> None:
    subject.busy()
    generation = subject.ask(CHAT)
    assert next(iter(generation)) == ""

    generation.cancel()

    assert "".join(generation) == ""
    assert generation.completion.finish_reason == "cancelled"
    assert generation.place == 0
    assert generation.expected_wait_s == 0.0
    assert sum((subject.generator.load.running, subject.generator.load.waiting)) == 1


def test_leaving_the_loop_cancels(subject: Subject) -> None:
    for _ in subject.ask(STORY, max_tokens=200):
        break
    gc.collect()

    until(lambda: subject.idle)


def test_deadline_includes_the_wait(subject: Subject) -> None:
    subject.busy()
    generation = subject.ask(CHAT, deadline_s=0.1)

    assert "".join(generation) == ""
    assert generation.completion.finish_reason == "deadline"


def test_prompt_that_does_not_fit_with_its_answer_is_refused(subject: Subject) -> None:
    room = subject.generator.context_tokens - len(subject.generator.tokenize(CHAT))

    with pytest.raises(PromptTooLong):
        subject.ask(CHAT, max_tokens=room + 1)
    assert "Paris" in "".join(subject.ask(CHAT, max_tokens=room))


def test_full_queue_is_busy(subject: Subject) -> None:
    subject.busy()

    with pytest.raises(GeneratorBusy):
        list(map(subject.ask, [CHAT] * (QUEUE_LIMIT + 2)))


def test_longer_chat_gives_tokens_that_begin_like_the_shorter_ones(subject: Subject) -> None:
    shorter = subject.generator.tokenize(CHAT)
    longer = subject.generator.tokenize((*CHAT, ChatMessage("assistant", "Paris."), ChatMessage("user", "And Italy?")))

    assert longer[: len(shorter)] == shorter


def test_tokens_of_a_text_are_counted(subject: Subject) -> None:
    assert subject.generator.count_tokens("") == 0
    assert 0 < subject.generator.count_tokens("窓口") < subject.generator.count_tokens("窓口は二階にあります。")


def test_forgetting_does_not_end_what_is_asked(subject: Subject) -> None:
    generation = subject.ask(CHAT)
    subject.generator.forget("c1")
    subject.generator.forget_all()

    assert "Paris" in "".join(generation)


def test_closing_cancels(subject: Subject) -> None:
    subject.busy()
    generation = subject.ask(CHAT)

    assert subject.generator.close()

    list(generation)
    assert generation.completion.finish_reason == "cancelled"

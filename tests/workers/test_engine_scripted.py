"""The scripted model keeps the contract of the real one, so that tests with it say something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fakes.model import Script, ScriptedGeneration, ScriptedGenerator, asks
from tests.workers.desk import until
from workers.generation import ChatMessage, GenerationFailed, GeneratorBusy, Prompt, PromptTooLong, Sampling

Make = Callable[..., ScriptedGenerator]


@pytest.fixture
def scripted() -> Iterator[Make]:
    made: list[ScriptedGenerator] = []

    def make(*scripts: Script, context_tokens: int = 1000, queue_limit: int = 8) -> ScriptedGenerator:
        made.append(ScriptedGenerator(scripts, context_tokens=context_tokens, queue_limit=queue_limit))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


def ask(generator: ScriptedGenerator, text: str, max_tokens: int = 50, deadline_s: float = 30.0) -> ScriptedGeneration:
    messages = (ChatMessage("user", text),)
    prompt = Prompt(messages, (), generator.tokenize(messages))
    return generator.submit(prompt, max_tokens=max_tokens, deadline_s=deadline_s, sampling=Sampling())


def test_first_script_that_matches_is_played(scripted: Make) -> None:
    generator = scripted(Script("Paris.", asks("France")), Script("No idea."))

    assert "".join(ask(generator, "Capital of France?")) == "Paris."
    assert "".join(ask(generator, "And of Italy?")) == "No idea."


def test_token_limit_ends_the_answer(scripted: Make) -> None:
    generation = ask(scripted(Script("Paris.")), "?", max_tokens=3)

    assert "".join(generation) == "Par"
    assert generation.completion.finish_reason == "length"


def test_script_that_hangs_ends_at_the_deadline(scripted: Make) -> None:
    generation = ask(scripted(Script("Pa", hangs=True)), "?", deadline_s=0.05)

    assert "".join(generation) == "Pa"
    assert generation.completion.finish_reason == "deadline"


def test_script_that_is_stuck_stays_in_its_step_until_that_is_abandoned(scripted: Make) -> None:
    generator = scripted(Script("Pa", stuck=True))
    pieces = iter(ask(generator, "?"))
    assert [next(pieces), next(pieces)] == ["P", "a"]
    until(lambda: generator.load.step == 3)

    generator.abandon_step()

    with pytest.raises(GenerationFailed, match="too long"):
        list(pieces)
    assert generator.load.step == 3
    assert not generator.close()


def test_steps_are_counted_and_there_is_none_between_them(scripted: Make) -> None:
    generator = scripted(Script("Pa"))
    assert generator.load.step is None

    assert "".join(ask(generator, "?")) == "Pa"

    assert generator.close()
    assert generator.load.step is None


def test_script_that_fails_says_its_text_first(scripted: Make) -> None:
    pieces = iter(ask(scripted(Script("P", error=GenerationFailed("broken"))), "?"))

    assert next(pieces) == "P"
    with pytest.raises(GenerationFailed, match="broken"):
        list(pieces)


def test_those_that_wait_know_their_place_and_leave_when_cancelled(scripted: Make) -> None:
    generator = scripted(Script("slow", hangs=True), queue_limit=2)
    first, second, third = (ask(generator, "?") for _ in range(3))
    assert [g.place for g in (first, second, third)] == [0, 1, 2]
    with pytest.raises(GeneratorBusy):
        ask(generator, "?")

    second.cancel()

    assert third.place == 1
    assert list(second) == []
    assert second.completion.finish_reason == "cancelled"


def test_prompt_that_does_not_fit_is_refused(scripted: Make) -> None:
    with pytest.raises(PromptTooLong):
        ask(scripted(Script("x"), context_tokens=10), "a long question")


def test_longer_chat_begins_as_the_shorter_one(scripted: Make) -> None:
    generator = scripted(Script("x"))
    chat = [ChatMessage("user", "Hello"), ChatMessage("assistant", "Hi"), ChatMessage("user", "And?")]

    shorter, longer = generator.tokenize(chat[:1]), generator.tokenize(chat)

    assert longer[: len(shorter)] == shorter

"""A step that takes too long is given up, a model that hangs ends its process; what sleeps or is slow does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.model import Script, ScriptedGeneration, ScriptedGenerator
from tests.workers.desk import saying, until
from workers.generation import ChatMessage, GenerationFailed, Load, Prompt, Sampling
from workers.watchdog import ABANDON_AFTER_TICKS, END_AFTER_TICKS, Watchdog


class Stepping(ScriptedGenerator):
    """A model whose steps the test makes; `step` is the one that is under way."""

    step: int | None = None
    abandoned = 0

    @property
    def load(self) -> Load:
        return replace(super().load, step=self.step)

    def abandon_step(self) -> None:
        self.abandoned += 1


@pytest.fixture
def model() -> Iterator[Stepping]:
    generator = Stepping()
    yield generator
    generator.close()


@pytest.fixture
def ends() -> list[bool]:
    """One for each time that the process was told to end."""
    return []


@pytest.fixture
def watchdog(model: Stepping, ends: list[bool]) -> Watchdog:
    return Watchdog(model, end_process=lambda: ends.append(True))


def watch(watchdog: Watchdog, ticks: int) -> None:
    for _ in range(ticks):
        watchdog.tick()


def test_a_step_that_stays_the_same_is_given_up_and_then_ends_the_process(
    model: Stepping, watchdog: Watchdog, ends: list[bool]
) -> None:
    model.step = 7

    watch(watchdog, ABANDON_AFTER_TICKS)
    assert model.abandoned == 0
    watch(watchdog, 1)
    assert model.abandoned == 1
    watch(watchdog, END_AFTER_TICKS - ABANDON_AFTER_TICKS - 1)
    assert ends == []
    watch(watchdog, 1)
    assert ends == [True]

    watch(watchdog, 2 * END_AFTER_TICKS)
    assert (model.abandoned, ends) == (1, [True])


def test_a_slow_model_that_goes_on_is_left_alone(model: Stepping, watchdog: Watchdog, ends: list[bool]) -> None:
    for step in range(3):
        model.step = step
        watch(watchdog, ABANDON_AFTER_TICKS)

    assert (model.abandoned, ends) == (0, [])


def test_a_step_that_was_given_up_and_ended_does_not_end_the_process(
    model: Stepping, watchdog: Watchdog, ends: list[bool]
) -> None:
    model.step = 1
    watch(watchdog, ABANDON_AFTER_TICKS + 1)
    model.step = 2
    watch(watchdog, END_AFTER_TICKS - 1)

    assert ends == []


def test_a_model_that_loads_or_has_nothing_to_do_is_left_alone(
    model: Stepping, watchdog: Watchdog, ends: list[bool]
) -> None:
    watch(watchdog, 2 * END_AFTER_TICKS)

    assert (model.abandoned, ends) == (0, [])


def test_only_the_answer_that_hangs_fails(ends: list[bool]) -> None:
    with saying(Script("Pa", stuck=True)) as generator:
        watchdog = Watchdog(generator, end_process=lambda: ends.append(True))
        hanging, waiting = ask(generator), ask(generator)
        until(lambda: generator.load.step == 3)

        watch(watchdog, END_AFTER_TICKS + 1)

        with pytest.raises(GenerationFailed, match="too long"):
            list(hanging)
        assert next(iter(waiting)) == ""  # still wanted
        assert ends == [True]


def ask(generator: ScriptedGenerator) -> ScriptedGeneration:
    prompt = Prompt((ChatMessage("user", "?"),), (), (1,))
    return generator.submit(prompt, max_tokens=9, deadline_s=30, sampling=Sampling())

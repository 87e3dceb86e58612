"""The queue and the two ends of a generation, without a model."""

from __future__ import annotations

import gc
import threading
from itertools import pairwise

import pytest

from workers.engine.generation import SIGN_OF_LIFE_S, LlamaGeneration, request_of
from workers.engine.queue import AGEING, Queue
from workers.generation import GenerationFailed, GeneratorBusy, Sampling


class Desk:
    """A host that only keeps the queue; a token takes a second to read."""

    def __init__(self, limit: int = 10) -> None:
        self.queue = Queue(limit, float)

    def place(self, generation: LlamaGeneration) -> int:
        return len(self.queue.before(generation))

    def expected_wait_s(self, generation: LlamaGeneration) -> float:
        return 10.0 * self.place(generation) + 1.0

    def ended(self, generation: LlamaGeneration) -> None:
        self.queue.leave(generation)

    def take(self) -> LlamaGeneration | None:
        return self.queue.take(lambda generation: len(generation.request.prompt))

    def submit(self, deadline_s: float = 60.0, prompt_tokens: int = 2) -> LlamaGeneration:
        request = request_of([1] * prompt_tokens, max_tokens=9, deadline_s=deadline_s, sampling=Sampling(), stop=())
        generation = LlamaGeneration(request, self)
        self.queue.join(generation)
        return generation


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_places_count_the_running_one(desk: Desk) -> None:
    three = [desk.submit() for _ in range(3)]
    assert [g.place for g in three] == [0, 1, 2]

    assert desk.take() is three[0]
    assert [g.place for g in three] == [0, 1, 2]
    assert desk.queue.counts == (1, 2)


def test_who_has_least_left_to_read_comes_first(desk: Desk) -> None:
    long, short = desk.submit(prompt_tokens=500), desk.submit(prompt_tokens=20)

    assert [desk.take(), desk.take()] == [short, long]


def test_what_is_known_of_a_prompt_need_not_be_read(desk: Desk) -> None:
    unknown, known = desk.submit(prompt_tokens=20), desk.submit(prompt_tokens=500)

    assert desk.queue.take(lambda g: 1 if g is known else 20) is known
    assert desk.queue.take(lambda _: 0) is unknown


def test_who_has_waited_long_comes_before_who_has_less_to_read(desk: Desk) -> None:
    long = desk.submit(prompt_tokens=500)
    long.began -= 490 / AGEING  # seconds; a token takes one to read
    short = desk.submit(prompt_tokens=20)

    assert [desk.take(), desk.take()] == [long, short]


def test_who_has_waited_a_little_does_not(desk: Desk) -> None:
    long = desk.submit(prompt_tokens=500)
    long.began -= 470 / AGEING
    short = desk.submit(prompt_tokens=20)

    assert [desk.take(), desk.take()] == [short, long]


def test_who_was_put_back_waits_again(desk: Desk) -> None:
    generation = desk.submit()
    assert desk.take() is generation

    desk.queue.put_back(generation)

    assert desk.queue.counts == (0, 1)
    assert desk.take() is generation


def test_cancelled_one_leaves_the_queue_at_once(desk: Desk) -> None:
    first, second, third = (desk.submit() for _ in range(3))
    second.cancel()

    assert third.place == 1
    assert [desk.take(), desk.take()] == [first, third]


def test_full_queue_takes_nobody_in() -> None:
    desk = Desk(limit=2)
    desk.submit()
    desk.submit()

    with pytest.raises(GeneratorBusy):
        desk.submit()


def test_closed_queue_lets_the_writer_go_and_takes_nobody_in(desk: Desk) -> None:
    waiting = desk.submit()

    assert desk.queue.close() == [waiting]
    assert not desk.queue.wait()
    with pytest.raises(GenerationFailed, match="closed"):
        desk.submit()


def test_closing_wakes_a_writer_that_waits(desk: Desk) -> None:
    told: list[bool] = []
    writer = threading.Thread(target=lambda: told.append(desk.queue.wait()))
    writer.start()

    desk.queue.close()
    writer.join(timeout=5)

    assert told == [False]


def test_reader_gets_the_pieces_and_then_the_completion(desk: Desk) -> None:
    generation = desk.submit()
    for piece in ("Hel", "lo"):
        generation.write(piece)
    generation.written_tokens = 2
    generation.end("stop")

    assert list(generation) == ["Hel", "lo"]
    assert generation.completion.text == "Hello"
    assert generation.completion.prompt_tokens == 2
    assert generation.completion.completion_tokens == 2
    assert generation.completion.finish_reason == "stop"


def test_waiting_reader_gets_empty_pieces_as_signs_of_life(desk: Desk) -> None:
    assert next(iter(desk.submit())) == ""
    assert SIGN_OF_LIFE_S <= 0.5


def test_deadline_ends_one_that_waits_though_the_writer_is_busy(desk: Desk) -> None:
    generation = desk.submit(deadline_s=0.01)

    assert list(generation) in ([], [""])
    assert generation.completion.finish_reason == "deadline"
    assert desk.queue.counts == (0, 0)


def test_cancel_ends_the_iteration_normally_with_what_was_written(desk: Desk) -> None:
    generation = desk.submit()
    generation.write("Hel")
    generation.cancel()
    generation.write("lo")

    assert list(generation) == ["Hel"]
    assert (generation.completion.text, generation.completion.finish_reason) == ("Hel", "cancelled")
    assert generation.over


def test_leaving_the_loop_cancels(desk: Desk) -> None:
    generation = desk.submit()
    generation.write("Hel")
    for _ in generation:
        break
    gc.collect()

    assert generation.over
    assert generation.completion.finish_reason == "cancelled"


def test_reader_that_vanishes_with_an_error_cancels(desk: Desk) -> None:
    generation = desk.submit()
    generation.write("Hel")

    with pytest.raises(ZeroDivisionError):
        read_and_break(generation)
    gc.collect()

    assert generation.over


def read_and_break(generation: LlamaGeneration) -> None:
    for _ in generation:
        raise ZeroDivisionError


def test_failure_comes_after_what_was_written(desk: Desk) -> None:
    generation = desk.submit()
    generation.write("Hel")
    generation.fail(GenerationFailed("broken"))
    pieces = iter(generation)

    assert next(pieces) == "Hel"
    with pytest.raises(GenerationFailed, match="broken"):
        next(pieces)
    with pytest.raises(GenerationFailed, match="broken"):
        _ = generation.completion


def test_it_ends_once(desk: Desk) -> None:
    generation = desk.submit()
    generation.end("length")
    generation.cancel()
    generation.fail(GenerationFailed("too late"))

    assert generation.completion.finish_reason == "length"


def test_completion_is_not_there_before_the_end(desk: Desk) -> None:
    with pytest.raises(RuntimeError):
        _ = desk.submit().completion


def test_wait_is_over_when_text_has_come(desk: Desk) -> None:
    first, second = desk.submit(), desk.submit()
    assert second.expected_wait_s == 11.0

    first.write("Hel")
    second.cancel()

    assert (first.expected_wait_s, second.expected_wait_s) == (0.0, 0.0)


def test_pieces_come_in_order_from_another_thread(desk: Desk) -> None:
    generation = desk.submit()
    written = [f"{n} " for n in range(2_000)]

    def write() -> None:
        for piece in written:
            generation.write(piece)
        generation.end("stop")

    writer = threading.Thread(target=write)
    writer.start()
    read = [int(piece) for piece in generation if piece]
    writer.join()

    assert len(read) == len(written)
    assert all(b - a == 1 for a, b in pairwise(read))

"""Text from the bytes of tokens, and tokens from logits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engine.rates import Pace, Rate
from workers.engine.sampling import Logits, Sampler, check_sampling
from workers.engine.text import TextStream
from workers.generation import Sampling


def streamed(stream: TextStream, content: bytes, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in (*sizes, len(content)):
        if not stream.stopped:
            pieces.append(stream.feed(content[at : at + size]))
        at += size
    return pieces if stream.stopped else [*pieces, stream.flush()]


@given(text=st.text(), sizes=st.lists(st.integers(1, 4)), stop=st.lists(st.text(max_size=3), max_size=3))
def test_streamed_text_is_the_text_up_to_the_first_stop_string(text: str, sizes: list[int], stop: list[str]) -> None:
    ends = [at for at in (text.find(s) for s in stop if s) if at >= 0]
    stream = TextStream(stop)

    shown = "".join(streamed(stream, text.encode(), sizes))

    # Two stop strings that overlap: whichever is whole first ends the text, wherever the pieces were cut.
    assert text.startswith(shown)
    assert stream.stopped == bool(ends)
    if not ends:
        assert shown == text
    if len([s for s in stop if s]) == 1 and ends:
        assert shown == text[: ends[0]]


def test_a_character_is_never_shown_in_part() -> None:
    assert streamed(TextStream(), "窓口".encode(), [1, 1, 1, 1, 1]) == ["", "", "窓", "", "", "口", ""]


def test_half_a_character_at_the_end_is_left_out() -> None:
    stream = TextStream()

    assert stream.feed("窓口".encode()[:5]) + stream.flush() == "窓"


def test_bytes_that_are_no_text_are_left_out() -> None:
    assert TextStream().feed(b"a\xff\xfeb") == "ab"


def test_beginning_of_a_stop_string_is_held_back_until_it_is_none() -> None:
    stream = TextStream(["\nUser:"])

    assert [stream.feed(b"Yes.\nUs"), stream.feed(b"ually")] == ["Yes.", "\nUsually"]


def test_nothing_of_a_stop_string_or_after_it_is_shown() -> None:
    stream = TextStream(["\nUser:"])

    assert [stream.feed(b"Yes.\nUs"), stream.feed(b"er: more")] == ["Yes.", ""]
    assert stream.stopped
    assert stream.flush() == ""


LOGITS: Logits = np.log(np.array([0.5, 0.3, 0.15, 0.04, 0.01], dtype=np.float32))
OPEN = Sampling(temperature=1.0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=7)


def drawn(sampling: Sampling, count: int = 400) -> list[int]:
    sampler = Sampler(sampling)
    return [sampler.draw(LOGITS) for _ in range(count)]


def sampling(**changes: float) -> Sampling:
    return Sampling(**{"temperature": 1.0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0, "seed": 7} | changes)  # type: ignore[arg-type]


def test_without_temperature_the_likeliest_token_is_taken() -> None:
    assert set(drawn(sampling(temperature=0.0))) == {0}


def test_open_sampling_draws_by_the_models_probabilities() -> None:
    shares = np.bincount(drawn(OPEN, 4000), minlength=5) / 4000

    assert shares == pytest.approx(np.exp(LOGITS), abs=0.03)


def test_low_temperature_favours_the_likeliest() -> None:
    assert drawn(sampling(temperature=0.3)).count(0) > drawn(OPEN).count(0)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    assert set(drawn(sampling(top_p=0.7))) == {0, 1}


def test_min_p_drops_what_is_too_unlikely_beside_the_first() -> None:
    assert set(drawn(sampling(min_p=0.25))) == {0, 1, 2}


def test_same_seed_gives_the_same_tokens_and_another_one_does_not() -> None:
    assert drawn(OPEN) == drawn(OPEN)
    assert drawn(OPEN) != drawn(sampling(seed=8))


def test_without_a_seed_no_two_answers_need_be_alike() -> None:
    assert drawn(Sampling(1.0, 1.0, 0.0, 1.0, None)) != drawn(Sampling(1.0, 1.0, 0.0, 1.0, None))


def test_repeat_penalty_makes_what_was_said_less_likely() -> None:
    sampler = Sampler(sampling(temperature=0.0, repeat_penalty=2.0))

    assert [sampler.draw(LOGITS) for _ in range(2)] == [0, 1]


def test_models_logits_are_not_changed() -> None:
    before = LOGITS.copy()
    drawn(sampling(repeat_penalty=2.0))

    assert np.array_equal(before, LOGITS)


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"min_p": -0.1},
        {"min_p": float("nan")},
        {"repeat_penalty": 0.0},
    ],
)
def test_senseless_sampling_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_sampling(sampling(**changes))


def test_rate_is_nothing_before_it_was_measured() -> None:
    assert Rate(100).per_s == 0.0


def test_rate_follows_the_newest_measurements() -> None:
    rate = Rate(half_life_tokens=100)
    rate.add(100, 1.0)
    for _ in range(20):
        rate.add(100, 10.0)

    assert rate.per_s == pytest.approx(10.0, rel=0.01)


def test_expected_time_is_what_the_measured_rates_say() -> None:
    pace = Pace()
    pace.prompt.add(1000, 10.0)
    pace.completion.add(50, 5.0)

    assert pace.seconds(200, 30) == pytest.approx(2.0 + 3.0)


def test_answer_is_expected_to_be_as_long_as_others_were_but_never_over_its_limit() -> None:
    pace = Pace()
    for _ in range(50):
        pace.add_answer(20)

    assert pace.answer_left(0, 512) == pytest.approx(20, rel=0.01)
    assert pace.answer_left(15, 512) == pytest.approx(5, rel=0.1)
    assert pace.answer_left(0, 8) == 8
    assert pace.answer_left(30, 512) == 0

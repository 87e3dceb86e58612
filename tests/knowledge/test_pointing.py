"""Which messages only point at what was said before them."""

from __future__ import annotations

import time

import pytest

from knowledge.pointing import only_points


@pytest.mark.parametrize(
    "query",
    [
        *(
            "これ、分かる？",
            "わかりますか？",
            "これって誰か知ってますか？",
            "教えてください",
            "これについて教えてもらえますか",
        ),
        *("お願いします", "Do you know this?", "Any idea?", "can you help me with that, please?"),
    ],
)
def test_what_names_nothing_only_points(query: str) -> None:
    assert only_points(query)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "どこに出せばいい？",
            "では支払日は？",
            "いつ？",
            "誰ですか",
            "いくらですか",
            "これはいくら？",
            "どうすればいい？",
        ),
        *("How many?", "Who?", "What about Monday?", "Do you know the deadline?", "", "？", "\0"),
    ],
)
def test_what_asks_for_something_of_its_own_does_not(query: str) -> None:
    assert not only_points(query)


@pytest.mark.parametrize("piece", ["なの", "ました", "って", "the ", "、。"])
def test_many_ways_to_cut_it_cost_nothing(piece: str) -> None:
    began = time.process_time()

    assert not only_points((piece * 40)[:39] + "漢")
    assert not only_points(piece * 100_000)

    assert time.process_time() - began < 0.05

"""Fusion: by score, over the wordings of a question, and between languages."""

import pytest

from knowledge.fusion import Near, Sides, distinct, fuse, room


def near(**cosines: float) -> dict[int, Near]:
    return {int(name[1:]): Near.above(0.8, cosine, 0.2) for name, cosine in cosines.items()}


def test_words_that_are_covered_outweigh_a_little_nearness():
    sides = Sides(near(n1=0.90, n2=0.89, n3=0.80), {2: 0.4})

    assert [candidate.number for candidate in fuse([sides])] == [2, 1, 3]


def test_a_few_words_in_common_do_not_outweigh_nearness():
    sides = Sides(near(n1=0.90, n2=0.86, n3=0.80), {2: 0.3})

    assert [candidate.number for candidate in fuse([sides])] == [1, 2, 3]


def test_a_chunk_that_only_its_words_found_is_a_candidate():
    sides = Sides(near(n1=0.90, n2=0.85), {7: 0.9})

    best = fuse([sides])[0]

    assert (best.number, best.cosine, best.coverage) == (7, 0.85, 0.9)


def test_a_chunk_that_only_its_words_found_is_further_off_than_the_last_that_is_near():
    sides = Sides(near(n1=0.90, n2=0.85), {2: 0.3, 7: 0.3})

    numbers = [candidate.number for candidate in fuse([sides])]

    assert numbers.index(2) < numbers.index(7)
    assert fuse([sides])[numbers.index(2)].score > fuse([sides])[numbers.index(7)].score + 0.1


def test_a_chunk_that_both_wordings_find_comes_first():
    alone = Sides(near(n1=0.90, n2=0.88, n3=0.80), {})
    joined = Sides(near(n2=0.90, n3=0.89, n1=0.80), {})

    assert [candidate.number for candidate in fuse([alone, joined])] == [2, 1, 3]


def test_coverage_is_of_the_question_itself():
    (candidate,) = fuse([Sides({}, {}), Sides(near(n1=0.9), {1: 0.9})])

    assert candidate.coverage == 0.0


def test_another_language_is_compared_by_what_is_usual_there():
    sides = Sides(
        {1: Near.above(0.85, 0.87, 0.15), 2: Near.above(0.79, 0.86, 0.15), 3: Near.above(0.85, 0.80, 0.15)}, {}
    )

    assert [candidate.number for candidate in fuse([sides])] == [2, 1, 3]


def test_nothing_found_gives_no_candidate():
    assert fuse([Sides({}, {})]) == []


def test_near_repetitions_are_left_out():
    assert [*distinct(["会議室は前日までに予約します。", "会議室は、前日までに予約します", "経費は25日まで"])] == [0, 2]


def test_where_all_are_about_as_near_words_decide():
    sides = Sides(near(n1=0.851, n2=0.850, n3=0.849), {2: 0.3})

    assert fuse([sides])[0].number == 2


def test_nearness_counts_by_the_room_that_a_model_leaves_above_its_floor():
    narrow = Sides({1: Near.above(0.8, 0.9, room([0.8])), 2: Near.above(0.8, 0.87, room([0.8]))}, {2: 0.3})
    wide = Sides({1: Near.above(0.3, 0.65, room([0.3])), 2: Near.above(0.3, 0.545, room([0.3]))}, {2: 0.3})

    gaps = [fuse([sides])[0].score - fuse([sides])[1].score for sides in (narrow, wide)]

    assert gaps[0] == pytest.approx(gaps[1])


def test_an_index_that_is_near_to_everything_leaves_some_room():
    assert room([1.0]) > 0

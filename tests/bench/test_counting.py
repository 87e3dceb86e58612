"""What the count of bench-faults calls lost, doubled and out of order."""

from __future__ import annotations

import math

from tests.bench.counting import APOLOGIES, UNSURE, Said, Shown, count


def said(number: int, *, person: str = "Aya", place: str = "D1", acknowledged_at: float | None = None) -> Said:
    """Message `number`, written and delivered at that second and acknowledged half a second later."""
    return Said(name(number), place, person, number, number, acknowledged_at or number + 0.5)


def shown(*numbers: int, place: str = "D1", before: str = "") -> Shown:
    return Shown(place, f"{before} {' '.join(map(name, numbers))}.".strip())


def name(number: int) -> str:
    return f"Q-{number:04d}"


def test_every_message_in_one_answer_is_good() -> None:
    counted = count([said(1), said(2), said(3)], [shown(1, 2), shown(3)])

    assert counted.good
    assert counted.messages == ["Q-0001", "Q-0002", "Q-0003"]


def test_a_message_in_no_answer_is_lost() -> None:
    assert count([said(1), said(2)], [shown(1)]).lost == ["Q-0002"]


def test_a_message_that_was_never_acknowledged_does_not_count() -> None:
    counted = count([said(1, acknowledged_at=math.inf)], [])

    assert counted.good
    assert not counted.messages


def test_an_answer_in_another_place_is_none() -> None:
    assert count([said(1)], [shown(1, place="D2")]).lost == ["Q-0001"]


def test_a_message_in_two_answers_is_doubled() -> None:
    assert count([said(1), said(2)], [shown(1), shown(1, 2)]).doubled == ["Q-0001"]


def test_a_message_twice_in_one_answer_is_doubled() -> None:
    assert count([said(1)], [shown(1, 1)]).doubled == ["Q-0001"]


def test_what_is_shown_again_as_unsure_is_counted_apart() -> None:
    counted = count([said(1)], [shown(1), shown(1, before=UNSURE[0])])

    assert counted.good
    assert counted.unsure == ["Q-0001"]


def test_what_is_shown_once_and_as_unsure_is_an_answer() -> None:
    counted = count([said(1)], [shown(1, before=UNSURE[1])])

    assert counted.good
    assert not counted.unsure


def test_two_plain_answers_and_an_unsure_one_are_doubled() -> None:
    assert count([said(1)], [shown(1), shown(1), shown(1, before=UNSURE[0])]).doubled == ["Q-0001"]


def test_what_is_kept_is_not_lost() -> None:
    counted = count([said(1), said(2)], [shown(2)], kept=["Q-0001."])

    assert counted.good
    assert counted.kept == ["Q-0001"]


def test_an_earlier_message_behind_a_later_one_is_out_of_order() -> None:
    assert count([said(1), said(2)], [shown(2), shown(1)]).out_of_order == ["Q-0001"]


def test_what_was_taken_in_late_may_be_answered_late() -> None:
    assert count([said(1, acknowledged_at=9.0), said(2)], [shown(2), shown(1)]).good


def test_inside_one_answer_the_platform_s_order_holds_for_what_was_taken_in_late_too() -> None:
    assert count([said(1, acknowledged_at=9.0), said(2)], [shown(2, 1)]).out_of_order == ["Q-0001"]


def test_places_have_no_order_among_each_other() -> None:
    assert count([said(1), said(2, place="D2")], [shown(2, place="D2"), shown(1)]).good


def test_an_apology_covers_the_first_messages_of_one_person_that_have_no_answer() -> None:
    messages = [said(1), said(2), said(3), said(4, person="Ben"), said(5)]

    counted = count(messages, [shown(1), Shown("D1", APOLOGIES[0]), shown(5)])

    assert counted.apologised == ["Q-0002", "Q-0003"]
    assert counted.lost == ["Q-0004"]


def test_an_apology_where_everything_is_answered_is_one_too_many() -> None:
    counted = count([said(1)], [shown(1), Shown("D1", APOLOGIES[1])])

    assert counted.idle_apologies == 1
    assert not counted.good

"""Answers run side by side; one that is suspect runs alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.workers.desk import until
from workers.gate import Gate


class Inside:
    """Somebody who goes in, in a thread, and comes out when told to."""

    def __init__(self, gate: Gate, *, alone: bool) -> None:
        self.is_in = threading.Event()
        self.leave = threading.Event()
        self.thread = threading.Thread(target=self._go_in, args=(gate, alone))
        self.thread.start()

    def _go_in(self, gate: Gate, alone: bool) -> None:
        with gate.room(alone=alone):
            self.is_in.set()
            self.leave.wait(10)

    def out(self) -> None:
        self.leave.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@contextmanager
def going_in(gate: Gate, *, alone: bool = False) -> Iterator[Inside]:
    somebody = Inside(gate, alone=alone)
    try:
        yield somebody
    finally:
        somebody.out()


def wait_at(gate: Gate, *, waiting: int) -> None:
    """Return when so many wait at the gate."""
    until(lambda: len(gate._changed._waiters) == waiting)  # type: ignore[attr-defined]


def test_many_are_inside_at_once() -> None:
    gate = Gate()

    with going_in(gate) as first, going_in(gate) as second:
        assert first.is_in.wait(5)
        assert second.is_in.wait(5)


def test_who_wants_to_be_alone_waits_until_all_are_out() -> None:
    gate = Gate()
    with going_in(gate) as first:
        assert first.is_in.wait(5)
        with going_in(gate, alone=True) as suspect:
            wait_at(gate, waiting=1)
            assert not suspect.is_in.is_set()
            first.out()
            assert suspect.is_in.wait(5)


@pytest.mark.parametrize("alone", [False, True])
def test_nobody_goes_in_beside_one_that_is_alone(alone: bool) -> None:
    gate = Gate()
    with going_in(gate, alone=True) as suspect:
        assert suspect.is_in.wait(5)
        with going_in(gate, alone=alone) as other:
            wait_at(gate, waiting=1)
            assert not other.is_in.is_set()
            suspect.out()
            assert other.is_in.wait(5)


def test_newcomers_do_not_pass_one_that_waits_to_be_alone() -> None:
    gate = Gate()
    with going_in(gate) as first:
        assert first.is_in.wait(5)
        with going_in(gate, alone=True) as suspect:
            wait_at(gate, waiting=1)
            with going_in(gate) as newcomer:
                wait_at(gate, waiting=2)
                first.out()
                assert suspect.is_in.wait(5)
                assert not newcomer.is_in.is_set()
                suspect.out()
                assert newcomer.is_in.wait(5)


@pytest.mark.parametrize("alone", [False, True])
def test_an_error_inside_opens_the_gate_again(alone: bool) -> None:
    gate = Gate()
    with pytest.raises(ValueError, match="inside"), gate.room(alone=alone):
        raise ValueError("inside")

    with going_in(gate, alone=True) as next_one:
        assert next_one.is_in.wait(5)


@pytest.mark.parametrize("alone", [True, False])
def test_who_waits_is_called_meanwhile_and_may_leave(alone: bool) -> None:
    gate = Gate()

    def leave() -> None:
        raise TimeoutError

    with gate.room(alone=True), pytest.raises(TimeoutError), gate.room(alone=alone, meanwhile=leave):
        pass

    with gate.room(alone=True):  # nobody is left in the way
        pass


def test_who_leaves_while_it_waits_for_the_room_to_empty_lets_the_others_in() -> None:
    gate = Gate()

    def leave() -> None:
        raise TimeoutError

    with gate.room(alone=False):
        with pytest.raises(TimeoutError), gate.room(alone=True, meanwhile=leave):
            pass
        with gate.room(alone=False):
            pass

"""Waiting: for the model, as long as an answer is wanted and can be expected."""

from __future__ import annotations

import time

from bot.capabilities import ShowsWork
from workers.generation import NotInTime
from workers.inquiry import Inquiry
from workers.interrupts import Interrupted, Watch
from workers.phrases import phrase
from workers.services import Desk

WORK = ("searching", "writing", "composing")
"""What is said of the work in turn; nobody has to know which of it is done just now."""
PATIENCE_S = 30.0
"""A model of two billion parameters is loaded in a few seconds, and one behind a URL is back or stays away."""


def is_wanted(watch: Watch) -> bool:
    """Whether the answer is wanted still; False when somebody said stop.

    Raises:
        Interrupted: its question changed or the process ends.
    """
    happened = watch.look()
    if happened not in {None, "stop"}:
        raise Interrupted(happened)
    return happened is None


def show_work(inquiry: Inquiry) -> None:
    """Show who asked that it is being worked on, where a platform can do that at once."""
    if isinstance(inquiry.reply, ShowsWork):
        inquiry.reply.working(*(phrase(name, inquiry.asked_in) for name in WORK))


def wait_for_model(inquiry: Inquiry, desk: Desk) -> bool:
    """Whether the answer is wanted still when the model is there; who asks is told of the wait.

    Raises:
        NotInTime: it could not be loaded, or is away for longer than anybody is kept waiting.
        Interrupted
    """
    until = time.monotonic() + min(PATIENCE_S, desk.answer_deadline_s)
    told = False
    while is_wanted(inquiry.watch):
        load = desk.generator.load
        if load.ready:
            return True
        if load.broken or time.monotonic() > until:
            raise NotInTime("the model is not there")
        if not told:
            inquiry.reply.waiting(phrase("loading", inquiry.asked_in))
            told = True
        inquiry.reply.due(time.time())
        time.sleep(0.1)
    return False

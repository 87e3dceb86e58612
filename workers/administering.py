"""An administrator's orders: about the index, which the knowledge process has, about gaps, and about who is let in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from bot.capabilities import Board
from bot.journal import UnlockedJournal
from bot.messages import Action, Command
from bot.platform import Target
from bot.store import store_errors
from workers import run_texts
from workers.admitting import ORDERS as ABOUT_ACCESS
from workers.admitting import answer_to_an_order
from workers.bulletins import Bulletins
from workers.gaps.gaps import Gaps
from workers.gaps.texts import listing
from workers.phrases import phrase
from workers.runs import Runs, Wish
from workers.services import Clerk

JOURNAL_LIFE_S = 24 * 3600
MOST_TOPICS = 10
"""Of the gaps in one message; the terminal lists all."""


def administer(control_id: str, event: Command, clerk: Clerk) -> None:
    """Carry out an administrator's order, `argument`, and answer; tell everybody else that they may not."""
    verb, *options = event.argument.split() or ["help"]
    if verb in ABOUT_ACCESS:
        if words := answer_to_an_order(control_id, event, clerk):
            answer(words, control_id, event, clerk)
    elif event.user_id not in clerk.access.admins:
        answer("\n".join(phrase("not_admin", language) for language in ("ja", "en")), control_id, event, clerk)
    elif verb in ("reindex", "rollback"):
        wish = Wish(
            _run_of(control_id),
            "rollback" if verb == "rollback" else "reindex",
            allow_empty="allow-empty" in options,
            accept="accept" in options,
            dry_run="dry-run" in options,
        )
        _begin(wish, control_id, event, clerk)
    else:
        answer(_ANSWERS.get(verb, _help)(event.language, clerk), control_id, event, clerk)


def _begin(wish: Wish, control_id: str, event: Command, clerk: Clerk) -> None:
    """Have it done; how far it is is shown by one message, or said on demand where a message cannot change."""
    run = Runs(clerk.store).wish(wish)
    sender = clerk.senders[event.platform]
    if isinstance(sender, Board):
        Bulletins(clerk.store, clerk.senders).post(control_id, event, run)
        return
    text = phrase("run_started" if run == wish.run else "under_way", event.language)
    answer(text if run == wish.run else f"{text}\n{index_status(event.language, clerk)}", control_id, event, clerk)


def answer(text: str, control_id: str, event: Command | Action, clerk: Clerk) -> None:
    """Say it to who gave the order, once."""
    sender = clerk.senders[event.platform]
    journal = UnlockedJournal(clerk.store, f"journal:{control_id}", JOURNAL_LIFE_S)
    if not isinstance(sender, Board):
        sender.confirm(Target(control_id, event.conversation_id, event.language, event.reply_to), text, journal)
    elif "posted" not in journal.read():
        journal.write(posted=dict(sender.post(event.reply_to, text)))


def index_status(language: str, clerk: Clerk) -> str:
    """Which index answers, and how far the last run is or what came of it."""
    last = Runs(clerk.store).last()
    said = run_texts.indexed(_heartbeat(clerk), language)
    return f"{said}\n{run_texts.progress(last, language)}" if last else said


def _sources(language: str, clerk: Clerk) -> str:
    return run_texts.sources(_heartbeat(clerk), language)


def _cancel(language: str, clerk: Clerk) -> str:
    return phrase("cancelling" if Runs(clerk.store).cancel() else "nothing_to_cancel", language)


def _help(language: str, _: Clerk) -> str:
    return phrase("admin_help", language)


def _gaps(language: str, clerk: Clerk) -> str:
    gaps = Gaps(clerk.store)
    return "\n".join(listing(gaps.topics(), gaps.unsorted(), language, most=MOST_TOPICS))


_ANSWERS: dict[str, Callable[[str, Clerk], str]] = {
    "status": index_status,
    "sources": _sources,
    "cancel": _cancel,
    "gaps": _gaps,
}


def _heartbeat(clerk: Clerk) -> dict[str, Any]:
    """What the knowledge process says of the index; nothing while it does not run."""
    with store_errors():
        told = clerk.store.get("status:knowledge")
    return dict(json.loads(told)) if told else {}


def _run_of(control_id: str) -> str:
    """A name that the same order has again after a crash."""
    return hashlib.sha256(control_id.encode()).hexdigest()[:16]

"""The clerk's process: control events and the tick, without a model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import redis
from celery import Celery

from bot.access import Access
from bot.capabilities import Tidies
from bot.errors import StoreUnavailable
from bot.logs import log_to_stderr
from bot.places import CONFIG
from bot.queue import ACT, CONTROL, REPLIES, CeleryHints, celery_app
from bot.settings import BotSettings
from bot.store import connect, script, store_errors, text
from workers import metrics
from workers.acting import act
from workers.app import work
from workers.batches import Batches
from workers.bulletins import Bulletins
from workers.controls import Controls
from workers.conversation import Conversations
from workers.dead_letters import DeadLetters
from workers.due_times import DueTimes
from workers.erasure import rewrite_the_file
from workers.gaps.gaps import Gaps
from workers.gaps.telling import Telling
from workers.interrupts import Interrupts
from workers.policy import Policies
from workers.senders import line_sender, senders
from workers.services import Clerk
from workers.settings import STORE_TIMEOUT_S, WorkerSettings
from workers.succession import succeed
from workers.votes.votes import LIFE_S as VOTES_LIFE_S
from workers.votes.votes import Votes

log = logging.getLogger(__name__)

TICK_EVERY_S = 2.0
AGAIN_AFTER_S = 10.0
"""A conversation that was hinted at is hinted at again after this, if nobody took it."""
OVERDUE_S = 20.0
"""Longer than a dead worker's lock lives. What waits longer is hinted at though other hints still lie unread."""
MOST_UNREAD = 1_000
"""Behind so many unread hints one more would change nothing for long."""
MOST_HINTS = 500
ORDERS_AT_ONCE = 8


def register(app: Celery, clerk: Clerk) -> None:
    """Give the Celery app the clerk's task."""
    controls = Controls(clerk.store)

    @app.task(name=ACT)  # type: ignore[untyped-decorator]
    def act_on(control_id: str) -> None:
        outcome = controls.carry_out(control_id, lambda name, event: act(name, event, clerk))
        metrics.CONTROLS.labels("control", outcome).inc()


class Tick:
    """Finds what a lost hint or a dead worker left lying. The ready set is the truth, hints are only fast."""

    def __init__(self, clerk: Clerk, due_times: DueTimes, letters_life_s: int) -> None:
        self._clerk = clerk
        self._due_times = due_times
        self._letters_life_s = letters_life_s
        self._letters = DeadLetters(clerk.store)
        self._votes = Votes(clerk.store)
        self._gaps = Gaps(clerk.store)
        self._controls = Controls(clerk.store)
        self._due = script(clerk.store, "workers", "due")

    def start(self) -> None:
        """Tick for ever, in threads that end with the process."""
        # A platform that does not answer takes its time over a due time; nobody else waits for it.
        bulletins = Bulletins(self._clerk.store, self._clerk.senders)
        telling = Telling(self._clerk.store, self._clerk.senders)
        for name, step in (
            ("tick", self.tick),
            ("due times", self.see_to_due_times),
            ("bulletins", bulletins.refresh),
            ("gaps", telling.tell),
            ("tidying", self.tidy),
        ):
            threading.Thread(target=self._repeat, args=(step,), name=name, daemon=True).start()

    def tick(self) -> None:
        """Publish once what is due and has no owner, see to what is too old and to the store's file."""
        self._publish_answers(self._clerk.store)
        for control_id in self._controls.due():
            self._clerk.hints.act(control_id)
        metrics.LETTERS_DROPPED.inc(self._letters.drop_oldest(before=time.time() - self._letters_life_s))
        self._votes.drop_oldest(before=time.time() - VOTES_LIFE_S)
        self._gaps.drop_oldest(before=time.time() - self._letters_life_s)
        rewrite_the_file(self._clerk.store)

    def see_to_due_times(self) -> None:
        """See to the times that have come."""
        self._due_times.see_to(time.time())

    def tidy(self) -> None:
        """Take away what stands in the place of answers that will not come."""
        for sender in self._clerk.senders.values():
            if isinstance(sender, Tidies):
                sender.tidy()

    def _repeat(self, step: Callable[[], None]) -> None:
        while True:
            try:
                step()
            except StoreUnavailable as error:
                log.warning("tick failed", extra={"error": str(error)})
            except Exception:
                log.exception("tick failed")
            time.sleep(TICK_EVERY_S)

    def _publish_answers(self, store: redis.Redis) -> None:
        """Publish hints: all that are due when every hint has been read; else what was begun, or is overdue."""
        now = time.time()
        with store_errors():
            unread = store.llen(REPLIES)
            if unread > MOST_UNREAD:
                return
            since = now - OVERDUE_S if unread else now
            due = self._due(keys=["ready"], args=[now, now + AGAIN_AFTER_S, MOST_HINTS, since])
        for conversation_id in due:
            metrics.SWEPT.inc()
            self._clerk.hints.answer(text(conversation_id))


def main() -> None:
    """Run the clerk until it is told to end."""
    log_to_stderr()
    bot, own = BotSettings(), WorkerSettings()
    store, app = connect(bot.store_url, timeout_s=STORE_TIMEOUT_S), celery_app(bot.store_url)
    clerk = Clerk(
        store=store,
        conversations=Conversations(store),
        interrupts=Interrupts(store),
        hints=CeleryHints(app),
        senders=senders(bot, store, threads=ORDERS_AT_ONCE),
        access=Access.of(bot, store),
        policy=Policies.read(CONFIG),
        collector=line_sender(bot, store, ORDERS_AT_ONCE // 2) if bot.line_on else None,
    )
    register(app, clerk)
    batches = Batches(store, turns_life_s=own.turns_life_s)
    succeed(own.data_path / "clerk.owner", batches.owner, store, clerk.hints)
    Tick(clerk, DueTimes(store, batches, clerk.senders), own.turns_life_s).start()
    work(
        app,
        part="clerk",
        queue=CONTROL,
        pool="threads",
        at_once=ORDERS_AT_ONCE,
        store_url=bot.store_url,
        status=lambda: {"ready": True},
        metrics_port=own.metrics_port,
    )

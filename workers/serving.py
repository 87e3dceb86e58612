"""Serving one batch: answer it, deliver it, finish it; on trouble hand it back, or apologise and give it up."""

from __future__ import annotations

import logging
import time

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryFailed, LockLost, StoreUnavailable
from bot.platform import ReplyStream
from knowledge.errors import NoIndex
from workers import metrics
from workers.answering import Answer, answer
from workers.batches import ALONE_FROM_ATTEMPT, GIVE_UP_FROM_ATTEMPT, Batch
from workers.generation import GeneratorBusy
from workers.interrupts import Interrupted
from workers.phrases import phrase
from workers.services import Desk

log = logging.getLogger(__name__)

MOST_DELIVERY_TRIES = 60
"""With LONGEST_PAUSE_S between them about an hour: what cannot be delivered then goes to the dead letters."""
LONGEST_PAUSE_S = 60.0
STORE_PATIENCE_S = 60.0


def serve(batch: Batch, desk: Desk) -> None:
    """Answer a batch that is held. Afterwards it is finished, handed back, or somebody else's."""
    began = time.monotonic()
    reply = desk.senders[batch.newest.platform].open(batch.target, batch.journal)
    try:
        if batch.attempt >= GIVE_UP_FROM_ATTEMPT:
            give_up(batch, reply, desk)
        else:
            deliver(made(batch, reply, desk), batch, reply, desk)
        outcome = "answered"
    except Interrupted as interrupted:
        outcome = interrupted.kind
        desk.interrupts.clear(batch.conversation_id)
        hand_back(batch, desk, after_s=0, forgive=True)
    except NoIndex:
        outcome = "no index"
        reply.waiting(phrase("no_index", batch.target.language))
        hand_back(batch, desk, after_s=2, forgive=True)
    except GeneratorBusy:
        outcome = "busy"
        hand_back(batch, desk, after_s=3, forgive=True)
    except DeliveryDeferred as deferred:
        outcome = put_off(batch, desk, deferred)
    except DeliveryFailed as failed:
        outcome = "dead"
        desk.batches.finish(batch, (), dead=str(failed))
    except LockLost:
        outcome = "lost"
    except StoreUnavailable:
        outcome = "store unavailable"
        hand_back(batch, desk, after_s=0, forgive=True)
    except Exception:
        outcome = "failed"
        log.exception("answer failed", extra={"attempt": batch.attempt})
        hand_back(batch, desk, after_s=1, forgive=False)
    elapsed = time.monotonic() - began
    metrics.ANSWERS.labels(batch.newest.platform, outcome).inc()
    metrics.ANSWER_SECONDS.observe(elapsed)
    log.info(
        "served", extra={"platform": batch.newest.platform, "outcome": outcome, "elapsed_ms": round(elapsed * 1000)}
    )


def made(batch: Batch, reply: ReplyStream, desk: Desk) -> Answer:
    """The batch's answer: the one that a worker before us wrote down, or a new one, written down before it is sent."""
    if stored := batch.journal.read().get("answer"):
        return Answer.from_json(stored)
    with desk.gate.room(alone=batch.attempt >= ALONE_FROM_ATTEMPT):
        new = answer(batch, reply, desk)
    batch.journal.write(answer=new.to_json())
    return new


def deliver(made_answer: Answer, batch: Batch, reply: ReplyStream, desk: Desk) -> None:
    """Show the answer, remember it, and see to what waits behind it."""
    delivered = reply.finish(made_answer.reply)
    if delivered.kept:
        log.info("kept", extra={"platform": batch.newest.platform})
    if desk.batches.finish(batch, made_answer.turns, cut=made_answer.cut):
        desk.hints.answer(batch.conversation_id)


def give_up(batch: Batch, reply: ReplyStream, desk: Desk) -> None:
    """Apologise, and put the messages where an operator sees them."""
    try:
        reply.fail(phrase("apology", batch.target.language))
    except DeliveryError as error:
        log.warning("apology not delivered", extra={"reason": str(error)})
    if desk.batches.finish(batch, (), dead=f"given up after {batch.attempt - 1} attempts"):
        desk.hints.answer(batch.conversation_id)


def put_off(batch: Batch, desk: Desk, deferred: DeliveryDeferred) -> str:
    """Hand the batch back until the platform may take it; after too many tries it goes to the dead letters."""
    tries = batch.journal.read().get("tries", 0) + 1
    if tries > MOST_DELIVERY_TRIES:
        desk.batches.finish(batch, (), dead=f"not delivered in {tries - 1} tries: {deferred}")
        return "dead"
    batch.journal.write(tries=tries)
    pause_s = deferred.retry_after_s or min(2.0 ** min(tries - 1, 10), LONGEST_PAUSE_S)
    hand_back(batch, desk, after_s=pause_s, forgive=True)
    return "deferred"


def hand_back(batch: Batch, desk: Desk, *, after_s: float, forgive: bool) -> None:
    """Give the batch back, waiting for the store if need be: an attempt that was not one must not count."""
    until = time.monotonic() + STORE_PATIENCE_S
    while True:
        try:
            desk.batches.hand_back(batch, after_s=after_s, forgive=forgive)
        except StoreUnavailable:
            if time.monotonic() > until:
                log.error("batch not handed back; its lock will end by itself")
                return
            time.sleep(0.5)
        else:
            break
    if after_s == 0 and not desk.interrupts.shutdown.is_set():
        desk.hints.answer(batch.conversation_id)

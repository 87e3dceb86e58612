"""Serving one batch: answer it, deliver it, finish it; on trouble hand it back, or apologise and give it up."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from bot.capabilities import Admits
from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, DeliveryFailed, LockLost, StoreUnavailable
from bot.messages import Reply, UnreadableRecord
from bot.platform import ReplyStream
from knowledge.errors import NoIndex
from workers import metrics
from workers.answer import Answer
from workers.answering import answer
from workers.batch import Batch
from workers.batches import ALONE_FROM_ATTEMPT, GIVE_UP_FROM_ATTEMPT, UNREADABLE_PAUSE_S
from workers.conversation import Turn
from workers.gaps.gap import Gap, gap_of
from workers.generation import GeneratorBusy
from workers.interrupts import Interrupted
from workers.phrases import phrase
from workers.reading_back import spelled_out
from workers.services import Desk

log = logging.getLogger(__name__)

MOST_DELIVERY_TRIES = 60
"""With LONGEST_PAUSE_S between them about an hour: what cannot be delivered then goes to the dead letters."""
LONGEST_PAUSE_S = 60.0
STORE_PATIENCE_S = 60.0
ENDING_PATIENCE_S = 4.0
"""Of a process that is told to end: it has `workers.ending.END_WITHIN_S` for everything."""


def answer_next(conversation_id: str, desk: Desk) -> None:
    """Answer what waits in a conversation, unless somebody does already."""
    batch = desk.batches.take(conversation_id)
    if batch is not None:
        with desk.batches.holding(batch):
            checkpoint("taken")
            serve(batch, desk)
        call_in_next(batch, desk)


def call_in_next(batch: Batch, desk: Desk) -> None:
    """Tell a worker of the conversation that could not be taken because of this batch and others of its person."""
    try:
        waiting = desk.batches.next_held_up(batch)
    except StoreUnavailable:
        return  # the clerk's tick finds it
    if waiting:
        desk.hints.answer(waiting)


def serve(batch: Batch, desk: Desk) -> None:
    """Answer a batch that is held. Afterwards it is finished, handed back, or somebody else's."""
    began = time.monotonic()
    outcome = settled(batch, desk) if batch.newest.platform in desk.senders else left_waiting(batch, desk)
    elapsed = time.monotonic() - began
    metrics.ANSWERS.labels(batch.newest.platform, outcome).inc()
    metrics.ANSWER_SECONDS.observe(elapsed)
    if outcome == "answered":
        desk.tempo.note(elapsed)
    log.info(
        "served", extra={"platform": batch.newest.platform, "outcome": outcome, "elapsed_ms": round(elapsed * 1000)}
    )


def left_waiting(batch: Batch, desk: Desk) -> str:
    """A batch of a platform that is not configured any more waits until it is."""
    log.error("platform not configured", extra={"platform": batch.newest.platform})
    hand_back(batch, desk, after_s=LONGEST_PAUSE_S, forgive=True)
    return "not configured"


def settled(batch: Batch, desk: Desk) -> str:
    """What became of the batch, in a word. Whatever `attempted` did not foresee ends here."""
    try:
        return attempted(batch, desk)
    except LockLost:  # if nobody has taken it meanwhile (it was erased, or the lock ran out) it is free again
        hand_back(batch, desk, after_s=0, forgive=False)
        return "lost"
    except StoreUnavailable:
        hand_back(batch, desk, after_s=0, forgive=True)
        return "store unavailable"
    except UnreadableRecord as error:  # a newer version wrote the answer or the conversation: it waits for that version
        log.error("record unreadable", extra={"reason": str(error)})
        hand_back(batch, desk, after_s=UNREADABLE_PAUSE_S, forgive=True)
        return "unreadable"
    except Exception:
        log.exception("answer failed", extra={"attempt": batch.attempt})
        return failed(batch, desk)


def failed(batch: Batch, desk: Desk) -> str:
    """After an unforeseen error the batch comes again; in the end, when not even an apology can be made, it is dead."""
    if batch.attempt >= GIVE_UP_FROM_ATTEMPT:
        with suppress(LockLost):
            finish(batch, desk, dead="failed, and so did the apology")
            return "dead"
    hand_back(batch, desk, after_s=1, forgive=False)
    return "failed"


def attempted(batch: Batch, desk: Desk) -> str:
    """One attempt: answered, given up, or handed back for a reason that is not the batch's fault."""
    batch = spelled_out(batch, desk)
    reply = desk.senders[batch.newest.platform].open(batch.target, batch.journal)
    try:
        return answered(batch, reply, desk)
    except Interrupted as interrupted:
        if interrupted.kind == "changed":
            desk.interrupts.clear(batch)
        hand_back(batch, desk, after_s=0, forgive=True)
        return interrupted.kind
    except NoIndex:
        reply.waiting(phrase("no_index", batch.target.language))
        hand_back(batch, desk, after_s=2, forgive=True)
        return "no index"
    except GeneratorBusy:
        hand_back(batch, desk, after_s=3, forgive=True)
        return "busy"
    except DeliveryDeferred as deferred:
        return put_off(batch, desk, deferred)
    except DeliveryFailed as refused:
        finish(batch, desk, dead=str(refused))
        return "dead"


def answered(batch: Batch, reply: ReplyStream, desk: Desk) -> str:
    """Answer it, or give it up with an apology; which of them."""
    if batch.attempt >= GIVE_UP_FROM_ATTEMPT:
        give_up(batch, reply, desk)
        return "given up"
    deliver(made(batch, reply, desk), batch, reply, desk)
    return "over the limit" if batch.over_limit else "answered"


def made(batch: Batch, reply: ReplyStream, desk: Desk) -> Answer:
    """The batch's answer: the one that a worker before us wrote down, or a new one, written down before it is sent.

    Raises:
        UnreadableRecord: it is on its way in the words of a newer version.
    """
    if batch.over_limit:
        return Answer(Reply(phrase("over_limit", batch.target.language)))
    if written_before := stored(batch):
        return written_before
    if not is_let_in(batch, desk):
        return Answer(Reply(phrase("no_longer_admitted", batch.target.language)))
    with desk.gate.room(alone=batch.attempt >= ALONE_FROM_ATTEMPT, meanwhile=lambda: at_the_gate(batch, reply, desk)):
        new = answer(batch, reply, desk)
    checkpoint("made")
    if desk.interrupts.about(batch) == "changed":  # a last look: what is written down is what will be shown
        raise Interrupted("changed")
    batch.journal.write(answer=new.to_json())
    return new


def is_let_in(batch: Batch, desk: Desk) -> bool:
    """Whether who asked is let in still."""
    sender = desk.senders[batch.newest.platform]
    return not isinstance(sender, Admits) or sender.admits(batch.conversation_id)


def stored(batch: Batch) -> Answer | None:
    """The answer that a worker before us wrote down; one that we cannot read is made anew while nobody has seen it."""
    facts = batch.journal.read()
    if "answer" not in facts:
        return None
    try:
        return Answer.from_json(facts["answer"])
    except UnreadableRecord:
        if facts.get("on_its_way"):
            raise
        return None


def at_the_gate(batch: Batch, reply: ReplyStream, desk: Desk) -> None:
    """See to due times and interruptions while another batch has the room alone."""
    reply.due(time.time())
    happened = desk.interrupts.about(batch)
    if happened in {"changed", "shutdown"}:
        raise Interrupted(happened)


def deliver(made_answer: Answer, batch: Batch, reply: ReplyStream, desk: Desk) -> None:
    """Show the answer, remember it, and see to what waits behind it."""
    batch.journal.write(on_its_way=True)  # from here on it stands, whatever is edited (workers/lua/edit.lua)
    checkpoint("delivering")
    delivered = reply.finish(made_answer.reply)
    checkpoint("delivered")
    if delivered.kept:
        log.info("kept", extra={"platform": batch.newest.platform})
    gap = gap_of(batch, desk.senders[batch.newest.platform]) if made_answer.not_found else None
    finish(batch, desk, made_answer.turns, cut=made_answer.cut, erases=made_answer.erases, gap=gap)
    if made_answer.cached_as:
        shown, of, newest = made_answer.reply.text, batch.conversation_id, desk.retriever.follow
        desk.answers.keep(made_answer.cached_as, shown, made_answer.turns, conversation_id=of, newest=newest)
    if made_answer.provenance:
        desk.provenances.keep(made_answer.provenance, made_answer.turns[0], desk.retriever.known)


def finish(
    batch: Batch,
    desk: Desk,
    turns: Sequence[Turn] = (),
    *,
    cut: int = 0,
    erases: bool = False,
    dead: str = "",
    apologised: bool = False,
    gap: Gap | None = None,
) -> None:
    """Finish the batch, and tell a worker of what waits behind it."""
    waiting = desk.batches.finish(batch, turns, cut=cut, erases=erases, dead=dead, apologised=apologised, gap=gap)
    checkpoint("finished")
    if dead:
        facts = {"letter": batch.newest.id, "reason": dead}
        log.log(logging.WARNING if apologised else logging.ERROR, "question not answered", extra=facts)
    if waiting:
        desk.hints.answer(batch.conversation_id)


def give_up(batch: Batch, reply: ReplyStream, desk: Desk) -> None:
    """Apologise, and put the messages where an operator sees them.

    Raises:
        DeliveryDeferred: the apology has to wait, as an answer would.
    """
    batch.journal.write(apology=True)  # from here on it may be shown: workers/lua/ask_again.lua
    apologised = True
    try:
        reply.fail(phrase("apology", batch.target.language))
    except DeliveryFailed as error:
        log.warning("apology not delivered", extra={"reason": str(error)})
        apologised = False
    finish(batch, desk, dead=f"given up after {batch.attempt - 1} attempts", apologised=apologised)


def put_off(batch: Batch, desk: Desk, deferred: DeliveryDeferred) -> str:
    """Hand the batch back until the platform may take it; after too many tries it goes to the dead letters."""
    tries = batch.journal.read().get("tries", 0) + 1
    if tries > MOST_DELIVERY_TRIES:
        finish(batch, desk, dead=f"not delivered in {tries - 1} tries: {deferred}")
        return "dead"
    batch.journal.write(tries=tries)
    # At least our own: a platform that is down for an hour may ask for a second's patience each time.
    pause_s = max(deferred.retry_after_s or 0.0, min(2.0 ** min(tries - 1, 10), LONGEST_PAUSE_S))
    hand_back(batch, desk, after_s=pause_s, forgive=True)
    return "deferred"


def hand_back(batch: Batch, desk: Desk, *, after_s: float, forgive: bool) -> None:
    """Give the batch back, waiting for the store if need be: an attempt that was not one must not count."""
    began = time.monotonic()
    while True:
        try:
            desk.batches.hand_back(batch, after_s=after_s, forgive=forgive)
        except StoreUnavailable:
            patience_s = ENDING_PATIENCE_S if desk.interrupts.shutdown.is_set() else STORE_PATIENCE_S
            if time.monotonic() - began > patience_s:
                log.error("batch not handed back; its lock will end by itself")
                return
            time.sleep(0.5)
        else:
            break
    if after_s == 0 and not desk.interrupts.shutdown.is_set():
        desk.hints.answer(batch.conversation_id)

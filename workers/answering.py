"""The story of one answer: from a batch of messages to what the person will see."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.checkpoints import checkpoint
from bot.messages import Reply
from bot.platform import ReplyStream
from knowledge.documents import Passage
from knowledge.golden import PASSAGES
from knowledge.own import OwnChunks
from workers import grounding, smalltalk
from workers.answer import Answer, composed, greeted, not_found, stopped, stopped_waiting, without_model
from workers.answer_cache import CachedAnswer, name_of
from workers.batch import Batch
from workers.batches import GIVE_UP_FROM_ATTEMPT
from workers.citing import Place
from workers.conversation import Conversation
from workers.extracting import extracted
from workers.files.taking import taken_in
from workers.files.telling import read_aloud, with_word_of_files
from workers.generation import GenerationError, NotInTime
from workers.inquiry import Inquiry
from workers.interrupts import Watch
from workers.offering import offered
from workers.phrases import phrase
from workers.prompt import draft
from workers.reading_back import conversation_of
from workers.services import Desk, Found
from workers.waiting import is_wanted, show_work, wait_for_model
from workers.writing import write

log = logging.getLogger(__name__)

PASSAGES_IN_PROMPT = PASSAGES
"""A third costs a second and distracts a small model as often as it helps (docs/decisions/answers.md)."""


def answer(batch: Batch, reply: ReplyStream, desk: Desk) -> Answer:
    """The answer to one batch from its conversation and the documents; shown as it grows, not yet delivered.

    Raises:
        Interrupted: its question changed or the process ends.
        NoIndex: nothing has been indexed yet.
        GenerationError: the model failed on it, and may not the next time.
    """
    inquiry = inquiry_of(batch, reply, desk)
    greeting = smalltalk.kind(inquiry.text)
    if greeting and not batch.has_files:
        return greeted(greeting, inquiry)
    if not inquiry.text and not batch.has_files:
        return Answer(Reply(phrase("help", inquiry.asked_in)))
    if not is_wanted(inquiry.watch):
        return stopped(inquiry)
    show_work(inquiry)
    taken = taken_in(inquiry, desk)
    if taken is None:
        return stopped(inquiry)
    if batch.has_files and (greeting or not inquiry.text):
        return Answer(Reply(read_aloud(taken, inquiry, desk.senders[batch.newest.platform])))
    return with_word_of_files(answered(taken.own, inquiry, desk), taken, inquiry)


def answered(own: OwnChunks, inquiry: Inquiry, desk: Desk) -> Answer:
    """The answer to a question from its conversation, the documents, and what the conversation was shown itself."""
    conversation = conversation_of(inquiry.batch, desk)
    checkpoint("retrieving")
    found = desk.retriever.retrieve(
        inquiry.text,
        audience=inquiry.place.audience,
        sources=inquiry.policy.sources,
        context=conversation.questions(),
        own=own,
        quoted=conversation.quoted(),
        limit=PASSAGES_IN_PROMPT,
    )
    inquiry.course.searched()
    conversation = conversation.without(found.gone)
    name = "" if own.chunks else cache_name(found, conversation, inquiry)
    if known := desk.answers.get(name, found.passages):
        return offered(given_again(known, found.passages, inquiry, desk), found, inquiry, desk)
    made = offered(made_of(found, conversation, inquiry, desk), found, inquiry, desk)
    return replace(made, erases=conversation.cut > 0, cached_as=name if made.lasting else "")


def inquiry_of(batch: Batch, reply: ReplyStream, desk: Desk) -> Inquiry:
    """The batch with its place, and what holds there."""
    newest = batch.newest
    place = Place(newest.platform, desk.senders[newest.platform].audience(newest.reply_to))
    return Inquiry(batch, place, desk.policy.of(place.audience), reply, Watch(desk.interrupts, batch))


def cache_name(found: Found, conversation: Conversation, inquiry: Inquiry) -> str:
    """What the answer is cached as; empty for one that leans on more than one message, or could."""
    if conversation.turns or conversation.cut or len(inquiry.batch.messages) > 1:
        return ""
    return name_of(inquiry.text, found.passages, found.generation, inquiry.policy)


def given_again(known: CachedAnswer, passages: Sequence[Passage], inquiry: Inquiry, desk: Desk) -> Answer:
    """What the model wrote to the same question before, with the sources of this place."""
    sources = desk.citing.citations(known.sources(passages), inquiry.place)
    return Answer(Reply(known.shown, sources), known.turns(inquiry.turn, passages), is_cached=True)


def made_of(found: Found, conversation: Conversation, inquiry: Inquiry, desk: Desk) -> Answer:
    """The answer that the passages found allow: the model's where one can be had, else the best passage's own words."""
    passages = found.passages if grounding.is_about(inquiry.text, found.passages) else ()
    if not passages and not inquiry.policy.general:
        return not_found(inquiry, found.passages or found.nearest, conversation.cut)
    best = desk.citing.citations(passages[:1], inquiry.place)
    if passages:
        extract = extracted("preview", inquiry.text, inquiry.voice, passage=passages[0], citations=best)
        inquiry.reply.preview(extract)
        checkpoint("previewed")
    try:
        return by_model(passages, conversation, inquiry, desk)
    except GenerationError as error:
        if may_pass(error, inquiry.batch, passages):
            raise
        log.warning("answered without the model", extra={"reason": type(error).__name__})
    return without_model(inquiry, passages, best, conversation.cut)


def may_pass(error: GenerationError, batch: Batch, passages: Sequence[Passage]) -> bool:
    """Whether another attempt is better than an answer without the model, which only passages can give."""
    is_last = batch.attempt >= GIVE_UP_FROM_ATTEMPT - 1 and bool(passages)
    return not isinstance(error, NotInTime) and not is_last


def by_model(passages: Sequence[Passage], conversation: Conversation, inquiry: Inquiry, desk: Desk) -> Answer:
    """The answer that the model writes from the passages.

    Raises:
        GenerationError, Interrupted
    """
    if not wait_for_model(inquiry, desk):
        return stopped_waiting(inquiry, conversation.cut)
    drafted = draft(conversation, inquiry.turn, passages, desk.generator, desk.answer_tokens, policy=inquiry.policy)
    if passages and not drafted.prompt.passages:  # the question left no room for them
        return not_found(inquiry, passages, drafted.cut)
    written = write(drafted.prompt, conversation.meant_by(inquiry.text), inquiry, desk)
    return composed(inquiry, drafted, written, desk.citing.citations(written.sources, inquiry.place))

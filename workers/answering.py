"""The story of one answer: from a batch of messages to what the person will see."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.checkpoints import checkpoint
from bot.messages import VERSION, Citation, Reply, UnreadableRecord
from bot.platform import ReplyStream
from knowledge.documents import Passage
from knowledge.golden import PASSAGES
from workers import extracting, grounding, smalltalk
from workers.answer_cache import CachedAnswer, name_of
from workers.batch import Batch
from workers.batches import GIVE_UP_FROM_ATTEMPT
from workers.citing import Place, shown_title
from workers.conversation import Conversation, Turn
from workers.extracting import extracted
from workers.generation import GenerationError, NotInTime
from workers.interrupts import Watch
from workers.phrases import phrase
from workers.policy import Policy
from workers.prompt import Draft, as_cited, draft
from workers.services import Desk, Found
from workers.voice import Voice
from workers.waiting import is_wanted, wait_for_model
from workers.writing import Written, write

log = logging.getLogger(__name__)

ASSISTANT: Final = "assistant"
PASSAGES_IN_PROMPT = PASSAGES
"""A third costs a second and distracts a small model as often as it helps (docs/decisions/answers.md)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be delivered, what the conversation remembers of it, and how many of its oldest turns went for it.

    It `erases` when some of them went since they quote what may not be read there any more. `not_found` says that the
    documents do not hold what was asked. One that is `lasting` may be given again; it then is `cached_as` a name.
    """

    reply: Reply
    turns: tuple[Turn, ...] = ()
    cut: int = 0
    erases: bool = False
    not_found: bool = False
    lasting: bool = False
    cached_as: str = ""

    def to_json(self) -> str:
        """The answer as one line of JSON, without what its turns recall of messages that may be erased meanwhile."""
        turns = [replace(turn, recalled=()).to_json() for turn in self.turns]
        facts = {"turns": turns, "cut": self.cut, "erases": self.erases, "not_found": self.not_found}
        facts |= {"cached_as": self.cached_as}
        return json.dumps({"v": VERSION, "reply": self.reply.to_json(), **facts})

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """The answer that `to_json` wrote; before it had a version it was what version 1 is.

        Raises:
            UnreadableRecord: a newer version wrote it.
        """
        try:
            stored = json.loads(text)
            if stored.get("v", 1) > VERSION:
                raise UnreadableRecord(f"not an Answer of version {VERSION} or older")
            turns = tuple(Turn.from_json(turn) for turn in stored["turns"])
            facts = (stored["cut"], stored.get("erases", False), stored.get("not_found", False))
            cached_as = stored.get("cached_as", "")
            return cls(Reply.from_json(stored["reply"]), turns, *facts, cached_as=cached_as)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableRecord(f"unreadable Answer: {error}") from error


def answer(batch: Batch, reply: ReplyStream, desk: Desk) -> Answer:
    """The answer to one batch from its conversation and the documents; shown as it grows, not yet delivered.

    Raises:
        Interrupted: its question changed or the process ends.
        NoIndex: nothing has been indexed yet.
        GenerationError: the model failed on it, and may not the next time.
    """
    watch = Watch(desk.interrupts, batch)
    place = Place(batch.newest.platform, desk.senders[batch.newest.platform].audience(batch.newest.reply_to))
    if greeting := smalltalk.kind(batch.text):
        return greeted(greeting, desk.policy.of(place.audience).voice(batch.text))
    if not is_wanted(watch):
        return Answer(Reply(phrase("stopped", batch.target.language)))
    conversation = desk.conversations.load(batch.conversation_id)
    checkpoint("retrieving")
    found = desk.retriever.retrieve(
        batch.text,
        audience=place.audience,
        context=conversation.questions(),
        quoted=conversation.quoted(),
        limit=PASSAGES_IN_PROMPT,
    )
    conversation = conversation.without(found.gone)
    name = cache_name(found, conversation, batch, desk.policy.of(place.audience))
    if known := desk.answers.get(name, found.passages):
        return given_again(known, found.passages, place, batch=batch, desk=desk)
    made = made_of(found, conversation, place, batch=batch, reply=reply, watch=watch, desk=desk)
    return replace(made, erases=conversation.cut > 0, cached_as=name if made.lasting else "")


def cache_name(found: Found, conversation: Conversation, batch: Batch, policy: Policy) -> str:
    """What the answer is cached as; empty for one that leans on more than one message, or could."""
    if conversation.turns or conversation.cut or len(batch.messages) > 1:
        return ""
    return name_of(batch.text, found.passages, found.generation, policy)


def given_again(known: CachedAnswer, passages: Sequence[Passage], place: Place, *, batch: Batch, desk: Desk) -> Answer:
    """What the model wrote to the same question before, with the sources of this place."""
    reply = Reply(known.shown, desk.citing.citations(known.sources(passages), place))
    return Answer(reply, known.turns(asked(batch), passages))


def made_of(
    found: Found,
    conversation: Conversation,
    place: Place,
    *,
    batch: Batch,
    reply: ReplyStream,
    watch: Watch,
    desk: Desk,
) -> Answer:
    """The answer that the passages found allow: the model's where one can be had, else the best passage's own words."""
    policy = desk.policy.of(place.audience)
    passages = found.passages if grounding.is_about(batch.text, found.passages) else ()
    if not passages and not policy.general:
        return not_found(batch, found.passages or found.nearest, policy, conversation.cut)
    best, spoken = desk.citing.citations(passages[:1], place), policy.voice(batch.text).language
    if passages:
        reply.preview(extracted("preview", spoken, batch=batch, passage=passages[0], citations=best))
        checkpoint("previewed")
    try:
        return by_model(passages, conversation, place, policy, batch=batch, reply=reply, watch=watch, desk=desk)
    except GenerationError as error:
        if may_pass(error, batch, passages):
            raise
        log.warning("answered without the model", extra={"reason": type(error).__name__})
    return without_model(batch, passages, best, spoken, conversation.cut)


def may_pass(error: GenerationError, batch: Batch, passages: Sequence[Passage]) -> bool:
    """Whether another attempt is better than an answer without the model, which only passages can give."""
    is_last = batch.attempt >= GIVE_UP_FROM_ATTEMPT - 1 and bool(passages)
    return not isinstance(error, NotInTime) and not is_last


def by_model(
    passages: Sequence[Passage],
    conversation: Conversation,
    place: Place,
    policy: Policy,
    *,
    batch: Batch,
    reply: ReplyStream,
    watch: Watch,
    desk: Desk,
) -> Answer:
    """The answer that the model writes from the passages.

    Raises:
        GenerationError, Interrupted
    """
    if not wait_for_model(reply, batch, watch, desk):
        return Answer(Reply(phrase("stopped", batch.target.language)))
    drafted = draft(conversation, asked(batch), passages, desk.generator, desk.answer_tokens, policy=policy)
    if passages and not drafted.prompt.passages:  # the question left no room for them
        return not_found(batch, passages, policy, drafted.cut)
    voice = policy.voice(batch.text)
    written = write(drafted.prompt, voice, batch=batch, reply=reply, watch=watch, desk=desk)
    return composed(batch, drafted, written, policy, desk.citing.citations(written.sources, place))


def composed(batch: Batch, drafted: Draft, written: Written, policy: Policy, sources: tuple[Citation, ...]) -> Answer:
    """What the person gets for what was written."""
    if not written.text:
        return not_found(batch, drafted.prompt.passages, policy, drafted.cut)
    return finished(batch, drafted, written, policy, sources)


def greeted(greeting: str, voice: Voice) -> Answer:
    """A greeting or thanks returned; nothing of it is remembered."""
    return Answer(Reply(voice.say(phrase(greeting, voice.language))))


def without_model(
    batch: Batch, passages: Sequence[Passage], best: tuple[Citation, ...], language: str, cut: int
) -> Answer:
    """The best passage's own words as the answer; an apology where there is none (a general answer was wanted)."""
    if not passages:
        return Answer(Reply(phrase("too_slow", language)))
    reply = extracted("without_model", language, batch=batch, passage=passages[0], citations=best)
    return Answer(reply, extracting.turns(batch, asked(batch), passages[0]), cut)


def asked(batch: Batch) -> Turn:
    """The batch as the person's turn."""
    texts = tuple(message.text for message in batch.messages)
    return Turn("user", texts, batch.newest.user_id, tuple(batch.ids))


def not_found(batch: Batch, nearest: Sequence[Passage], policy: Policy, cut: int = 0) -> Answer:
    """Says that the documents do not hold it, what stands closest, and who to ask; no sources."""
    voice = policy.voice(batch.text)
    language = voice.language
    lines = [voice.say(phrase("not_found", language))]
    if titles := list(dict.fromkeys(shown_title(passage.chunk) for passage in nearest)):
        lines.append(phrase("nearest", language, titles="、".join(titles) if language == "ja" else ", ".join(titles)))
    if policy.contact:
        lines.append(phrase("contact", language, contact=policy.contact))
    text = "\n".join(lines)
    said = Turn(ASSISTANT, (lines[0],), ASSISTANT, tuple(batch.ids))
    return Answer(Reply(text), (asked(batch), said), cut, not_found=True)


def finished(batch: Batch, drafted: Draft, written: Written, policy: Policy, sources: tuple[Citation, ...]) -> Answer:
    """The written text with its sources, and the two turns that the conversation remembers."""
    cited = tuple(map(as_cited, written.sources))
    said = Turn(ASSISTANT, (written.text,), ASSISTANT, tuple(batch.ids), cited)
    reply = Reply(with_evidence(written, policy.voice(batch.text).language), sources)
    return Answer(reply, (drafted.turn, said), drafted.cut, lasting=written.lasting)


def with_evidence(written: Written, language: str) -> str:
    """The text and, below it, the sentence that it stands on; the model reads that one in its passage."""
    if not written.evidence:
        return written.text
    return f"{written.text}\n{phrase('evidence', language, words=written.evidence)}"

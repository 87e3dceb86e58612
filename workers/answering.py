"""The story of one answer: from a batch of messages to what the person will see."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.checkpoints import checkpoint
from bot.messages import VERSION, Citation, Reply, UnreadableRecord
from bot.platform import ReplyStream
from knowledge.documents import Passage
from knowledge.golden import PASSAGES
from workers import grounding, smalltalk
from workers.batch import Batch
from workers.citing import Place
from workers.conversation import Conversation, Quoted, Turn
from workers.interrupts import Interrupted, Watch
from workers.phrases import phrase
from workers.policy import Policy
from workers.prompt import Draft, draft, source_of
from workers.services import Desk, Found
from workers.writing import Written, write

ASSISTANT: Final = "assistant"
PASSAGES_IN_PROMPT = PASSAGES
"""A third costs a second and distracts a small model as often as it helps (docs/decisions/answers.md)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be delivered, what the conversation remembers of it, and how many of its oldest turns went for it.

    It `erases` when some of them went since they quote what may not be read there any more. `not_found` says that the
    documents do not hold what was asked.
    """

    reply: Reply
    turns: tuple[Turn, ...] = ()
    cut: int = 0
    erases: bool = False
    not_found: bool = False

    def to_json(self) -> str:
        """The answer as one line of JSON."""
        turns = [turn.to_json() for turn in self.turns]
        facts = {"turns": turns, "cut": self.cut, "erases": self.erases, "not_found": self.not_found}
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
            return cls(Reply.from_json(stored["reply"]), turns, *facts)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableRecord(f"unreadable Answer: {error}") from error


def answer(batch: Batch, reply: ReplyStream, desk: Desk) -> Answer:
    """The answer to one batch from its conversation and the documents; shown as it grows, not yet delivered.

    Raises:
        Interrupted: its question changed or the process ends.
        NoIndex: nothing has been indexed yet.
        GenerationError: the model failed on it.
    """
    watch = Watch(desk.interrupts, batch)
    if greeting := smalltalk.kind(batch.text):
        return Answer(Reply(phrase(greeting, batch.target.language)))
    if not wait_for_model(reply, batch, watch, desk):
        return Answer(Reply(phrase("stopped", batch.target.language)))
    conversation = desk.conversations.load(batch.conversation_id)
    place = Place(batch.newest.platform, desk.senders[batch.newest.platform].audience(batch.newest.reply_to))
    checkpoint("retrieving")
    found = desk.retriever.retrieve(
        batch.text,
        audience=place.audience,
        context=conversation.questions(),
        quoted=conversation.quoted(),
        limit=PASSAGES_IN_PROMPT,
    )
    conversation = conversation.without(found.gone)
    made = made_of(found, conversation, place, batch=batch, reply=reply, watch=watch, desk=desk)
    return replace(made, erases=conversation.cut > 0)


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
    """The answer that the passages found allow, written by the model where they allow any."""
    policy = desk.policy.of(place.audience)
    passages = found.passages if grounding.is_about(batch.text, found.passages) else ()
    if not passages and not policy.general:
        return not_found(batch, found.passages or found.nearest, policy, conversation.cut)
    drafted = draft(conversation, asked(batch), passages, desk.generator, desk.answer_tokens)
    if passages and not drafted.prompt.passages:  # the question left no room for them
        return not_found(batch, passages, policy, drafted.cut)
    written = write(drafted.prompt, batch, reply, watch, desk)
    return composed(batch, drafted, written, policy, desk.citing.citations(written.sources, place))


def composed(batch: Batch, drafted: Draft, written: Written, policy: Policy, sources: tuple[Citation, ...]) -> Answer:
    """What the person gets for what was written."""
    if written.too_slow:
        return Answer(Reply(phrase("too_slow", batch.target.language)))
    if not written.text:
        return not_found(batch, drafted.prompt.passages, policy, drafted.cut)
    return finished(batch, drafted, written, sources)


def wait_for_model(reply: ReplyStream, batch: Batch, watch: Watch, desk: Desk) -> bool:
    """Whether the answer is still wanted when the model is loaded; who asks is told so meanwhile.

    Raises:
        Interrupted
    """
    told = False
    while True:
        happened = watch.look()
        if happened == "stop":
            return False
        if happened:
            raise Interrupted(happened)
        if desk.generator.load.ready:
            return True
        if not told:
            reply.waiting(phrase("loading", batch.target.language))
            told = True
        reply.due(time.time())
        time.sleep(0.1)


def asked(batch: Batch) -> Turn:
    """The batch as the person's turn."""
    texts = tuple(message.text for message in batch.messages)
    return Turn("user", texts, batch.newest.user_id, tuple(batch.ids))


def not_found(batch: Batch, nearest: Sequence[Passage], policy: Policy, cut: int = 0) -> Answer:
    """Says that the documents do not hold it, what stands closest, and who to ask; no sources."""
    language = batch.target.language
    lines = [phrase("not_found", language)]
    if titles := list(dict.fromkeys(passage.chunk.title for passage in nearest)):
        lines.append(phrase("nearest", language, titles="、".join(titles) if language == "ja" else ", ".join(titles)))
    if policy.contact:
        lines.append(phrase("contact", language, contact=policy.contact))
    text = "\n".join(lines)
    said = Turn(ASSISTANT, (lines[0],), ASSISTANT, tuple(batch.ids))
    return Answer(Reply(text), (asked(batch), said), cut, not_found=True)


def finished(batch: Batch, drafted: Draft, written: Written, sources: tuple[Citation, ...]) -> Answer:
    """The written text with its sources, and the two turns that the conversation remembers."""
    # Which chunks it cites, for votes on it; their words are in the question's turn.
    cited = tuple(Quoted(source_of(passage), "", passage.chunk.id) for passage in written.sources)
    said = Turn(ASSISTANT, (written.text,), ASSISTANT, tuple(batch.ids), cited)
    return Answer(Reply(written.text, sources), (drafted.turn, said), drafted.cut)

"""Writing: the model's words, sentence by sentence, checked before anybody sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.checkpoints import checkpoint
from bot.platform import ReplyStream
from bot.sanitise import sanitise
from bot.words import language
from knowledge.documents import Passage
from workers import grounding, metrics
from workers.batch import Batch
from workers.generation import Generation, NotInTime, Prompt, Sampling
from workers.interrupts import Interrupted, Watch
from workers.phrases import phrase
from workers.services import Desk

NOTICE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing.

    Args:
        text: as shown; empty when no sentence stands on the documents.
        sources: the passages that it stands on, first used first.
        evidence: the sentence of the first source that bears it, for who wants to be sure; empty where it is the same.
    """

    text: str
    sources: tuple[Passage, ...]
    evidence: str = ""


def write(prompt: Prompt, batch: Batch, reply: ReplyStream, watch: Watch, desk: Desk) -> Written:
    """The model's answer to a batch over the prompt's passages, shown in `reply` as it grows.

    Without passages (a general answer) nothing is checked against them, and the text says so.

    Raises:
        NotInTime: the deadline passed before anything could be said, or is sure to.
        Interrupted, GenerationError
    """
    generation = desk.generator.submit(
        prompt,
        max_tokens=desk.answer_tokens,
        deadline_s=desk.answer_deadline_s,
        sampling=Sampling(),
        conversation=batch.conversation_id,
    )
    question, asked_in = batch.text, language(batch.text)
    addresses = [f"{p.chunk.uri}\n{p.chunk.text}" for p in prompt.passages]
    said, shown, sources, unsupported = "", "", list[Passage](), False
    pieces = Pieces(generation, reply, watch, asked_in, deadline_s=desk.answer_deadline_s)
    for sentence in grounding.sentences(pieces):
        if grounding.refuses(sentence):
            break
        passage = grounding.support(sentence, prompt.passages, question)
        if prompt.passages and passage is None:
            unsupported = True
            continue
        if passage is not None and passage not in sources:
            sources.append(passage)
        said += sentence
        shown = sanitise(said, addresses).strip()
        reply.update(shown)
    if unsupported and not sources and not pieces.stopped:
        return quoted(question, prompt.passages)
    if pieces.stopped:
        shown = f"{shown}\n{phrase('stopped', asked_in)}".strip()
    elif shown and not prompt.passages:
        shown = f"{shown}\n{phrase('general', asked_in)}"
    if not shown and generation.completion.finish_reason == "deadline":
        raise NotInTime("nothing was said within the deadline")
    evidence = grounding.evidence(said, question, sources[0]) if sources and not pieces.stopped else ""
    return Written(shown, tuple(sources), sanitise(evidence, addresses))


def quoted(question: str, passages: Sequence[Passage]) -> Written:
    """The best passage's own words in the place of a model's that stand on nothing, labelled as a quotation.

    Nothing when it has little of the question's words: then it is near, and holds no answer.
    """
    passage = passages[0]
    if not grounding.holds(question, passage):
        return Written("", ())
    words = grounding.extract(question, passage)
    text = phrase("quoted", language(question), words=words)
    return Written(sanitise(text, [f"{passage.chunk.uri}\n{passage.chunk.text}"]), (passage,))


class Pieces:
    """A generation's pieces; between them it tells how long the wait is, and looks up whether it is still wanted."""

    def __init__(
        self, generation: Generation, reply: ReplyStream, watch: Watch, asked_in: str, *, deadline_s: float
    ) -> None:
        self.stopped = False
        self._generation = generation
        self._reply = reply
        self._watch = watch
        self._asked_in = asked_in
        self._next_notice = 0.0
        self._began: float | None = time.monotonic()
        self._deadline = time.monotonic() + deadline_s

    def __iter__(self) -> Iterator[str]:
        for piece in self._generation:
            if piece:
                self._measure_first()
                checkpoint("generating")
                yield piece
            else:
                self._tell_the_wait()
            self._reply.due(time.time())
            happened = self._watch.look()
            if happened == "stop":
                self.stopped = True
                self._generation.cancel()
                return
            if happened:
                self._generation.cancel()
                raise Interrupted(happened)

    def _measure_first(self) -> None:
        if self._began is not None:
            metrics.FIRST_TEXT_SECONDS.observe(time.monotonic() - self._began)
            self._began = None

    def _tell_the_wait(self) -> None:
        now = time.monotonic()
        if now < self._next_notice:
            return
        self._next_notice = now + NOTICE_EVERY_S
        place, seconds = self._generation.place, round(self._generation.expected_wait_s)
        if place and now + seconds > self._deadline:
            self._generation.cancel()
            raise NotInTime(f"{place} come before, for {seconds} s")
        name = "queued" if place else "writing"
        self._reply.waiting(phrase(name, self._asked_in, place=place, seconds=max(seconds, 1)))

"""Writing: the model's words, sentence by sentence, checked before anybody sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.capabilities import Stoppable
from bot.checkpoints import checkpoint
from bot.platform import ReplyStream
from bot.sanitise import sanitise
from knowledge.documents import Passage
from workers import grounding, metrics
from workers.fencing import recites
from workers.generation import Generation, NotInTime, Prompt, Sampling
from workers.inquiry import Inquiry
from workers.interrupts import Interrupted, Watch
from workers.language import spoken
from workers.phrases import phrase
from workers.prompt import insisting, instructions
from workers.sentences import is_numbering, is_whole, sentences
from workers.services import Desk
from workers.telling import Telling
from workers.voice import Voice

NOTICE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing.

    Args:
        text: as shown; empty when no sentence stands on the documents.
        sources: the passages that it stands on, first used first.
        evidence: the sentence of the first source that bears it, for who wants to be sure; empty where it is the same.
        lasting: the model said all of it, so that it may be said again to the same question.
    """

    text: str
    sources: tuple[Passage, ...]
    evidence: str = ""
    lasting: bool = False


def write(prompt: Prompt, question: str, inquiry: Inquiry, desk: Desk) -> Written:
    """The model's answer to the question over the prompt's passages, shown as it grows.

    Without passages (a general answer) nothing is checked against them, and the text says so. A model that begins in
    another language than asked for is asked once more; after that the best passage speaks for itself.

    Raises:
        NotInTime: the deadline passed before anything could be said, or is sure to.
        Interrupted, GenerationError
    """
    until = time.monotonic() + desk.answer_deadline_s
    for asked in _asks(prompt, inquiry.voice, desk):
        written = _written(asked, question, until, inquiry, desk=desk)
        if written is not None:
            return written
        metrics.WRONG_LANGUAGE.inc()
    return untranslated(question, prompt.passages, inquiry.voice)


def _asks(prompt: Prompt, voice: Voice, desk: Desk) -> Iterator[Prompt]:
    """The prompt, and then the one that insists on the language, where there is room for it."""
    yield prompt
    firmer = insisting(prompt, voice.language, desk.generator)
    if len(firmer.token_ids) + desk.answer_tokens <= desk.generator.context_tokens:
        yield firmer


def _written(prompt: Prompt, question: str, until: float, inquiry: Inquiry, *, desk: Desk) -> Written | None:
    """What came of one generation; None when it began in another language, and nothing of it was shown."""
    voice, reply = inquiry.voice, inquiry.reply
    left_s = max(until - time.monotonic(), 0.0)
    generation = desk.generator.submit(
        prompt,
        max_tokens=desk.answer_tokens,
        deadline_s=left_s,
        sampling=Sampling(),
        conversation=inquiry.batch.conversation_id,
    )
    pieces = Pieces(generation, reply, inquiry.watch, voice.language, deadline_s=left_s)
    told, whole = Telling(prompt.passages, question, voice, reply), False
    secret, known = instructions(prompt), (*told.addresses, inquiry.policy.persona)  # who the desk is, it may say
    for sentence in sentences(pieces):
        inquiry.course.writes()
        if grounding.refuses(sentence) or (told.said and _is_stub(sentence, pieces)):
            break
        if recites(told.said + sentence, secret, known):
            told.left_out += 1
        elif not told.is_foreign(sentence):
            told.tell(sentence)
        elif not told.said:
            generation.cancel()
            return None
        else:
            told.left_out += 1
    else:
        whole = True
    inquiry.course.left_out = told.left_out
    if told.left_out and not told.sources and not pieces.stopped:
        return quoted(question, prompt.passages, voice)
    if not told.shown and generation.completion.finish_reason == "deadline":
        raise NotInTime("nothing was said within the deadline")
    whole = whole and not told.left_out and generation.completion.finish_reason == "stop"
    return _ended(told, prompt, question, voice, ending=pieces.ending, whole=whole)


def _is_stub(sentence: str, pieces: Pieces) -> bool:
    """Whether it is what was left of a sentence when the model had to end, or a list's number that nothing follows."""
    return is_numbering(sentence) or (pieces.is_cut and not is_whole(sentence))


def _ended(told: Telling, prompt: Prompt, question: str, voice: Voice, *, ending: str, whole: bool) -> Written:
    """What was told with what has to be said at its end, and what it stands on."""
    if ending == "stopped" or (ending and told.shown):
        return Written(f"{told.shown}\n{phrase(ending, voice.language)}".strip(), tuple(told.sources))
    if told.shown and not prompt.passages:
        return Written(f"{told.shown}\n{phrase('general', voice.language)}", ())
    evidence = grounding.evidence(told.said, question, told.sources[0]) if told.sources else ""
    return Written(told.shown, tuple(told.sources), sanitise(evidence, told.addresses), bool(told.sources) and whole)


def quoted(question: str, passages: Sequence[Passage], voice: Voice) -> Written:
    """The best passage's own words in the place of a model's that stand on nothing, labelled as a quotation.

    Nothing when it has little of the question's words: then it is near, and holds no answer.
    """
    if not passages or not grounding.holds(question, passages[0]):
        return Written("", ())
    return quotation("quoted", question, passages[0], voice)


def untranslated(question: str, passages: Sequence[Passage], voice: Voice) -> Written:
    """The best passage's own words in the place of an answer in a language that nobody asked for.

    Where the passage is in another language than the answer was to be, that is said: the words are better than none.
    """
    if not passages:
        return Written("", ())
    words = grounding.extract(question, passages[0])
    if spoken(words) in {voice.language, ""}:
        return quoted(question, passages, voice)
    return quotation("quoted_foreign", question, passages[0], voice)


def quotation(label: str, question: str, passage: Passage, voice: Voice) -> Written:
    """The passage's words that come nearest to the question, under a label in the desk's voice."""
    words = grounding.extract(question, passage)
    text = voice.say(phrase(label, voice.language, words="{words}")).format(words=words)  # the words stay as written
    return Written(sanitise(text, grounding.sources([passage])), (passage,))


class Pieces:
    """A generation's pieces; between them it tells how long the wait is, and looks up whether it is still wanted.

    Attributes:
        stopped: somebody said stop.
        is_cut: all pieces have come, and they are not all that the model had to say.
    """

    def __init__(
        self, generation: Generation, reply: ReplyStream, watch: Watch, asked_in: str, *, deadline_s: float
    ) -> None:
        self.stopped = self.is_cut = False
        self._generation = generation
        self._reply = reply
        self._watch = watch
        self._asked_in = asked_in
        self._next_notice = 0.0
        self._began: float | None = time.monotonic()
        self._deadline = time.monotonic() + deadline_s

    @property
    def ending(self) -> str:
        """The phrase that says why it is not all; empty when it is."""
        return "stopped" if self.stopped else "cut" if self.is_cut else ""

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
            if happened == "stop" or (isinstance(self._reply, Stoppable) and self._reply.stopped):
                self.stopped = True
                self._generation.cancel()
                return
            if happened:
                self._generation.cancel()
                raise Interrupted(happened)
        self.is_cut = self._generation.completion.finish_reason in {"length", "deadline"}

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

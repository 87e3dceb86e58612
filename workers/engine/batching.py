"""Continuous batching: every step evaluates one token of each answer that is written, and a chunk of one prompt.

Prompts are read one after the other, since two that are read side by side both come late; the one with least left to
read first, with an age that grows on it. What a prompt shares with anything read before it is not read again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workers.counting import Tally
from workers.engine.answer import Answer
from workers.engine.cells import Cells, NoRoom, Row
from workers.engine.generation import LlamaGeneration
from workers.engine.model import Model
from workers.engine.placing import Placing
from workers.engine.prefixes import Kept, Prefixes, as_tokens, shared_prefix
from workers.engine.queue import Queue, turn
from workers.engine.rates import Pace
from workers.generation import FinishReason, GenerationFailed

log = logging.getLogger(__name__)

WORTH_KEEPING_TOKENS = 32
"""Fewer are read again as fast as they are restored."""


@dataclass(frozen=True, slots=True)
class Part:
    """An answer's rows in a batch; `at` is the place of its last one."""

    answer: Answer
    rows: Sequence[Row]
    at: int

    @property
    def wants_logits(self) -> bool:
        return self.rows[-1].wants_logits


class Batching:
    """Writes the answers of a queue, several at once. One thread calls it."""

    def __init__(
        self,
        model: Model,
        cells: Cells,
        prefixes: Prefixes,
        queue: Queue,
        placing: Placing,
        *,
        pace: Pace,
        tally: Tally,
        chunk_tokens: Callable[[], int],
    ) -> None:
        self._model = model
        self._cells = cells
        self._prefixes = prefixes
        self._queue = queue
        self._placing = placing
        self._pace = pace
        self._tally = tally
        self._chunk_tokens = chunk_tokens
        self._reuses = model.keeps_every_token
        self._answers: list[Answer] = []
        self._free = list(range(len(cells.tokens)))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._answers and not self._placing.has_work

    def step(self) -> None:
        """Take in what there is room for, evaluate one batch, give readers their text."""
        self._cells.give_up.down()
        for answer in [answer for answer in self._answers if answer.generation.over]:
            self._leave(answer)
        self._take_in()
        parts = self._parts()
        if parts:
            self._evaluate(parts)
        else:
            self._placing.read_ahead()

    def fail_all(self, error: GenerationFailed) -> None:
        """Fail everything that is being written."""
        for answer in list(self._answers):
            self._fail(answer, error)

    def _take_in(self) -> None:
        while self._free and (generation := self._queue.take(self.unread)) is not None:
            self._answers.append(Answer(generation, self._free.pop(), self._model))

    def unread(self, generation: LlamaGeneration) -> int:
        """How many tokens of a waiting prompt would have to be read now."""
        prompt = as_tokens(generation.request.prompt)
        running = (shared_prefix(as_tokens(self._cells.tokens[a.sequence]), prompt) for a in self._answers)
        shared = max(self._prefixes.shared_with(prompt), *running, 0)
        return len(prompt) - shared - self._placing.known_after(generation, shared)

    # One batch.

    def _parts(self) -> list[Part]:
        """What is evaluated next: the drawn token of who writes, and prompts up to the chunk, least left first."""
        parts: list[Part] = []
        rows = 0
        for answer in self._answers:
            if answer.writes:
                parts.append(Part(answer, [answer.next_row()], rows))
                rows += 1
        room = self._chunk_tokens() if rows else self._cells.batch_tokens
        for answer in sorted((a for a in self._answers if not a.writes), key=self._rest):
            if room <= 0:
                break
            self._match(answer)
            self._placing.place(answer)
            read = len(self._cells.tokens[answer.sequence])
            chunk = answer.prompt_rows(read, min(room, self._placing.read_until(answer) - read))
            rows, room = rows + len(chunk), room - len(chunk)
            parts.append(Part(answer, chunk, rows - 1))
        return parts

    def _rest(self, answer: Answer) -> float:
        """Its turn among the prompts that are read."""
        unread = self.unread(answer.generation) if not answer.matched else self._left(answer)
        return turn(self._pace.seconds(unread, 0), answer.generation.age_s)

    def _left(self, answer: Answer) -> int:
        read = len(self._cells.tokens[answer.sequence])
        return len(answer.prompt) - read - self._placing.known_after(answer.generation, read)

    def _match(self, answer: Answer) -> None:
        """Begin its sequence with what is known of its prompt, all but the last token: that one gives the logits."""
        if answer.matched:
            return
        answer.matched = True
        if self._reuses:
            self._begin_with_what_is_known(answer)
            self._placing.want(answer)
        answer.reused_tokens = len(self._cells.tokens[answer.sequence])
        self._tally.add(prompt_tokens=len(answer.prompt), reused_tokens=answer.reused_tokens)

    def _begin_with_what_is_known(self, answer: Answer) -> None:
        wanted = answer.prompt[:-1]
        kept, count = self._prefixes.longest(wanted)
        source, shared = self._longest_running(answer)
        if shared >= max(count, 1):
            self._cells.share(source, answer.sequence, shared)
        elif kept is not None and self._cells.restore(answer.sequence, kept.state, kept.tokens.tolist()):
            self._cells.cut(answer.sequence, count)

    def _longest_running(self, answer: Answer) -> tuple[int, int]:
        """The running sequence that has most in common with the prompt, and how many tokens that are."""
        others = [a.sequence for a in self._answers if a is not answer]
        wanted = answer.prompt[:-1]
        common = [(shared_prefix(as_tokens(self._cells.tokens[s]), wanted), s) for s in others]
        count, sequence = max(common, default=(0, 0))
        return sequence, count

    def _evaluate(self, parts: Sequence[Part]) -> None:
        began = time.monotonic()
        try:
            if not self._cells.evaluate([row for part in parts for row in part.rows]):
                return  # given up; who still wants an answer is in the next step
        except NoRoom as error:
            self._make_room(parts, error)
            return
        except GenerationFailed as error:
            self._find_culprit(parts, error)
            return
        self._measure(parts, time.monotonic() - began)
        self._draw(parts)

    def _draw(self, parts: Sequence[Part]) -> None:
        for part in parts:
            generation = part.answer.generation
            if not part.answer.writes:
                self._placing.remember(part.answer)
            generation.prompt_left = self._left(part.answer) if not part.answer.writes else 0
            if not part.wants_logits:
                continue
            try:
                reason = part.answer.draw(self._cells.logits(part.at))
            except GenerationFailed as error:
                self._fail(part.answer, error)
                continue
            if reason is not None:
                self._finish(part.answer, reason)

    def _make_room(self, parts: Sequence[Part], error: NoRoom) -> None:
        """Put off the youngest of several answers; one alone that does not fit is cut where it stands."""
        youngest = parts[-1].answer
        if len(self._answers) > 1 and not youngest.writes:
            self._leave(youngest, keep=True)
            self._queue.put_back(youngest.generation)
        elif youngest.writes:
            self._finish(youngest, "length")
        else:
            self._fail(youngest, error)

    def _find_culprit(self, parts: Sequence[Part], error: GenerationFailed) -> None:
        """Evaluate the parts one by one: only who fails alone has failed."""
        if len(parts) == 1:
            self._fail(parts[0].answer, error)
            return
        log.warning("a batch failed, its parts are tried one by one", extra={"parts": len(parts)})
        for part in parts:
            self._evaluate([Part(part.answer, part.rows, len(part.rows) - 1)])

    def _measure(self, parts: Sequence[Part], elapsed_s: float) -> None:
        written = sum(part.answer.writes for part in parts)
        read = sum(len(part.rows) for part in parts) - written
        self._pace.add_step(read, written, elapsed_s)
        self._tally.add(evaluated_tokens=read, batches=1, batch_rows=read + written)

    # The end of an answer.

    def _finish(self, answer: Answer, reason: FinishReason) -> None:
        generation = answer.generation
        self._pace.add_answer(generation.written_tokens)
        tokens = {"prompt_tokens": len(answer.prompt), "reused_tokens": answer.reused_tokens}
        tokens["completion_tokens"] = generation.written_tokens
        log.info("answer written", extra={**tokens, "elapsed_ms": round(1000 * generation.age_s)})
        self._leave(answer)
        generation.end(reason)

    def _fail(self, answer: Answer, error: GenerationFailed) -> None:
        self._leave(answer, keep=False)
        answer.generation.fail(error)

    def _leave(self, answer: Answer, *, keep: bool = True) -> None:
        """Free its sequence; what was read moves to the host's memory."""
        tokens = self._cells.tokens[answer.sequence]
        self._tally.add(completion_tokens=answer.generation.written_tokens)
        if keep and self._reuses and len(tokens) >= WORTH_KEEPING_TOKENS:
            state = self._cells.save(answer.sequence)
            kept = Kept(as_tokens(tokens), state, answer.generation.request.conversation)
            self._prefixes.keep(kept, begun_at=answer.generation.began)
        self._cells.cut(answer.sequence, 0)
        self._answers.remove(answer)
        self._free.append(answer.sequence)

"""Passages evaluated once: what was computed of a passage goes into every prompt that holds it, wherever it stands.

A passage's first tokens are evaluated anew in their place, where they can look at what comes before; the rest is put
after them, its keys turned to the new place. It then has not looked at what comes before it, so it is not exactly what
evaluating it would have given (docs/decisions/passages-once.md says what that costs).
"""

from __future__ import annotations

import logging
from dataclasses import replace

from workers.counting import Tally
from workers.engine.answer import Answer
from workers.engine.cells import Cells
from workers.engine.generation import LlamaGeneration
from workers.engine.layers import Layers
from workers.engine.passages import SHORTEST_TOKENS, Passages
from workers.engine.prefixes import Kept
from workers.engine.rotation import Rotation
from workers.generation import GenerationFailed

log = logging.getLogger(__name__)

EVALUATED_ANEW_TOKENS = 8
"""As many of a passage's first tokens; 16 were no better (docs/decisions/passages-once.md)."""
WORTH_PLACING_TOKENS = 16


class Placing:
    """Puts passages into sequences, and reads those that were asked for. The engine's thread calls it."""

    def __init__(
        self, cells: Cells, passages: Passages, *, opening: Kept | None, rotation: Rotation | None, tally: Tally
    ) -> None:
        """Off where there is no opening that all chats share, or the model turns its keys in no known way."""
        self._cells = cells
        self._passages = passages
        self._opening = opening
        self._begins = tuple(opening.tokens.tolist()) if opening else ()
        self._rotation = rotation
        self._tally = tally

    @property
    def is_on(self) -> bool:
        """Whether passages can be placed with this model."""
        return self._opening is not None and self._rotation is not None

    # For prompts that are read.

    def want(self, answer: Answer) -> None:
        """Have the passages of its prompt read when there is time."""
        if not self.is_on:
            return
        long_enough = [answer.tokens_of(span) for span in answer.passages if len(span) >= SHORTEST_TOKENS]
        self._passages.want(long_enough, begun_at=answer.generation.began)

    def known_after(self, generation: LlamaGeneration, read: int) -> int:
        """How many of a prompt's tokens can be placed when it is read so far."""
        prompt = generation.request.prompt
        spans = [span for span in generation.request.passages if prompt[span.start : span.stop] in self._passages]
        return sum(max(span.stop - max(span.start + EVALUATED_ANEW_TOKENS, read), 0) for span in spans)

    def place(self, answer: Answer) -> None:
        """Let its sequence go on with the passages that are known, as long as it stands within one."""
        while (span := self._next(answer)) is not None:
            read = len(self._cells.tokens[answer.sequence])
            if read < span.start + EVALUATED_ANEW_TOKENS:
                return
            if not self._put(answer, span, read):
                answer.passages.remove(span)

    def read_until(self, answer: Answer) -> int:
        """Up to which place its prompt is read before something can be placed."""
        span = self._next(answer)
        return len(answer.prompt) if span is None else span.start + EVALUATED_ANEW_TOKENS

    def remember(self, answer: Answer) -> None:
        """Keep its first passage, if that was computed after the opening alone and has been read."""
        spans = answer.generation.request.passages
        if not self.is_on or not spans or len(spans[0]) < SHORTEST_TOKENS:
            return
        span, passage = spans[0], answer.tokens_of(spans[0])
        has_read = len(self._cells.tokens[answer.sequence]) >= span.stop
        if has_read and passage not in self._passages and answer.tokens_of(range(span.start)) == self._begins:
            layers = Layers.of(self._cells.save_part(answer.sequence, span.start, span.stop))
            self._passages.keep(passage, layers, begun_at=answer.generation.began)

    def _next(self, answer: Answer) -> range | None:
        """The next passage that is known and of which enough is still to be read."""
        read = len(self._cells.tokens[answer.sequence])
        ahead = (span for span in answer.passages if span.stop - read >= WORTH_PLACING_TOKENS)
        return next((span for span in ahead if answer.tokens_of(span) in self._passages), None)

    def _put(self, answer: Answer, span: range, read: int) -> bool:
        """Place what is left of a passage; False when it cannot be."""
        layers = self._passages.find(answer.tokens_of(span))
        if layers is None or self._rotation is None:
            return False
        rest = layers.after(read - span.start)
        keys = self._rotation.moved(rest.keys, span.start - len(self._begins))
        placed = self._cells.append(
            answer.sequence, replace(rest, keys=keys).state(read), answer.tokens_of(range(read, span.stop))
        )
        if placed:
            answer.reused_tokens += rest.tokens
            self._tally.add(reused_tokens=rest.tokens, placed_tokens=rest.tokens)
        return placed

    # While nobody waits.

    @property
    def has_work(self) -> bool:
        """Whether a passage waits to be read."""
        return self._passages.has_wishes

    def read_ahead(self) -> None:
        """Read the passage that was asked for last, with all sequences empty; one that fails is not tried again."""
        wish = self._passages.take_wish()
        if wish is None or self._opening is None:
            return
        passage, begun_at = wish
        try:
            layers = self._read_after_opening(passage, self._opening)
            if layers is None:
                self._passages.want([passage], begun_at=begun_at)
            else:
                self._passages.keep(passage, layers, begun_at=begun_at)
        except GenerationFailed as error:
            log.warning("a passage could not be read ahead", extra={"reason": str(error)})
        finally:
            self._cells.cut(0, 0)

    def _read_after_opening(self, passage: tuple[int, ...], opening: Kept) -> Layers | None:
        """Its keys and values; None when reading was given up since somebody came."""
        if not self._cells.restore(0, opening.state, opening.tokens.tolist()):
            raise GenerationFailed("the opening could not be restored")
        if not self._cells.read(0, passage):
            return None
        self._tally.add(ahead_tokens=len(passage))
        start = len(self._begins)
        return Layers.of(self._cells.save_part(0, start, start + len(passage)))

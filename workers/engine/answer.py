"""One answer in the making: where its sequence stands, and what is drawn next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.engine.cells import Row
from workers.engine.constraint import Constraint
from workers.engine.generation import LlamaGeneration
from workers.engine.model import Model
from workers.engine.prefixes import as_tokens
from workers.engine.sampling import Sampler
from workers.engine.text import TextStream
from workers.generation import FinishReason


class Answer:
    """A generation that has a sequence of the cells; it reads its prompt, then draws token after token."""

    def __init__(self, generation: LlamaGeneration, sequence: int, model: Model) -> None:
        self.generation = generation
        self.sequence = sequence
        self.prompt = as_tokens(generation.request.prompt)
        self.passages = list(generation.request.passages)
        """Those that may still be placed."""
        self.reused_tokens = 0
        self.matched = False
        """Whether it was looked up what of its prompt is known: as late as possible, more may be known by then."""
        self._model = model
        grammar = generation.request.grammar
        self._sampler = Sampler(generation.request.sampling, Constraint(grammar, model) if grammar else None)
        self._text = TextStream(generation.request.stop)
        self._drawn: int | None = None

    @property
    def writes(self) -> bool:
        """Whether its prompt is read."""
        return self._drawn is not None

    def next_row(self) -> Row:
        """The row of the token that was drawn last.

        Raises:
            ValueError: its prompt is still to be read.
        """
        if self._drawn is None:
            raise ValueError("nothing was drawn yet")
        return Row(self.sequence, self._drawn, wants_logits=True)

    def tokens_of(self, span: range) -> tuple[int, ...]:
        """A part of its prompt."""
        return self.generation.request.prompt[span.start : span.stop]

    def prompt_rows(self, read: int, most: int) -> list[Row]:
        """Rows of the prompt, which is read up to `read`; the last row of all wants logits."""
        chunk: Sequence[int] = self.prompt[read : read + most].tolist()
        rows = [Row(self.sequence, token) for token in chunk[:-1]]
        return [*rows, Row(self.sequence, chunk[-1], wants_logits=read + len(chunk) == len(self.prompt))]

    def draw(self, logits: NDArray[np.float32]) -> FinishReason | None:
        """Draw the next token and give its text to the reader; why the answer ends with it, if it does."""
        token = self._sampler.draw(logits)
        if self._model.ends_answer(token):
            return self._ended("stop")
        self.generation.written_tokens += 1
        self.generation.write(self._text.feed(self._model.piece(token)))
        if self._text.stopped:
            return "stop"
        if self.generation.written_tokens == self.generation.request.max_tokens:
            return self._ended("length")
        self._drawn = token
        return None

    def _ended(self, reason: FinishReason) -> FinishReason:
        self.generation.write(self._text.flush())
        return reason

"""One answer being written: the engine's thread writes at one end, a caller reads at the other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from workers.generation import Completion, FinishReason, GenerationError, Sampling

SIGN_OF_LIFE_S = 0.4


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asked for; `deadline` is on the monotonic clock."""

    prompt: tuple[int, ...]
    max_tokens: int
    deadline: float
    sampling: Sampling
    stop: tuple[str, ...]
    conversation: str = ""
    grammar: str = ""
    """GBNF that the answer must follow; empty: none."""
    passages: tuple[range, ...] = ()
    """Where the prompt quotes documents, as places of its tokens."""


class Host(Protocol):
    """Who writes: tells the place and the wait of a generation, and hears when one ended."""

    def place(self, generation: LlamaGeneration) -> int: ...

    def expected_wait_s(self, generation: LlamaGeneration) -> float: ...

    def ended(self, generation: LlamaGeneration) -> None: ...


class LlamaGeneration:
    """Implements `workers.generation.Generation`. It ends once, whoever comes first: writer, reader or deadline."""

    def __init__(self, request: Request, host: Host) -> None:
        self.request = request
        self.prompt_left = len(request.prompt)
        self.written_tokens = 0
        self.began = time.monotonic()
        self._host = host
        self._lock = threading.Lock()
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._text: list[str] = []
        self._reason: FinishReason | None = None
        self._error: GenerationError | None = None

    # The caller's end.

    def __iter__(self) -> Iterator[str]:
        """Pieces of text as they come; leaving the loop, or losing the iterator, cancels."""
        try:
            while (piece := self._next()) is not None:
                yield piece
            if self._error is not None:
                raise self._error
        finally:
            self.cancel()

    @property
    def place(self) -> int:
        """How many generations come before this one."""
        return self._host.place(self)

    @property
    def expected_wait_s(self) -> float:
        """Seconds until its first text is expected."""
        return 0.0 if self._text or self.over else self._host.expected_wait_s(self)

    @property
    def completion(self) -> Completion:
        """What came of it.

        Raises:
            GenerationError: it failed.
            RuntimeError: it has not ended.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._reason is None:
                raise RuntimeError("the generation has not ended")
            return Completion("".join(self._text), len(self.request.prompt), self.written_tokens, self._reason)

    def cancel(self) -> None:
        """End it at the next step."""
        self.end("cancelled")

    # The writer's end.

    @property
    def age_s(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self.began

    @property
    def over(self) -> bool:
        """Whether nobody waits for more of it; looks at the deadline too."""
        if time.monotonic() >= self.request.deadline:
            self.end("deadline")
        return self._ended

    def write(self, text: str) -> None:
        """Give the reader more text; nothing once it has ended."""
        with self._lock:
            if text and not self._ended:
                self._text.append(text)
                self._pieces.put(text)

    def end(self, reason: FinishReason) -> None:
        """End it for that reason, unless it has ended."""
        self._end(reason, None)

    def fail(self, error: GenerationError) -> None:
        """End it with an error, unless it has ended."""
        self._end(None, error)

    @property
    def _ended(self) -> bool:
        return self._reason is not None or self._error is not None

    def _end(self, reason: FinishReason | None, error: GenerationError | None) -> None:
        with self._lock:
            if self._ended:
                return
            self._reason, self._error = reason, error
            self._pieces.put(None)
        self._host.ended(self)

    def _next(self) -> str | None:
        """The next piece, "" when none came in time, None at the end (and again after it)."""
        left_s = self.request.deadline - time.monotonic()
        try:
            piece = self._pieces.get(timeout=max(min(SIGN_OF_LIFE_S, left_s), 0.0))
        except queue.Empty:
            # The deadline is kept here as well: the writer may be busy with somebody else's long step.
            return None if self.over and self._pieces.empty() else ""
        if piece is None:
            self._pieces.put(None)
        return piece


def request_of(
    prompt: Sequence[int],
    *,
    max_tokens: int,
    deadline_s: float,
    sampling: Sampling,
    stop: Sequence[str],
    conversation: str = "",
    grammar: str = "",
    passages: tuple[range, ...] = (),
) -> Request:
    """The request with its deadline on the clock, from now."""
    deadline = time.monotonic() + deadline_s
    return Request(tuple(prompt), max_tokens, deadline, sampling, tuple(stop), conversation, grammar, passages)

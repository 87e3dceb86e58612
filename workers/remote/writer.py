"""Writing one answer from what a server says: asked again while nobody has seen anything of it, and never after."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from workers.counting import Tally
from workers.engine.generation import LlamaGeneration
from workers.engine.rates import Pace
from workers.generation import GenerationError, GenerationFailed
from workers.remote.dialects import JSON
from workers.remote.refusals import ServerBusy, ServerFailed
from workers.remote.server import Server, Wire
from workers.remote.stream import StreamBroken, Usage

log = logging.getLogger(__name__)

PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Before each further try."""


class Writer:
    """Writes answers, each in a thread of the caller's; what they took is counted."""

    def __init__(self, server: Server, pace: Pace, tally: Tally, lost: Callable[[], None]) -> None:
        """A writer that calls `lost` when the server took nothing in, however often it was asked."""
        self._server = server
        self._pace = pace
        self._tally = tally
        self._lost = lost
        self._lock = threading.Lock()

    def write(self, generation: LlamaGeneration, body: JSON, wire: Wire) -> None:
        """Write one answer to its end; whatever happens, it ends."""
        try:
            error = self._tried(generation, body, wire)
        except Exception as unforeseen:
            log.exception("an answer failed")
            error = GenerationFailed(f"the answer failed: {type(unforeseen).__name__}")
        if error is not None and not generation.over:
            log.warning("no answer from the language model's server", extra={"reason": str(error)})
            generation.fail(error)

    def _tried(self, generation: LlamaGeneration, body: JSON, wire: Wire) -> GenerationError | None:
        """Ask until there is an answer; why there is none in the end."""
        for pause_s in (*PAUSES_S, None):
            try:
                self._read(generation, body, wire)
            except (ServerBusy, ServerFailed, StreamBroken) as error:
                if pause_s is None or generation.written_tokens:
                    if isinstance(error, ServerBusy):
                        self._lost()  # who comes next waits until it is found again
                    return error
                asked_for_s = error.retry_after_s if isinstance(error, ServerBusy) else 0.0
                if wire.wait(max(pause_s, asked_for_s)):
                    return None
            except GenerationError as error:
                return error
            else:
                return None
        return None

    def _read(self, generation: LlamaGeneration, body: JSON, wire: Wire) -> None:
        """Give the reader what the server says, and count it."""
        began, first, usage, reason = time.monotonic(), 0.0, None, None
        for piece in self._server.stream(body, wire):
            if piece.text:
                first = first or time.monotonic()
                generation.written_tokens += 1  # pieces, until the server says how many tokens they were
                generation.write(piece.text)
            reason, usage = piece.reason or reason, piece.usage or usage
        now = time.monotonic()
        usage = usage or Usage(len(generation.request.prompt), 0, generation.written_tokens)
        self._count(usage, (first or now) - began, now - (first or now))
        generation.written_tokens = usage.completion_tokens
        generation.end(reason or "stop")

    def _count(self, usage: Usage, read_s: float, write_s: float) -> None:
        evaluated = usage.prompt_tokens - usage.reused_tokens
        self._tally.add(
            prompt_tokens=usage.prompt_tokens,
            reused_tokens=usage.reused_tokens,
            evaluated_tokens=evaluated,
            completion_tokens=usage.completion_tokens,
        )
        with self._lock:
            self._pace.add_answer(usage.completion_tokens)
            if evaluated > 0:
                self._pace.add_step(evaluated, 0, read_s)
            if usage.completion_tokens > 1:
                self._pace.add_step(0, usage.completion_tokens - 1, write_s)

"""A model for tests: it knows its answers by heart, speaks at a set speed, and can hang, fail or say nothing."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from workers.generation import (
    ChatMessage,
    Completion,
    FinishReason,
    GenerationFailed,
    GeneratorBusy,
    Load,
    Prompt,
    PromptTooLong,
    Sampling,
)

SIGN_OF_LIFE_S = 0.05
CLOSE_WITHIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Script:
    """What the model does with the prompts that it is for.

    Args:
        matches: whether it is for this prompt; the first script that matches is played.
        answer: the text, or how it follows from the prompt; the empty text says nothing at all.
        error: raised in the place of the answer's end.
        hangs: after the answer nothing more comes until the generation is cancelled or its deadline passes.
        stuck: after the answer the model's thread hangs in a step for good, whatever is cancelled.
        seconds_per_piece: the speed.
    """

    answer: str | Callable[[Prompt], str] = ""
    matches: Callable[[Prompt], bool] = lambda _prompt: True
    error: GenerationFailed | None = None
    hangs: bool = False
    stuck: bool = False
    seconds_per_piece: float = 0.0


def asks(words: str) -> Callable[[Prompt], bool]:
    """A predicate: the last message has these words."""
    return lambda prompt: words in prompt.messages[-1].text


ECHO = Script(answer=lambda prompt: prompt.messages[-1].text)


class ScriptedGenerator:
    """Implements `workers.generation.Generator` without a model. A token is a character; answers come one at a time."""

    def __init__(
        self, scripts: Sequence[Script] = (ECHO,), *, context_tokens: int = 100_000, queue_limit: int = 64
    ) -> None:
        self.scripts = list(scripts)
        self.prompts: list[Prompt] = []
        self.conversations: list[str] = []
        self.forgotten: list[str] = []
        self.ready = True
        self.broken = False
        self._context_tokens = context_tokens
        self._queue_limit = queue_limit
        self._steps = 0
        self._step: int | None = None
        self._lock = threading.Lock()
        self._line: list[ScriptedGeneration] = []
        self._jobs: queue.SimpleQueue[ScriptedGeneration | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together, at most."""
        return self._context_tokens

    def tokenize(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The characters of the chat, each message ended by a token that no text has."""
        turns = (itertools.chain((-ord(m.role[0]),), map(ord, m.text)) for m in messages)
        return (*itertools.chain.from_iterable(turns), -ord("a"))

    def count_tokens(self, text: str) -> int:
        """The characters of the text."""
        return len(text)

    def submit(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        deadline_s: float,
        sampling: Sampling,
        stop: Sequence[str] = (),
        conversation: str = "",
    ) -> ScriptedGeneration:
        """Queue a generation, within the same limits as the real one."""
        if len(prompt.token_ids) + max_tokens > self._context_tokens:
            raise PromptTooLong(f"{len(prompt.token_ids)} and {max_tokens} tokens")
        script = next(script for script in self.scripts if script.matches(prompt))
        generation = ScriptedGeneration(
            self, script, prompt, max_tokens=max_tokens, deadline=time.monotonic() + deadline_s, stop=stop
        )
        with self._lock:
            if len(self._line) > self._queue_limit:
                raise GeneratorBusy("full")
            self.prompts.append(prompt)
            self.conversations.append(conversation)
            self._line.append(generation)
        self._jobs.put(generation)
        return generation

    @property
    def load(self) -> Load:
        """How busy it is."""
        with self._lock:
            here = len(self._line)
        return Load(
            self.ready,
            running=min(here, 1),
            waiting=max(here - 1, 0),
            prompt_tokens_per_s=1000.0,
            completion_tokens_per_s=100.0,
            step=self._step,
            broken=self.broken,
        )

    def forget(self, conversation: str) -> None:
        """Note that it was told to."""
        self.forgotten.append(conversation)

    def forget_all(self) -> None:
        """Note that it was told to: every conversation that was asked in."""
        self.forgotten.extend(self.conversations)

    def abandon_step(self) -> None:
        """Fail the generation that is first in the line."""
        with self._lock:
            first = self._line[:1]
        for generation in first:
            generation.fail(GenerationFailed("a step of the model took too long"))

    def close(self) -> bool:
        """Cancel everything and end; False when a script is stuck."""
        with self._lock:
            line = list(self._line)
        for generation in line:
            generation.cancel()
        self._jobs.put(None)
        self._thread.join(CLOSE_WITHIN_S)
        return not self._thread.is_alive()

    def place_of(self, generation: ScriptedGeneration) -> int:
        """How many come before it."""
        with self._lock:
            return self._line.index(generation) if generation in self._line else 0

    def leave(self, generation: ScriptedGeneration) -> None:
        """Take an ended one out of the line."""
        with self._lock:
            if generation in self._line:
                self._line.remove(generation)

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """The block is a step of the model."""
        self._steps += 1
        self._step = self._steps
        yield
        self._step = None

    def _work(self) -> None:
        while (generation := self._jobs.get()) is not None:
            generation.play()


class ScriptedGeneration:
    """Implements `workers.generation.Generation`."""

    def __init__(
        self,
        host: ScriptedGenerator,
        script: Script,
        prompt: Prompt,
        *,
        max_tokens: int,
        deadline: float,
        stop: Sequence[str],
    ) -> None:
        self._host = host
        self._script = script
        self._prompt = prompt
        self._deadline = deadline
        text = script.answer if isinstance(script.answer, str) else script.answer(prompt)
        ends = [at for at in (text.find(s) for s in stop if s) if at >= 0]
        self._whole = text[: min(ends, default=len(text))]
        self._planned = self._whole[:max_tokens]
        self._said: list[str] = []
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._ending = threading.Lock()
        self._reason: FinishReason = "stop"
        self._error: GenerationFailed | None = None

    def __iter__(self) -> Iterator[str]:
        """Character by character; leaving the loop cancels."""
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
        return self._host.place_of(self)

    @property
    def expected_wait_s(self) -> float:
        """A second for each that comes before; 0.0 when text has come."""
        return 0.0 if self._said else float(self.place)

    @property
    def completion(self) -> Completion:
        """What came of it."""
        if self._error is not None:
            raise self._error
        return Completion("".join(self._said), len(self._prompt.token_ids), len(self._said), self._reason)

    def cancel(self) -> None:
        """End it."""
        self._end("cancelled")

    def fail(self, error: GenerationFailed) -> None:
        """End it with an error."""
        self._end("stop", error)

    def play(self) -> None:
        """Say the scripted answer; for the generator's thread."""
        for character in self._planned:
            with self._host.stepping():
                self._over.wait(self._script.seconds_per_piece)
            if self._late():
                return
            with self._ending:
                if not self._over.is_set():
                    self._said.append(character)
                    self._pieces.put(character)
        if self._script.stuck:
            with self._host.stepping():
                threading.Event().wait()
        if self._script.hangs:
            self._over.wait(self._deadline - time.monotonic())
            self._late()
        self._end("stop" if self._planned == self._whole else "length", self._script.error)

    def _late(self) -> bool:
        if time.monotonic() >= self._deadline:
            self._end("deadline")
        return self._over.is_set()

    def _end(self, reason: FinishReason, error: GenerationFailed | None = None) -> None:
        with self._ending:
            if self._over.is_set():
                return
            self._reason, self._error = reason, error
            self._over.set()
            self._pieces.put(None)
        self._host.leave(self)

    def _next(self) -> str | None:
        try:
            piece = self._pieces.get(timeout=SIGN_OF_LIFE_S)
        except queue.Empty:
            self._late()
            return ""
        if piece is None:
            self._pieces.put(None)
        return piece

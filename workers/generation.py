"""Generation: what the rest of the work knows of a language model. `workers/engine` implements it on llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.errors import MadoguchiError
from knowledge.documents import Passage

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled", "deadline"]


class GenerationError(MadoguchiError):
    """The root of what generation raises."""


class PromptTooLong(GenerationError):
    """The prompt and the wished answer do not fit the context; nothing was evaluated."""


class GeneratorBusy(GenerationError):
    """The queue is full; nothing was taken in."""


class NotInTime(GenerationError):
    """No answer is to be expected in time: the model is not there, or what comes before takes too long."""


class ConstraintInvalid(GenerationError):
    """The grammar or the JSON schema cannot be used; nothing was evaluated."""


class GenerationFailed(GenerationError):
    """The model failed on this one generation; others go on."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat; its text is data: control tokens in it stay text."""

    role: Role
    text: str
    quoted: tuple[str, ...] = ()
    """Parts of the text, in their order, that stand in documents: other chats may quote them as well."""

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, and of each whether it is quoted.

        Raises:
            ValueError: a quoted part is not in the text, or not in this order.
        """
        end = 0
        for quotation in self.quoted:
            start = self.text.find(quotation, end)
            if start < 0:
                raise ValueError("a quoted part is not in the message")
            yield self.text[end:start], False
            end = start + len(quotation)
            yield quotation, True
        yield self.text[end:], False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is given: the chat, the passages in its last message, and all of it as the model's own tokens."""

    messages: tuple[ChatMessage, ...]
    passages: tuple[Passage, ...]
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished generation; `text` has everything that was streamed, counts are in tokens."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Grammar:
    """Only texts of this grammar, from its rule `root` on: llama.cpp's GBNF, which vLLM and Ollama do not know."""

    gbnf: str


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """Only JSON of this schema. What the engine can keep to is told at `workers.engine.json_schema.gbnf_of`."""

    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. The defaults are for answers from documents: the first choice, free to repeat words.

    With a `constraint` the text of a generation that ends with `stop`, and not at a stop string, is complete; one that
    ends for another reason is cut: no more than the beginning of what was asked for.
    """

    temperature: float = 0.0
    top_p: float = 0.9
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None
    constraint: Grammar | JsonSchema | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a generator has done since it was made. The tokens of a prompt were either known already or evaluated."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    evaluated_tokens: int = 0
    placed_tokens: int = 0
    """Those of the known ones that were known from a passage at another place."""
    ahead_tokens: int = 0
    """Tokens of passages that were read while nobody waited; in no prompt."""
    completion_tokens: int = 0
    batches: int = 0
    """Calls of the model; 0 where they are not ours to see."""
    batch_rows: int = 0
    """Tokens that went into them: of prompts, and one of each answer that was being written."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the generator is, and how fast it has been (tokens a second, measured; 0.0 before the first answer).

    `step` is the number of the model's step (a chunk of a prompt, a token) that is under way, None between steps. One
    that stays the same for long hangs.
    """

    ready: bool
    running: int
    waiting: int
    prompt_tokens_per_s: float
    completion_tokens_per_s: float
    step: int | None = None
    broken: bool = False
    """The model could not be loaded: nobody has to wait for it."""
    kept_bytes: int = 0
    """Memory for what was evaluated before and may be used again."""
    counts: Counts = Counts()


class Generation(Protocol):
    """One answer being written. Iterate it once, from one thread; the other members may be used from any."""

    def __iter__(self) -> Iterator[str]:
        """Pieces of text as they come, never a part of a character; an empty piece is only a sign of life.

        While the generation waits or the prompt is evaluated, an empty piece comes at least every half second, so that
        a caller can look up, tell the place in the queue, or cancel. Leaving the loop early cancels.

        Raises:
            GenerationFailed: the model failed on this generation.
            GeneratorBusy, PromptTooLong: a model behind a network told so only now; nothing was evaluated.
        """
        ...

    @property
    def place(self) -> int:
        """How many generations come before this one; 0 when it runs or has ended."""
        ...

    @property
    def expected_wait_s(self) -> float:
        """Seconds until its first text is expected, from measured rates; 0.0 when text has come."""
        ...

    @property
    def completion(self) -> Completion:
        """What came of it; only after the iteration ended."""
        ...

    def cancel(self) -> None:
        """End it at the next step; the iteration ends normally with finish_reason `cancelled`."""
        ...


class Generator(Protocol):
    """A loaded (or loading) model that many callers share; every member may be used from any thread."""

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together, at most. Waits until the model is loaded."""
        ...

    def tokenize(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The chat through the model's own template with the assistant's turn opened. Waits until the model is loaded.

        A chat that begins like another one gives tokens that begin like the other's.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a plain text."""
        ...

    def submit(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        deadline_s: float,
        sampling: Sampling,
        stop: Sequence[str] = (),
        conversation: str = "",
    ) -> Generation:
        """Begin (or queue) a generation; `deadline_s` counts from now and includes the wait.

        Args:
            conversation: whose words are in the prompt, so that what is kept of it can be forgotten.

        Raises:
            PromptTooLong, GeneratorBusy, ConstraintInvalid
        """
        ...

    @property
    def load(self) -> Load:
        """How busy it is; never waits."""
        ...

    def forget(self, conversation: str) -> None:
        """Let go of everything that was computed from this conversation's words; returns when it is gone."""
        ...

    def forget_all(self) -> None:
        """Let go of everything that was computed from anybody's words and from documents."""
        ...

    def abandon_step(self) -> None:
        """Give up the step under way, if the model still reacts; its generation fails in any case, others go on."""
        ...

    def close(self) -> bool:
        """Cancel everything and free the model; False when it hangs and was left behind."""
        ...

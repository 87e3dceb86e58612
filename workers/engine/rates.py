"""How fast the model is, as measured, and what that means for who waits."""

from __future__ import annotations

from dataclasses import dataclass, field

# Before anything was measured: an ordinary CPU with a model of one or two billion parameters.
FIRST_GUESS_PROMPT_PER_S = 50.0
FIRST_GUESS_COMPLETION_PER_S = 10.0
FIRST_GUESS_ANSWER_TOKENS = 64.0
NEWEST_ANSWER = 0.2
"""The weight of the newest answer in the typical length."""


class Rate:
    """Tokens a second, exponentially smoothed: after `half_life_tokens` more a measurement counts half."""

    def __init__(self, half_life_tokens: float) -> None:
        self._half_life_tokens = half_life_tokens
        self._tokens = 0.0
        self._seconds = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """Count so many tokens in so many seconds."""
        fading = 0.5 ** (tokens / self._half_life_tokens)
        self._tokens = self._tokens * fading + tokens
        self._seconds = self._seconds * fading + seconds

    @property
    def per_s(self) -> float:
        """The smoothed rate; 0.0 before anything was measured."""
        return self._tokens / self._seconds if self._seconds > 0 else 0.0


@dataclass(slots=True)
class Pace:
    """The rates of both kinds of work, and how long answers are."""

    prompt: Rate = field(default_factory=lambda: Rate(half_life_tokens=2_000))
    completion: Rate = field(default_factory=lambda: Rate(half_life_tokens=200))
    _typical_tokens: float = FIRST_GUESS_ANSWER_TOKENS

    def add_step(self, read_tokens: int, written_tokens: int, seconds: float) -> None:
        """Count a step. Where prompt is read a written token costs about what a read one does: nothing is learnt of
        writing then."""
        if read_tokens:
            self.prompt.add(read_tokens, seconds * read_tokens / (read_tokens + written_tokens))
        else:
            self.completion.add(written_tokens, seconds)

    def add_answer(self, tokens: int) -> None:
        """Count the length of one more answer."""
        self._typical_tokens += NEWEST_ANSWER * (tokens - self._typical_tokens)

    def answer_left(self, written_tokens: int, max_tokens: int) -> float:
        """Tokens that an answer is expected to have still before it."""
        return max(min(self._typical_tokens, max_tokens) - written_tokens, 0.0)

    def seconds(self, prompt_tokens: float, completion_tokens: float) -> float:
        """How long so much work is expected to take."""
        prompt_per_s = self.prompt.per_s or FIRST_GUESS_PROMPT_PER_S
        completion_per_s = self.completion.per_s or FIRST_GUESS_COMPLETION_PER_S
        return prompt_tokens / prompt_per_s + completion_tokens / completion_per_s

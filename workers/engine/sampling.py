"""Drawing the next token from the model's logits."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from workers.engine.constraint import Constraint, Logits
from workers.generation import Sampling

REMEMBERED_TOKENS = 64
"""A token is penalised when it is among so many last ones of the answer (llama.cpp's own default)."""
NEGLIGIBLE = 1e-6
"""Tokens this much less likely than the first are never drawn; sorting 150,000 candidates costs more than a step."""


def check_sampling(sampling: Sampling) -> None:
    """Return when tokens can be drawn that way.

    Raises:
        ValueError
    """
    if not 0.0 <= sampling.temperature < math.inf:
        raise ValueError("temperature must be 0 or more")
    if not (0.0 < sampling.top_p <= 1.0 and 0.0 <= sampling.min_p <= 1.0):
        raise ValueError("top_p must be above 0 and at most 1, min_p from 0 to 1")
    if not 0.0 < sampling.repeat_penalty < math.inf:
        raise ValueError("repeat_penalty must be above 0")


class Sampler:
    """Draws the tokens of one answer; the same seed and logits give the same tokens."""

    def __init__(self, sampling: Sampling, constraint: Constraint | None = None) -> None:
        self._sampling = sampling
        self._constraint = constraint
        self._random = np.random.default_rng(None if sampling.seed is None else abs(sampling.seed))
        self._recent: deque[int] = deque(maxlen=REMEMBERED_TOKENS)

    def draw(self, logits: Logits) -> int:
        """The next token: repeat penalty, then min-p and top-p at temperature 1, then the temperature.

        Raises:
            GenerationFailed: the constraint allows none.
        """
        penalised = self._penalised(logits)
        token = self._choice(penalised)
        if self._constraint is not None and not self._constraint.allows(token):
            token = self._choice(self._constraint.filtered(penalised))
        self._recent.append(token)
        if self._constraint is not None:
            self._constraint.accept(token)
        return token

    def _choice(self, logits: Logits) -> int:
        return self._first(logits) if self._sampling.temperature == 0 else self._drawn(logits)

    def _penalised(self, logits: Logits) -> Logits:
        penalised = logits.copy()
        seen = list(set(self._recent))
        penalty = self._sampling.repeat_penalty
        penalised[seen] = np.where(penalised[seen] > 0, penalised[seen] / penalty, penalised[seen] * penalty)
        return penalised

    @staticmethod
    def _first(logits: Logits) -> int:
        return int(logits.argmax())

    def _drawn(self, logits: Logits) -> int:
        peak = float(logits.max())
        likely = np.flatnonzero(logits >= peak + math.log(max(self._sampling.min_p, NEGLIGIBLE)))
        ordered = likely[np.argsort(-logits[likely], kind="stable")]
        share = np.cumsum(_probabilities(logits[ordered] - peak))
        nucleus = ordered[: int(np.searchsorted(share, self._sampling.top_p)) + 1]
        chances = _probabilities((logits[nucleus] - peak) / self._sampling.temperature)
        return int(self._random.choice(nucleus, p=chances))


def _probabilities(relative_logits: Logits) -> NDArray[np.float64]:
    weights = np.exp(relative_logits.astype(np.float64))
    total: NDArray[np.float64] = weights / weights.sum()
    return total

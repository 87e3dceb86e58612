"""Constrained answers: only tokens with which the text still follows a grammar.

To look at all of a vocabulary's 150,000 tokens takes 20 ms, which everybody whose answer is in the step waits for; to
look at one takes 0.1 ms. So a token is drawn first and looked at alone; only when it is refused are all of them looked
at, once, and another one drawn. What may be drawn, and how likely, is the same.

llama.cpp ends the whole process when a token is accepted that the grammar does not allow, so that is checked here.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.binding import llama_cpp
from workers.engine.json_schema import gbnf_of
from workers.engine.model import Model
from workers.generation import ConstraintInvalid, GenerationFailed, Grammar, JsonSchema

Logits = NDArray[np.float32]

MAX_GRAMMAR_BYTES = 20_000
"""llama.cpp reads a grammar recursively: 60,000 brackets overflow the stack of a thread, and end the process."""
_CANDIDATE = np.dtype([("token", np.int32), ("logit", np.float32), ("chance", np.float32)])
"""llama_token_data."""


def grammar_of(constraint: Grammar | JsonSchema | None, model: Model) -> str:
    """The GBNF of a constraint, tried on the model; empty where there is none.

    Raises:
        ConstraintInvalid
    """
    if constraint is None:
        return ""
    gbnf = gbnf_of(constraint.schema) if isinstance(constraint, JsonSchema) else constraint.gbnf
    Constraint(gbnf, model)
    return gbnf


class Constraint:
    """How far an answer has come in its grammar."""

    def __init__(self, gbnf: str, model: Model) -> None:
        """The beginning of a text of this grammar.

        Raises:
            ConstraintInvalid: it is no grammar, has no rule `root`, or begins a rule with itself.
        """
        source = gbnf.encode("utf-8", "replace")
        # To an empty one llama.cpp says nothing and allows everything; a zero byte would be its end.
        if not source.strip() or b"\0" in source or len(source) > MAX_GRAMMAR_BYTES:
            raise ConstraintInvalid(f"a grammar has from 1 to {MAX_GRAMMAR_BYTES} bytes, none of them zero")
        vocabulary = llama_cpp.llama_model_get_vocab(model.pointer)
        self._sampler: Any = llama_cpp.llama_sampler_init_grammar(vocabulary, source, b"root")
        if not self._sampler:
            raise ConstraintInvalid("llama.cpp cannot read the grammar; it says why on the standard error")
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._sampler).atexit = False
        self._tokens = np.arange(model.vocabulary_size, dtype=np.int32)

    def allows(self, token: int) -> bool:
        """Whether the text may go on, or end, with this token."""
        return bool(np.isfinite(self._applied(np.array([token]), np.zeros(1, np.float32)))[0])

    def filtered(self, logits: Logits) -> Logits:
        """The logits, minus infinity for every token with which the text may not go on.

        Raises:
            GenerationFailed: there is none with which it may.
        """
        allowed = self._applied(self._tokens, logits)
        if not np.isfinite(allowed.max()):
            raise GenerationFailed("the grammar cannot be followed with the tokens of this model")
        return allowed

    def accept(self, token: int) -> None:
        """Let the text go on, or end, with a token that is allowed."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def _applied(self, tokens: NDArray[np.int32], logits: Logits) -> Logits:
        candidates = np.empty(len(tokens), _CANDIDATE)
        candidates["token"], candidates["logit"], candidates["chance"] = tokens, logits, 0.0
        pointer = candidates.ctypes.data_as(llama_cpp.llama_token_data_p)
        array = llama_cpp.llama_token_data_array(pointer, len(tokens), -1, False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        applied: Logits = candidates["logit"].copy()
        return applied

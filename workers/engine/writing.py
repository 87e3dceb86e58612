"""Writing one answer: read the prompt in chunks, then draw token after token."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from workers.engine.context import Context
from workers.engine.generation import LlamaGeneration
from workers.engine.model import Model
from workers.engine.rates import Pace, Rate
from workers.engine.sampling import Sampler
from workers.engine.text import TextStream
from workers.generation import FinishReason
from workers.models.memory import CHUNK_TOKENS

log = logging.getLogger(__name__)


def write_answer(generation: LlamaGeneration, model: Model, context: Context, pace: Pace) -> None:
    """Write one answer to its end; returns within a step when nobody waits for it any more.

    Raises:
        GenerationFailed: llama.cpp failed on it.
    """
    began = time.monotonic()
    context.abort_on(generation.over_flag)
    kept = context.reuse(generation.request.prompt)
    if not _read_prompt(generation, context, pace, kept):
        return
    text = TextStream(generation.request.stop)
    reason = _draw_tokens(generation, text, model, context, pace)
    if reason is None:
        return
    if not text.stopped:
        generation.write(text.flush())
    pace.add_answer(generation.written_tokens)
    tokens = {"prompt_tokens": len(generation.request.prompt), "reused_tokens": kept}
    tokens["completion_tokens"] = generation.written_tokens
    log.info("answer written", extra={**tokens, "elapsed_ms": round(1000 * (time.monotonic() - began))})
    generation.end(reason)


def _read_prompt(generation: LlamaGeneration, context: Context, pace: Pace, kept: int) -> bool:
    """Evaluate what is not kept of the prompt; False when the generation ended meanwhile."""
    prompt = generation.request.prompt
    for start in range(kept, len(prompt), CHUNK_TOKENS):
        generation.prompt_left = len(prompt) - start
        chunk = prompt[start : start + CHUNK_TOKENS]
        is_last = start + len(chunk) == len(prompt)
        if generation.over or not _evaluate(context, chunk, pace.prompt, wants_logits=is_last):
            return False
    generation.prompt_left = 0
    return True


def _draw_tokens(
    generation: LlamaGeneration, text: TextStream, model: Model, context: Context, pace: Pace
) -> FinishReason | None:
    """Draw and write until the answer ends by itself; why it ended, None when nobody waits for it any more."""
    sampler = Sampler(generation.request.sampling)
    while not generation.over:
        token = sampler.draw(context.logits())
        if model.ends_answer(token):
            return "stop"
        generation.written_tokens += 1
        generation.write(text.feed(model.piece(token)))
        if text.stopped:
            return "stop"
        if generation.written_tokens == generation.request.max_tokens:
            return "length"
        if not _evaluate(context, (token,), pace.completion, wants_logits=True):
            break
    return None


def _evaluate(context: Context, tokens: Sequence[int], rate: Rate, *, wants_logits: bool) -> bool:
    """Evaluate the tokens, counting how fast; False when that was given up because nobody waits any more."""
    began = time.monotonic()
    if not context.evaluate(tokens, wants_logits=wants_logits):
        return False
    rate.add(len(tokens), time.monotonic() - began)
    return True

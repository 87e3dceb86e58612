"""What the engine counts, with a real small model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.desk import until
from workers.engine import LlamaEngine
from workers.generation import ChatMessage, Prompt, Sampling

pytestmark = pytest.mark.model


def test_every_token_of_a_prompt_was_known_or_is_evaluated(small_model: Path) -> None:
    chat = (
        ChatMessage("system", "You answer in one sentence, politely and exactly."),
        ChatMessage("user", "What is the capital of France?"),
    )
    engine = LlamaEngine(small_model, context_tokens=256)
    prompt = Prompt(chat, (), engine.tokenize(chat))
    for _ in range(2):
        list(engine.submit(prompt, max_tokens=5, deadline_s=60, sampling=Sampling()))
    until(lambda: engine.load.running == 0 and engine.load.counts.completion_tokens == 2 * 5)

    counts = engine.load.counts
    assert counts.prompt_tokens == 2 * len(prompt.token_ids) == counts.reused_tokens + counts.evaluated_tokens
    assert counts.reused_tokens == len(prompt.token_ids) - 1
    # The last token of an answer is drawn and not evaluated.
    assert counts.batch_rows == counts.evaluated_tokens + 2 * 4
    assert engine.load.kept_bytes > 0
    engine.close()

"""Files that cannot be loaded: callers hear why, and nobody waits for ever."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.fakes.gguf import llama
from workers.engine import LlamaEngine
from workers.generation import ChatMessage, GenerationFailed, Prompt, Sampling
from workers.replies import end_without_model

CHAT = (ChatMessage("user", "Hello"),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<html>", "does not begin with GGUF"), (llama()[:-5], "cut off"), (llama(), "could not load")],
)
def test_file_that_cannot_be_loaded_is_told_to_every_caller(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    engine = LlamaEngine(path)

    with pytest.raises(GenerationFailed, match=reason):
        engine.tokenize(CHAT)
    with pytest.raises(GenerationFailed, match=reason):
        engine.submit(Prompt(CHAT, (), (1,)), max_tokens=1, deadline_s=1, sampling=Sampling())
    assert reason in str(engine.load_error)
    assert not engine.load.ready
    engine.close()


def test_missing_file_is_told(tmp_path: Path) -> None:
    engine = LlamaEngine(tmp_path / "none.gguf")

    with pytest.raises(GenerationFailed, match="No such file"):
        engine.count_tokens("a")
    engine.close()


def test_process_whose_model_cannot_be_loaded_is_told_to_end(tmp_path: Path) -> None:
    engine = LlamaEngine(tmp_path / "none.gguf")
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))

    try:
        end_without_model(engine, after_s=0.0)
    finally:
        signal.signal(signal.SIGTERM, before)
    engine.close()

    assert told == [signal.SIGTERM]

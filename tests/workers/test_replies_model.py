"""Where the replies' process has its model from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.fakes.openai_server import MODEL, FakeServer
from tests.fakes.tiny_models import write_llama
from tests.workers.desk import until
from workers.engine.binding import llama_cpp
from workers.generation import ChatMessage, Generation, Generator, Prompt, Sampling
from workers.remote import RemoteGenerator
from workers.replies import open_generator
from workers.settings import WorkerSettings


def settings(**given: object) -> WorkerSettings:
    return WorkerSettings(_env_file=None, **given)  # type: ignore[arg-type, call-arg]


def test_model_behind_a_url_is_used_where_one_is_set() -> None:
    with FakeServer("vllm", key="k") as fake:
        generator = open_generator(settings(llm_url=fake.url, llm_model=MODEL, llm_api_key=SecretStr("k")))

        assert isinstance(generator, RemoteGenerator)
        assert generator.context_tokens == 1000
        assert generator.close()


@pytest.mark.parametrize("url", ["10.0.0.2:8000", "ftp://a", "http://"])
def test_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        settings(llm_url=url)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    write_llama(tmp_path / "tiny.gguf")
    return tmp_path / "tiny.gguf"


def submit(generator: Generator, text: str, max_tokens: int) -> Generation:
    chat = (ChatMessage("user", text),)
    prompt = Prompt(chat, (), generator.tokenize(chat))
    return generator.submit(prompt, max_tokens=max_tokens, deadline_s=60, sampling=Sampling())


@pytest.mark.parametrize(("layers", "warned"), [(-1, False), (0, False), (3, True)])
@pytest.mark.skipif(llama_cpp.llama_supports_gpu_offload(), reason="llama.cpp was built for a GPU")
def test_layers_for_a_gpu_that_llama_cannot_use_are_told(
    tiny: Path, layers: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    generator = open_generator(settings(llm_model=str(tiny), llm_gpu_layers=layers, data_path=tiny.parent))

    assert "".join(submit(generator, "Hello", 5))
    assert ("built without a GPU" in caplog.text) == warned
    assert generator.close()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call of llama.cpp evaluated."""
    decode, rows = llama_cpp.llama_decode, []

    def counted(context: Any, batch: Any) -> int:
        rows.append(batch.n_tokens)
        return int(decode(context, batch))

    monkeypatch.setattr(llama_cpp, "llama_decode", counted)
    return rows


def test_prompt_is_read_in_chunks_of_that_many_tokens_while_another_is_answered(tiny: Path, batches: list[int]) -> None:
    generator = open_generator(settings(llm_model=str(tiny), llm_chunk_tokens=8, data_path=tiny.parent))
    running = submit(generator, "a", max_tokens=1500)
    pieces = iter(running)
    until(lambda: next(pieces))
    batches.clear()

    assert "".join(submit(generator, "b" * 100, max_tokens=2))

    assert max(batches) == 8 + 1
    running.cancel()
    assert generator.close()

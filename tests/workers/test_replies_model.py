"""Where the replies' process has its model from."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from tests.fakes.openai_server import MODEL, FakeServer
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

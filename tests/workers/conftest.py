"""What tests of the work share: loopback sources of models, and one small real model for those that need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.downloads import Downloads, serve
from workers.models import resolve


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Downloads]:
    """An index that pip asks and a hub that huggingface_hub asks, and nothing else of this machine's configuration."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "HF_"))]:
        monkeypatch.delenv(name)
    with serve(Downloads()) as served:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{served.url}/simple/")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        # huggingface_hub reads HF_ENDPOINT once, when it is imported.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", served.url + template)
        yield served


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The smallest chat model of the catalogue, fetched once into MADOGUCHI_TEST_MODELS or data/models."""
    folder = Path(os.environ.get("MADOGUCHI_TEST_MODELS", "data/models"))
    return resolve("smollm2-135m-instruct", folder)

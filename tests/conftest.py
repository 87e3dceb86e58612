"""What all tests share: a real Valkey of their own, on a socket, with the configuration that the service uses."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from bot.store import connect
from workers.embedded import store_command

settings.register_profile("everywhere the same", deadline=None, derandomize=True)
settings.load_profile("everywhere the same")


@pytest.fixture(scope="session")
def store_url() -> Iterator[str]:
    """The URL of a store that lives for the test session."""
    with tempfile.TemporaryDirectory(prefix="mado-") as folder:
        socket = Path(folder) / "s.sock"
        with subprocess.Popen(store_command(Path(folder), socket), stdout=subprocess.DEVNULL) as server:
            url = f"unix://{socket}"
            _wait_until_it_answers(url)
            yield url
            server.terminate()


@pytest.fixture
def store(store_url: str) -> Iterator[redis.Redis]:
    """A client of an empty store."""
    client = connect(store_url)
    client.flushall()
    yield client
    client.close()


def _wait_until_it_answers(url: str, timeout_s: float = 10.0) -> None:
    client = connect(url)
    until = time.monotonic() + timeout_s
    while True:
        try:
            client.ping()
        except redis.RedisError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            client.close()
            return

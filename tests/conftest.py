"""What all tests share: a real Valkey of their own, on a socket, with the configuration that the service uses.

Their files lie in memory where there is room, since an index and a store flush to the disk at every step.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import trustme
from hypothesis import settings

from bot.store import connect
from workers.embedded import store_command

settings.register_profile("everywhere the same", deadline=None, derandomize=True)
settings.load_profile("everywhere the same")

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3
"""Several times what the tests have at the same time; a container's /dev/shm is often 64 MB."""


def pytest_configure() -> None:
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session", autouse=True)
def outside_nobody_is_trusted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The tests speak with this machine alone; only those that fetch a model need the authorities of the world.

    Each client reads all authorities when it is made: 30 ms of work, and there are thousands of clients.
    """
    with pytest.MonkeyPatch.context() as patched:
        if not any(item.get_closest_marker("model") for item in request.session.items):
            authority = tmp_path_factory.mktemp("authority") / "authority.pem"
            trustme.CA().cert_pem.write_to_path(str(authority))
            patched.setenv("SSL_CERT_FILE", str(authority))
        yield


@pytest.fixture(scope="session")
def store_url() -> Iterator[str]:
    """The URL of a store that lives for the test session."""
    with tempfile.TemporaryDirectory(prefix="mado-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
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

"""A process that takes the place of a dead one frees what that one held, and nobody else's."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from bot.store import connect
from tests.workers.desk import C, HeardHints, pause_s
from tests.workers.making import accept, message
from workers.batches import Batches
from workers.succession import succeed

LIFE_S = 3600
OTHER = "console:other"
HOLDING = """
import os, socket, sys, time
from pathlib import Path
from bot.store import connect
from tests.workers.desk import NoHints
from workers.batches import Batches
from workers.succession import succeed

store = connect(sys.argv[1])
batches = Batches(store, 3600)
if sys.argv[3]:
    batches.owner = sys.argv[3]
succeed(Path(sys.argv[2]), batches.owner, store, NoHints())
print(batches.take("console:c1") is not None, flush=True)
time.sleep(60)
"""


@contextmanager
def a_worker_holds(store_url: str, file: Path, owner: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that holds the file, and the batch of conversation C."""
    command = [sys.executable, "-c", HOLDING, store_url, str(file), owner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "True\n"
            yield worker
        finally:
            worker.kill()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "replies.owner"


def test_what_a_killed_process_held_is_free_at_once(store: redis.Redis, store_url: str, file: Path) -> None:
    accept(store, message())
    hints = HeardHints()
    with a_worker_holds(store_url, file) as worker:
        worker.kill()
        worker.wait()
        store.zadd("ready", {C: 9e9})
        assert store.exists(f"lock:{C}")

        succeed(file, "the next", store, hints)

    assert not store.exists(f"lock:{C}")
    assert pause_s(store, C) <= 0
    assert hints.answers == [C]
    taken = Batches(store, LIFE_S).take(C)
    assert taken is not None
    assert taken.attempt == 2  # what ended the process counts


@pytest.mark.parametrize("stopped", [True, False])
def test_what_a_living_process_holds_stays_its_own(
    store: redis.Redis, store_url: str, file: Path, stopped: bool
) -> None:
    accept(store, message())
    hints = HeardHints()
    with a_worker_holds(store_url, file) as worker:
        if stopped:
            worker.send_signal(signal.SIGSTOP)

        succeed(file, "the next", store, hints)

        assert store.exists(f"lock:{C}")
        assert hints.answers == []
        assert file.read_text(encoding="utf-8") != "the next"


def test_the_locks_of_others_are_not_touched(store: redis.Redis, store_url: str, file: Path) -> None:
    accept(store, message())
    accept(store, message(conversation=OTHER, user="console:u2"))
    assert Batches(store, LIFE_S).take(OTHER) is not None
    with a_worker_holds(store_url, file) as worker:
        worker.kill()
        worker.wait()

        succeed(file, "the next", store, HeardHints())

    assert store.exists(f"lock:{OTHER}")


def test_a_dead_process_of_another_machine_is_left_to_the_end_of_its_locks(
    store: redis.Redis, store_url: str, file: Path
) -> None:
    accept(store, message())
    with a_worker_holds(store_url, file, owner="elsewhere.1.0123456789abcdef") as worker:
        worker.kill()
        worker.wait()

        succeed(file, "the next", store, HeardHints())

    assert store.exists(f"lock:{C}")


def test_no_two_owners_have_one_name(store: redis.Redis) -> None:
    names = {Batches(store, LIFE_S).owner for _ in range(2)}

    assert len(names) == 2
    assert all(name.startswith(f"{socket.gethostname()}.") for name in names)


def test_a_store_or_a_folder_that_is_not_there_is_no_reason_not_to_start(store: redis.Redis, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    succeed(tmp_path / "file" / "replies.owner", "me", store, HeardHints())

    (tmp_path / "replies.owner").write_text(f"{socket.gethostname()}.1.0123456789abcdef", encoding="utf-8")
    succeed(tmp_path / "replies.owner", "me", connect(f"unix://{tmp_path}/none.sock"), HeardHints())

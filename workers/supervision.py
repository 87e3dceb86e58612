"""Supervision: all processes of the service under one supervisor, started in order, the store stopped last."""

from __future__ import annotations

import configparser
import ctypes
import fcntl
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROCESSES = ("store", "web", "socket", "clerk", "replies", "knowledge")
"""In the order of their start; they are stopped from the last to the first."""
STOP_WAIT_S = 20
"""More than a process takes to its end (`workers.ending.END_WITHIN_S`); the store writes its file."""
_PR_SET_PDEATHSIG = 1


class AlreadyRunning(Exception):
    """Another service uses the same DATA_PATH."""


@contextmanager
def alone(data_path: Path) -> Iterator[None]:
    """Hold DATA_PATH for this service: two stores on one append-only file would ruin it.

    Raises:
        AlreadyRunning
    """
    data_path.mkdir(parents=True, exist_ok=True)
    with (data_path / "service.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"a service is running on {data_path} already") from error
        yield


def start(data_path: Path, processes: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the supervisor with these processes; it lives in a process group of its own: Ctrl-C is ours to tell.

    Args:
        environment: what the processes see beside our own environment.
    """
    logs = data_path / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    configuration = data_path / "supervisord.conf"
    with configuration.open("w", encoding="utf-8") as file:
        write_configuration(file, processes, logs.resolve())
    command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", str(configuration)]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread has been started yet
    )


def stop(supervisor: subprocess.Popen[bytes]) -> None:
    """End all processes, the store last; returns when they have ended."""
    if supervisor.poll() is None:
        supervisor.send_signal(signal.SIGTERM)
    supervisor.wait()


def write_configuration(file: IO[str], processes: Sequence[str], logs: Path) -> None:
    """Write supervisord's configuration for these processes."""
    parser = configparser.RawConfigParser()
    # No identifier of the platform, no socket, no HTTP server: nobody but the parent steers it.
    parser["supervisord"] = {
        "logfile": _plain(logs / "supervisor.log"),
        "pidfile": _plain(logs / "supervisor.pid"),
        "childlogdir": _plain(logs),
    }
    for place, name in enumerate(processes, 1):
        parser[f"program:{name}"] = {
            "command": _plain(shlex.join([sys.executable, "-m", "workers.cli", "process", name])),
            "priority": str(place),
            "autorestart": "true",
            "startretries": "1000000",
            "startsecs": "1",
            "stopwaitsecs": str(STOP_WAIT_S),
            "redirect_stderr": "true",
            "stdout_logfile": _plain(_plain(logs / f"{name}.log")),  # the only value that is expanded twice
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "3",
        }
    parser.write(file)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent is killed, so that none is left over (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was killed just now
        os.kill(os.getpid(), signal.SIGTERM)


def _plain(value: object) -> str:
    """The value as supervisord's configuration wants it: it expands %."""
    return str(value).replace("%", "%%")

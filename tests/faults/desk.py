"""The real service as processes, pointed at fakes of Slack and LINE, for tests that kill parts of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import redis

from bot.app import readiness
from bot.settings import embedded_socket
from bot.store import connect
from tests.faults.process import ARMED, REACHED, Fault, Where

ROOT = Path(__file__).parent.parent.parent
COMMANDS = {name: ["-m", "tests.faults.process", name] for name in ("store", "web", "clerk", "replies", "knowledge")}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
LINE_SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
PROMPTS = "prompts.jsonl"
"""In the desk's folder: a line for each prompt that the scripted model was given, the texts of its messages."""
CONSOLE_TOKEN = "console-token-of-the-tests"

T = TypeVar("T")


def wait_until(what: Callable[[], T], *, within_s: float = 30.0) -> T:
    """The first true value of `what`, looked at again and again.

    Raises:
        AssertionError: it stayed false.
    """
    until = time.monotonic() + within_s
    while not (value := what()):
        assert time.monotonic() < until, f"not within {within_s} s"
        time.sleep(0.05)
    return value


class Desk:
    """The running service."""

    def __init__(self, folder: Path, environment: dict[str, str], commands: dict[str, list[str]] = COMMANDS) -> None:
        self.folder = folder
        for place in (ARMED, REACHED):
            (folder / place).mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._commands = commands
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.store_url = f"unix://{embedded_socket(folder / 'data')}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LINE_"))},
            "PYTHONPATH": str(ROOT),
            "DATA_PATH": str(folder / "data"),
            "REDIS_URL": self.store_url,
            "KNOWLEDGE_PATH": str(Path(__file__).parent / "documents"),
            "CONSOLE_TOKEN": CONSOLE_TOKEN,
            "PORT": str(self.port),
            "ANSWER_CACHE_HOURS": "0",  # every fault is to meet an answer that is being made
            **environment,
        }

    @property
    def store(self) -> redis.Redis:
        """A client of the service's store."""
        return connect(self.store_url, timeout_s=5)

    def start(self, *names: str, **environment: str) -> None:
        """Start processes (all of them when none is named); `replies-2` is a second one beside `replies`."""
        for name in names or self._commands:
            log = (self.folder / f"{name}.log").open("ab")
            self._processes[name] = subprocess.Popen(
                [sys.executable, *self._commands[kind(name)]],
                cwd=self.folder,
                env={**self._environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            log.close()

    def wait_until_ready(self, within_s: float = 60.0) -> None:
        """Return when every part that was started answers."""
        store = self.store
        parts = sorted({kind(name) for name in self._processes} - {"web", "store"})
        wait_until(lambda: all(readiness(store, parts).values()), within_s=within_s)
        if "web" in self._processes:
            self.wait_until_web_answers(within_s)

    def wait_until_web_answers(self, within_s: float = 60.0) -> None:
        """Return when the web process takes requests."""
        wait_until(self._listens, within_s=within_s)

    def wait_until_store_answers(self) -> None:
        """Return when the store does."""
        wait_until(self._store_answers)

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """What `madoguchi` with these arguments does beside the running service."""
        return outcome(self.begin(*arguments, **environment))

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`madoguchi` with these arguments, under way beside the running service."""
        return self._begin("workers.cli", *arguments, **environment)

    def begin_with_checkpoints(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Like `begin`; it suffers what is armed."""
        return self._begin("tests.faults.process", "command", *arguments, **environment)

    def _begin(self, module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env={**self._environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def logs(self) -> str:
        """Everything that every process has written so far."""
        return "".join(self.log_of(log.stem) for log in self.folder.glob("*.log"))

    def log_of(self, name: str) -> str:
        """Everything that a process has written so far, and those before it under its name."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def kill(self, name: str) -> None:
        """End a process as the kernel would, without a chance to tidy up."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str, within_s: float = 20.0) -> int:
        """Ask a process to end; its exit status."""
        self.signal(name, signal.SIGTERM)
        return self.wait_until_ended(name, within_s)

    def wait_until_ended(self, name: str, within_s: float = 20.0) -> int:
        """Return when a process has ended; its exit status."""
        return self._processes.pop(name).wait(within_s)

    def arm(self, point: Where, fault: Fault, *, times: int = 1) -> None:
        """Let the next ones, so many `times`, that pass the checkpoint suffer a fault."""
        self.release(point)
        for number in range(times):
            armed = self.folder / ARMED / f"new.{point}.{number}"
            armed.write_text(fault, encoding="utf-8")
            armed.rename(armed.with_name(f"{point}.{number}"))

    def disarm(self) -> None:
        """Let everybody pass from now on; who is held is released."""
        for file in (*(self.folder / ARMED).iterdir(), *(self.folder / REACHED).iterdir()):
            file.unlink(missing_ok=True)

    def wait_until_reached(self, point: Where, *, times: int = 1, within_s: float = 60.0) -> None:
        """Return when everybody for whom it was armed suffers there."""
        wait_until(lambda: len(self._reached(point)) >= times, within_s=within_s)

    def release(self, point: Where) -> None:
        """Let who is held there go on."""
        for file in self._reached(point):
            file.unlink()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a process a signal."""
        self._processes[name].send_signal(number)

    def exited(self, name: str) -> int | None:
        """A process's exit status, None while it lives."""
        return self._processes[name].poll()

    def is_up(self, name: str) -> bool:
        """Whether the process, and none before it, answers."""
        match name:
            case "web":
                return self._listens()
            case "store":
                return readiness(self.store)["store"]
        try:
            beat = self.store.get(f"status:{name}")
        except redis.RedisError:
            return False
        return beat is not None and json.loads(str(beat))["pid"] == self._processes[name].pid

    def stop(self) -> None:
        """End everything that still runs, the store last."""
        for name in reversed(list(self._processes)):
            process = self._processes.pop(name)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """POST as a platform would."""
        return httpx.post(self.url + path, content=body, headers=headers, timeout=10)

    def get(self, path: str) -> httpx.Response:
        """GET as a monitor would."""
        return httpx.get(self.url + path, timeout=10)

    def console_cookie(self) -> str:
        """The cookie of a new session on the console."""
        response = httpx.get(self.url, params={"token": CONSOLE_TOKEN}, timeout=10)
        return response.cookies["madoguchi_console"]

    def shown(self, conversation_id: str) -> list[dict[str, Any]]:
        """The settled answers and confirmations that the console shows."""
        entries: Any = self.store.xrange(f"stream:{conversation_id}")
        events = [json.loads(fields["event"]) for _, fields in entries]
        return [event for event in events if event["type"] in {"done", "failed", "notice"}]

    def _reached(self, point: Where) -> list[Path]:
        return list((self.folder / REACHED).glob(f"{point}.*"))

    def _store_answers(self) -> bool:
        try:
            return bool(self.store.ping())
        except redis.RedisError:
            return False

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def outcome(command: subprocess.Popen[str], within_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """What came of a command, once it has ended; one that does not is killed.

    Raises:
        subprocess.TimeoutExpired
    """
    with command:
        try:
            output, errors = command.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
    return subprocess.CompletedProcess(command.args, command.returncode, output, errors)


def kind(name: str) -> str:
    """Which of the service's processes it is."""
    return name.partition("-")[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

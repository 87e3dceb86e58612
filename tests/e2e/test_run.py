"""`madoguchi run`, as an operator has it: a real model, one command, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.desk import free_port, wait_until
from workers.models import resolve

ROOT = Path(__file__).parent.parent.parent
MODELS = Path(os.environ.get("MADOGUCHI_TEST_MODELS", ROOT / "data" / "models"))
pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]


class Service:
    """`madoguchi run` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._output = folder / "output"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATA_PATH": str(folder / "data"),
            "KNOWLEDGE_PATH": str(ROOT / "tests" / "faults" / "documents"),
            "LLM_MODEL": str(resolve("smollm2-135m-instruct", MODELS)),
            "PORT": str(free_port()),
        }
        self._folder = folder

    def start(self) -> subprocess.Popen[bytes]:
        with self._output.open("wb") as output:
            return self.command("run", stdout=output, stderr=subprocess.STDOUT)

    def command(self, *words: str, **options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "workers.cli", *words]
        return subprocess.Popen(command, cwd=self._folder, env=self._environment, **options)  # type: ignore[call-overload, no-any-return]

    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def is_ready(self) -> bool:
        return "Madoguchi is ready: http://localhost:" in self.said()

    def processes(self) -> list[int]:
        """Every process that belongs to this DATA_PATH, by its environment or its command line."""
        mark = f"DATA_PATH={self._environment['DATA_PATH']}".encode()
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in _environment_of(entry)]


def _environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:  # it ended just now
        return b""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("run"))
    yield running
    for pid in running.processes():
        os.kill(pid, signal.SIGKILL)


def test_one_command_starts_answers_and_ends_without_a_trace(service: Service) -> None:
    supervised = service.start()
    wait_until(service.is_ready, within_s=120)
    assert re.search(r"/\?token=\S{20,}", service.said())

    asked = service.command("ask", "Where do visitors park?", stdout=subprocess.PIPE)
    answer = asked.communicate(timeout=90)[0].decode()
    assert asked.returncode == 0
    assert "[1] Parking (parking.md)" in answer

    supervised.send_signal(signal.SIGINT)
    assert supervised.wait(30) == 0
    assert service.said().endswith("Stopping…\n")
    wait_until(lambda: not service.processes(), within_s=5)


def test_the_second_start_is_ready_in_half_a_minute_and_a_second_service_is_refused(service: Service) -> None:
    began = time.monotonic()
    supervised = service.start()
    wait_until(service.is_ready, within_s=30)
    assert time.monotonic() - began < 30

    refused = service.command("run", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reason = refused.communicate(timeout=20)[1]
    assert b"already" in reason or b"taken" in reason
    assert refused.returncode == 2

    supervised.kill()
    supervised.wait(10)
    wait_until(lambda: not service.processes(), within_s=30)

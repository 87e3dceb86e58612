"""One service for one folder; the supervisor's configuration says what the processes are."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from bot.settings import BotSettings
from tests.workers.desk import until
from workers.cli import ENTRY_POINTS
from workers.ending import END_WITHIN_S
from workers.service import processes
from workers.supervision import PROCESSES, STOP_WAIT_S, AlreadyRunning, alone, write_configuration


def read_by_supervisor(folder: Path, processes: Sequence[str] = PROCESSES) -> ServerOptions:
    """What supervisord itself makes of the configuration."""
    file = folder / "supervisord.conf"
    with file.open("w", encoding="utf-8") as configuration:
        write_configuration(configuration, list(processes), folder)
    options = ServerOptions()
    options.realize(["-c", str(file), "-n"])
    return options


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        ({}, {"socket"}),
        ({"redis_url": "redis://127.0.0.1/0"}, {"socket", "store"}),
        ({"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}, {"socket"}),
        ({"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}, set()),
    ],
)
def test_a_service_has_the_processes_that_its_settings_ask_for(given: dict[str, str], left_out: set[str]) -> None:
    settings = BotSettings(_env_file=None, **given)  # type: ignore[arg-type]

    assert processes(settings) == [name for name in PROCESSES if name not in left_out]


def test_a_second_service_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with alone(tmp_path / "data"), pytest.raises(AlreadyRunning, match="data"), alone(tmp_path / "data"):
        pytest.fail("two services")


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with alone(tmp_path):
        pass

    with alone(tmp_path):
        pass


def test_the_folder_of_a_killed_service_is_free(tmp_path: Path) -> None:
    holding = (
        "import sys, time; from pathlib import Path; from workers.supervision import alone\n"
        "with alone(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holding, str(tmp_path)], stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning), alone(tmp_path):
            pytest.fail("two services")
        service.kill()

    with alone(tmp_path):
        pass


def test_every_process_has_an_entry_point() -> None:
    assert set(ENTRY_POINTS) == set(PROCESSES)


def test_the_supervisor_starts_every_process_with_the_store_first(tmp_path: Path) -> None:
    groups = sorted(read_by_supervisor(tmp_path).process_group_configs)

    programs = [program for group in groups for program in group.process_configs]
    assert [program.name for program in programs] == list(PROCESSES)
    for program in programs:
        assert shlex.split(program.command) == [sys.executable, "-m", "workers.cli", "process", program.name]
        assert program.autostart
        assert program.stopsignal == signal.SIGTERM


def test_the_supervisor_waits_longer_than_a_process_takes_to_its_end() -> None:
    assert STOP_WAIT_S >= END_WITHIN_S + 5


def test_with_a_store_elsewhere_none_is_started(tmp_path: Path) -> None:
    groups = read_by_supervisor(tmp_path, PROCESSES[1:]).process_group_configs

    assert "store" not in {group.name for group in groups}


def test_a_folder_with_a_percent_sign_is_no_expansion(tmp_path: Path) -> None:
    odd = tmp_path / "50% of it"
    odd.mkdir()

    assert read_by_supervisor(odd).logfile == str(odd / "supervisor.log")


def test_nobody_can_steer_the_supervisor_from_outside(tmp_path: Path) -> None:
    assert read_by_supervisor(tmp_path).server_configs == []


def test_a_process_ends_with_its_parent() -> None:
    child = (
        "import time; from workers.supervision import die_with_parent\n"
        "die_with_parent(); print('up', flush=True); time.sleep(60)"
    )
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); print(child.pid, flush=True); child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = {process.stdout.readline().strip(), process.stdout.readline().strip()}
        (pid,) = lines - {"up"}
        process.kill()

    status = Path(f"/proc/{pid}/stat")
    until(lambda: not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z")

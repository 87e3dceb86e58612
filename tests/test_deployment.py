"""The files for a server agree with the program: docker-compose.yml, Dockerfile, and the Slack app's manifest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app import SOCKET, WORKERS
from bot.settings import BotSettings
from knowledge.settings import KnowledgeSettings
from workers.embedded import store_command
from workers.settings import WorkerSettings
from workers.supervision import PROCESSES

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = {name.upper() for kind in (BotSettings, KnowledgeSettings, WorkerSettings) for name in kind.model_fields}
OURS = [name for name in PROCESSES if name != "store"]


def test_compose_has_every_process_of_the_service() -> None:
    assert list(COMPOSE["services"]) == list(PROCESSES)


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_the_process_of_its_name(name: str) -> None:
    assert COMPOSE["services"][name]["command"] == ["process", name]


@pytest.mark.parametrize("name", [*WORKERS, SOCKET])
def test_a_worker_is_healthy_by_the_heartbeat_of_its_name(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["hostname"] == name
    compile(service["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_socket_is_no_part_of_a_service_that_does_not_ask_for_it() -> None:
    assert [name for name in PROCESSES if "profiles" in COMPOSE["services"][name]] == [SOCKET]


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_what_is_a_setting(name: str) -> None:
    assert set(COMPOSE["services"][name]["environment"]) <= SETTINGS


def test_the_image_sets_only_what_is_a_setting() -> None:
    run_time = DOCKERFILE.rpartition("\nFROM ")[2]
    names = set(re.findall(r"([A-Z_]+)=", "".join(re.findall(r"^ENV .*$", run_time, re.MULTILINE))))

    assert names - {"PATH", "PYTHONUNBUFFERED"} <= SETTINGS


def test_compose_asks_the_host_only_for_what_is_a_setting() -> None:
    asked = re.findall(r"\$\{?([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    assert set(asked) <= SETTINGS


def test_compose_mounts_only_files_that_are_here() -> None:
    mounts = {volume for name in OURS for volume in COMPOSE["services"][name]["volumes"] if volume.startswith("./")}

    assert mounts
    assert all((ROOT / mount.split(":")[0]).exists() for mount in mounts)


def test_the_store_in_compose_is_as_durable_as_the_embedded_one(tmp_path: Path) -> None:
    words = COMPOSE["services"]["store"]["command"][1:]
    compose = {option.removeprefix("--"): value for option, value in zip(words[::2], words[1::2], strict=True)}

    store_command(tmp_path, tmp_path / "s.sock")
    lines = (tmp_path / "valkey.conf").read_text(encoding="utf-8").splitlines()
    embedded = {name: value.strip('"') for name, _, value in (line.partition(" ") for line in lines)}

    assert compose.items() <= embedded.items()
    assert {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}.items() <= compose.items()


def test_only_the_web_is_reachable_and_only_from_the_host_itself() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}

    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1] == "madoguchi"


def test_the_image_copies_what_the_build_needs() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.search(r"^COPY (pyproject.*) \./$", DOCKERFILE, re.MULTILINE)

    assert copied is not None
    assert {f"!{name}" for name in copied[1].split()} <= set(ignored)


def test_the_slack_guide_lists_the_scopes_of_the_manifest() -> None:
    guide = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    scopes = set(MANIFEST["oauth_config"]["scopes"]["bot"])

    for language in guide.split("## English"):
        rows = [line.split("|")[1] for line in language.splitlines() if line.startswith("| `")]
        assert {name for row in rows for name in re.findall(r"`([a-z_]+:[a-z]+|commands)`", row)} == scopes

"""Running the service: `madoguchi run`, and `madoguchi ask`, which runs one for its question when none is there."""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from bot.app import SOCKET, WORKERS, readiness
from bot.errors import MadoguchiError
from bot.inbox import Inbox
from bot.places import CONFIG, Places
from bot.queue import FIRST_RUN, CeleryHints, celery_app
from bot.server import console_token
from bot.settings import BotSettings
from bot.store import connect
from knowledge.errors import SourcesMalformed
from knowledge.settings import KnowledgeSettings
from knowledge.sources import load_sources
from workers.asking import ask as ask_question
from workers.asking import show
from workers.models import resolve
from workers.policy import Policies, PolicyInvalid
from workers.settings import STORE_TIMEOUT_S, WorkerSettings
from workers.supervision import PROCESSES, alone, start, stop

PATIENCE_S = 15.0
"""After so long, and every so often again, the operator is told what the start waits for."""


class CannotStart(MadoguchiError):
    """The service cannot start, or cannot go on; says why."""


def run(_: argparse.Namespace) -> int:
    """Start everything, say where the console is, and wait for Ctrl-C."""
    settings = BotSettings()
    with running(settings) as ended:
        if wait_until_ready(settings, ended):
            print(f"Madoguchi is ready: {console_address(settings)}", flush=True)
            ended.wait()
        print("Stopping…", flush=True)
    return 0


def ask(chosen: argparse.Namespace) -> int:
    """Ask the running service; when none runs, one that lives as long as the question."""
    settings = BotSettings()
    if is_running(settings):
        return 0 if _asked(settings, chosen.question) else 1
    with running(settings) as ended:
        if not wait_until_ready(settings, ended):
            return 130
        return 0 if _asked(settings, chosen.question) else 1


def is_running(settings: BotSettings) -> bool:
    """Whether the workers of a service are there; a store alone is none."""
    parts = readiness(connect(settings.store_url))
    return any(parts[part] for part in WORKERS)


def console_address(settings: BotSettings) -> str:
    """Where the console opens, with its token."""
    host = "localhost" if settings.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}/?token={console_token(settings).get_secret_value()}"


@contextmanager
def running(settings: BotSettings) -> Iterator[threading.Event]:
    """The whole service, for the length of the block; the event is set when it is to end (Ctrl-C, SIGTERM).

    Raises:
        CannotStart, AlreadyRunning, ModelError, SettingsIncomplete, PolicyInvalid, PlacesInvalid
    """
    _check(settings)
    own = WorkerSettings()
    with alone(settings.data_path), _told_to_end() as ended:
        if not own.llm_url:
            resolve(own.llm_model, own.models_path)
        supervisor = start(settings.data_path, processes(settings), {"REDIS_URL": settings.store_url})
        watching = threading.Thread(target=_end_with, args=(supervisor, ended), daemon=True)
        watching.start()
        try:
            yield ended
        finally:
            died = supervisor.poll() is not None
            stop(supervisor)
        if died:
            raise CannotStart(f"the supervisor ended by itself; see {settings.data_path / 'logs'}")


def wait_until_ready(settings: BotSettings, ended: threading.Event) -> bool:
    """Whether everything became ready before it was to end; tells now and then what is awaited."""
    store, workers = connect(settings.store_url), [*WORKERS, SOCKET] if settings.slack_socket_on else WORKERS
    tell_at = time.monotonic() + PATIENCE_S
    print(f"Starting (logs: {settings.data_path / 'logs'}) …", flush=True)
    while not ended.wait(0.3):
        parts = readiness(store, workers)
        if all(parts.values()) and _listens(settings):
            return True
        if time.monotonic() > tell_at:
            tell_at += PATIENCE_S
            awaited = ", ".join(part for part in ("store", *workers) if not parts[part]) or "web"
            print(f"Still waiting for: {awaited}{_indexed_so_far(store)}", flush=True)
    return False


def processes(settings: BotSettings) -> list[str]:
    """What these settings ask for: no store of our own beside another one, a socket only where Slack is listened to."""
    left_out = {"store": bool(settings.redis_url), "socket": not settings.slack_socket_on}
    return [name for name in PROCESSES if not left_out.get(name, False)]


def _indexed_so_far(store: redis.Redis) -> str:
    """How far the first indexing is, when one is under way."""
    try:
        told = store.get(f"reindex:{FIRST_RUN}")
    except redis.RedisError:
        return ""
    facts = json.loads(told) if told else {}
    if facts.get("state") == "failed":
        return f" ({facts['reason']})"
    return f" ({facts['done']} of {facts['total']} chunks)" if facts.get("total") else ""


def _check(settings: BotSettings) -> None:
    """Find out before anything starts what would keep it from running."""
    _ = settings.slack_on, settings.line_on
    Places.read()
    if unknown := unknown_sources():
        raise PolicyInvalid(f"madoguchi.toml: sources: no source has the title {', '.join(unknown)}")
    if _listens(settings):
        raise CannotStart(f"port {settings.port} is taken; set PORT")


def unknown_sources() -> tuple[str, ...]:
    """The titles that a place is to be answered from and that no source has.

    Raises:
        PolicyInvalid
    """
    policies = Policies.read(CONFIG)
    try:
        titles = {source.title for source in load_sources(KnowledgeSettings())}
    except SourcesMalformed:  # the knowledge process says so
        return ()
    return policies.unknown_sources(titles)


def _listens(settings: BotSettings) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((settings.host, settings.port)) == 0


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, in place of what they did before."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with(supervisor: subprocess.Popen[bytes], ended: threading.Event) -> None:
    supervisor.wait()
    ended.set()


def _asked(settings: BotSettings, question: str) -> bool:
    store = connect(settings.store_url, timeout_s=STORE_TIMEOUT_S)
    inbox = Inbox(store, CeleryHints(celery_app(settings.store_url)))
    return show(ask_question(question, store, inbox))

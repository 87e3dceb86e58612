"""Webhooks at a fixed rate: how soon they are answered, whether each is durable, and how soon an answer is begun.

    make bench-webhook [N=20]        N: seconds that are measured in each run

The real web process, clerk and embedded store, which writes to the disk before it answers (`appendfsync always`); half
of the requests are Slack's, half LINE's. In the same run: the same with a store that writes once a second, and a bare
slack-bolt app that keeps nothing. The time goes from when a request was due to the last byte of its answer. A message
is lost when it was acknowledged and is not there after the store was killed and has read its file again. The last line
is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.webhook_load import WARM_UP_S, Answer, Run
from tests.bench.webhook_start import start_times_ms
from tests.fakes.line import FakeLine
from tests.fakes.slack import TOKEN, FakeSlack
from tests.faults.desk import LINE_SECRET, ROOT, SLACK_SECRET, Desk, free_port, wait_until

RATE_PER_S = 200
COMMANDS = {
    **{name: ["-m", "workers.cli", "process", name] for name in ("store", "web", "clerk", "knowledge")},
    "replies": ["-m", "tests.faults.replies"],
}
PERCENTILES = {"p50": 50, "p99": 99, "max": 100}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run under load; `lost` None: the server keeps nothing."""

    run: Run
    cpu_ms: float
    lost: int | None

    @property
    def figures(self) -> dict[str, Any]:
        """The figures of the last line."""
        times = [answer.ms for answer in self.run.answers]
        figures = {
            **{f"{name}_ms": round(percentile(times, percent), 2) for name, percent in PERCENTILES.items()},
            "not_200": sum(answer.status != 200 for answer in self.run.answers),
            "cpu_ms_per_request": round(self.cpu_ms, 2),
            "sent_late_p99_ms": round(percentile(self.run.sent_late_ms, 99), 2),
        }
        return figures | ({} if self.lost is None else {"lost": self.lost})


def main() -> None:
    """Measure, print a table for people and one line of JSON."""
    seconds = _seconds()
    with _service() as (desk, slack, line):
        always = _ours(desk, seconds)
        desk.store.config_set("appendfsync", "everysec")
        everysec = _ours(desk, seconds)
        desk.store.flushall()
        desk.start("knowledge", "replies")
        desk.wait_until_ready()
        start_ms = start_times_ms(desk, slack, line)
    with _peer() as port:
        peer = _measured(port, seconds, ["slack"])
    _print_table({"ours": always, "ours, disk once a second": everysec, "bare slack-bolt": peer}, start_ms)
    figures = always.figures | {
        "start_ms_p50": round(percentile(start_ms, 50), 2),
        "start_ms_p99": round(percentile(start_ms, 99), 2),
    }
    print(json.dumps({"rate_per_s": RATE_PER_S} | figures | {"fsync_everysec": everysec.figures, "peer": peer.figures}))


def percentile(values: list[float], percent: int) -> float:
    """The value below which `percent` in a hundred lie; 100: the greatest."""
    return max(values) if percent == 100 else statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _seconds() -> float:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=float, default=20.0, help="seconds that are measured in each run")
    seconds: float = parser.parse_args().n
    return seconds


@contextmanager
def _service() -> Iterator[tuple[Desk, FakeSlack, FakeLine]]:
    """Store, web and clerk, with fakes of Slack and LINE; nobody answers yet."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder, FakeSlack() as slack, FakeLine() as line:
        desk = Desk(
            Path(folder),
            {
                "SLACK_BOT_TOKEN": TOKEN,
                "SLACK_SIGNING_SECRET": SLACK_SECRET,
                "SLACK_API_URL": slack.api_url,
                "LINE_CHANNEL_SECRET": LINE_SECRET,
                "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
                "LINE_API_URL": line.url,
                "LINE_ACCESS": "open",
                "PERSON_MESSAGES_PER_MINUTE": "0",
                "ANSWER_MAX_TOKENS": "4096",  # the scripted model's are characters
            },
            COMMANDS,
        )
        desk.start("store", "web", "clerk")
        try:
            desk.wait_until_ready()
            yield desk, slack, line
        finally:
            desk.stop()


@contextmanager
def _peer() -> Iterator[int]:
    """The port of the running peer."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.bench.webhook_peer", str(port)], cwd=ROOT) as process:
        try:
            wait_until(lambda: _answers(port))
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
    except httpx.TransportError:
        return False


def _ours(desk: Desk, seconds: float) -> Measured:
    """One run over our service, on an empty store."""
    desk.store.flushall()
    measured = _measured(desk.port, seconds, ["slack", "line"])
    return Measured(measured.run, measured.cpu_ms, _lost(desk, measured.run.answers))


def _measured(port: int, seconds: float, platforms: list[str]) -> Measured:
    """One run of the load generator."""
    cpu_s = _cpu_s(port)
    options = ["--port", str(port), "--rate", str(RATE_PER_S), "--seconds", str(seconds), "--platforms", *platforms]
    command = [sys.executable, "-m", "tests.bench.webhook_load", *options]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    run = Run([Answer(**answer) for answer in told["answers"]], told["sent_late_ms"])
    return Measured(run, (_cpu_s(port) - cpu_s) * 1000 / (RATE_PER_S * (WARM_UP_S + seconds)), None)


def _cpu_s(port: int) -> float:
    """The processor time that the server has used."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return next(sample.value for sample in samples if sample.name == "process_cpu_seconds_total")


def _lost(desk: Desk, answers: list[Answer]) -> int:
    """How many messages were acknowledged and are not in the store, from which nobody has taken any.

    The store is killed first and starts again as it is configured.
    """
    desk.kill("store")
    desk.start("store")
    desk.wait_until_ready()
    acknowledged = [answer for answer in answers if answer.status == 200]
    asked = desk.store.pipeline(transaction=False)
    for answer in acknowledged:
        asked.hexists(f"messages:{answer.conversation_id}", answer.message_id)
        asked.zscore(f"inbox:{answer.conversation_id}", answer.message_id)
    found = asked.execute()
    return sum(not held or score is None for held, score in zip(found[::2], found[1::2], strict=True))


def _print_table(runs: dict[str, Measured], start_ms: list[float]) -> None:
    columns = list(next(iter(runs.values())).figures)
    print(f"{RATE_PER_S} requests/s")
    print(f"{'':26}", *(f"{column:>18}" for column in columns))
    for name, measured in runs.items():
        print(f"{name:26}", *(f"{measured.figures.get(column, '-'):>18}" for column in columns))
    print(f"{len(start_ms)} messages, acknowledged to lock: ", end="")
    print(", ".join(f"{name} {percentile(start_ms, percent):.1f} ms" for name, percent in PERCENTILES.items()))


if __name__ == "__main__":
    main()

"""A storm: people write at random times, platforms deliver twice and go wrong, and processes are killed meanwhile.

Everything random comes from one seed: who writes what and when, what is delivered again and when, which call of a
platform goes wrong and how, what is killed and when. What meets what is up to the machine.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.bench.counting import Said
from tests.bench.crowd import Crowd, Writer
from tests.fakes import line_events
from tests.fakes.line import LOADING, REPLY, FakeLine
from tests.fakes.line import Fault as LineFault
from tests.fakes.slack import FakeSlack
from tests.fakes.slack import Fault as SlackFault
from tests.faults.people import OnLine, OnSlack

BURSTS = (1, 1, 1, 1, 2, 3, 5)
IN_A_BURST_S = (0.0, 0.4)
SLOW_ANSWERS, REDELIVERED, PLATFORM_FAULTS = 0.2, 0.3, 0.25
"""Shares of the messages that are answered slowly, delivered again, and met by a fault of their platform."""
AGAIN_AFTER_S = (0.0, 12.0)
PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0)
"""Before the next delivery of what was not answered 200. Slack's own are 0, 60 and 300 s; a run is shorter."""

SLACK_FAULTS = (
    ("chat.postMessage", SlackFault(status=429, retry_after=2)),
    ("chat.postMessage", SlackFault(status=500)),
    ("chat.postMessage", SlackFault(status=500, taken=True)),
    ("chat.postMessage", SlackFault(reset="before")),
    ("chat.postMessage", SlackFault(reset="after")),
    ("chat.postMessage", SlackFault(after_s=2.0)),
    ("chat.postMessage", SlackFault(after_s=10.0)),
    ("conversations.replies", SlackFault(status=500)),
    ("conversations.replies", SlackFault(status=429, retry_after=1)),
)
LINE_FAULTS = (
    (REPLY, LineFault.RATE_LIMITED),
    (REPLY, LineFault.SERVER_ERROR),
    (REPLY, LineFault.SERVER_ERROR_AFTER_ACCEPTING),
    (REPLY, LineFault.RESET_BEFORE_ACCEPTING),
    (REPLY, LineFault.RESET_AFTER_ACCEPTING),
    (REPLY, LineFault.SLOW),
    (REPLY, LineFault.NOT_JSON),
    (LOADING, LineFault.SERVER_ERROR),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One message to be written, `at_s` after the beginning."""

    at_s: float
    number: str
    writer: int
    slow: bool
    again_after_s: float | None
    fault: int | None

    @property
    def text(self) -> str:
        return f"{self.number} {'SLOW ' if self.slow else ''}please"


def planned(seed: int, messages: int, writers: int, seconds: float) -> list[Plan]:
    """Who writes what and when, in the order of time."""
    rng = random.Random(seed)
    times: list[tuple[float, int]] = []
    while len(times) < messages:
        at_s, writer = rng.uniform(0, seconds), rng.randrange(writers)
        for _ in range(min(rng.choice(BURSTS), messages - len(times))):
            times.append((at_s, writer))
            at_s += rng.uniform(*IN_A_BURST_S)
    return [
        Plan(
            at_s,
            f"Q-{number:04d}",
            writer,
            slow=rng.random() < SLOW_ANSWERS,
            again_after_s=rng.uniform(*AGAIN_AFTER_S) if rng.random() < REDELIVERED else None,
            fault=rng.randrange(1000) if rng.random() < PLATFORM_FAULTS else None,
        )
        for number, (at_s, writer) in enumerate(sorted(times), 1)
    ]


@dataclass
class Post:
    """The platforms' part: deliveries, repeated until they are answered 200, and now and then after that."""

    said: list[Said] = field(default_factory=list)
    redeliveries: int = 0
    platform_faults: int = 0
    _under_way: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, writer: Writer, number: str, text: str, again_after_s: float | None = None) -> None:
        """Write a message and deliver it once; what must be delivered again is, by and by."""
        envelopes = writer.person.write(text)
        now = time.monotonic()
        said = Said(number, writer.place(envelopes[0]), writer.name, writer.written_at(envelopes[0], now), now)
        with self._lock:
            self.said.append(said)
        refused = [sent for sent in _in_any_order(envelopes, number) if not self._delivered(writer, sent, said)]
        if writer.platform == "console":  # the page sends the next one when it got rid of this one
            self._until_delivered(writer, refused, said)
        elif refused:
            self._by_and_by(self._until_delivered, writer, refused, said)
        if again_after_s is not None:
            self._by_and_by(self._again, writer, envelopes, again_after_s)

    @property
    def idle(self) -> bool:
        """Whether nothing is left to be delivered."""
        return not any(thread.is_alive() for thread in self._under_way)

    def _until_delivered(self, writer: Writer, refused: Sequence[dict[str, Any]], said: Said) -> None:
        for pause_s in PAUSES_S:
            if not refused:
                return
            time.sleep(pause_s)
            refused = [sent for sent in refused if not self._delivered(writer, flagged(sent), said)]
            self.redeliveries += 1

    def _again(self, writer: Writer, envelopes: Sequence[dict[str, Any]], after_s: float) -> None:
        time.sleep(after_s)
        for sent in envelopes:
            deliver(writer, flagged(sent) if after_s % 1 < 0.5 else sent)
        self.redeliveries += 1

    def _delivered(self, writer: Writer, sent: dict[str, Any], said: Said) -> bool:
        if not deliver(writer, sent):
            return False
        said.acknowledged_at = min(said.acknowledged_at, time.monotonic())
        return True

    def _by_and_by(self, step: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=step, args=arguments, daemon=True)
        thread.start()
        self._under_way.append(thread)


def deliver(writer: Writer, sent: dict[str, Any]) -> bool:
    """One delivery; whether it was answered with success."""
    try:
        return 200 <= writer.person.deliver(sent) < 300
    except httpx.HTTPError:  # nobody listens, or not to the end
        return False


def flagged(sent: dict[str, Any]) -> dict[str, Any]:
    """As the platform marks a delivery that is not the first: LINE says so in the event."""
    return line_events.redelivered(sent) if "deliveryContext" in sent else sent


def _in_any_order(envelopes: list[dict[str, Any]], number: str) -> list[dict[str, Any]]:
    """A mention's two events come in either order."""
    return envelopes if int(number[2:]) % 2 else envelopes[::-1]


def write_all(plans: Sequence[Plan], crowd: Crowd, post: Post, slack: FakeSlack, line: FakeLine) -> Iterator[None]:
    """Let everybody write what is planned, each in a thread; yields again and again until all of it is written."""
    began = time.monotonic()
    writing = [
        threading.Thread(target=_write, args=(began, mine, writer, post, slack, line), daemon=True)
        for n, writer in enumerate(crowd.writers)
        if (mine := [plan for plan in plans if plan.writer == n])
    ]
    for thread in writing:
        thread.start()
    while any(thread.is_alive() for thread in writing):
        yield
        time.sleep(0.1)


def _write(began: float, plans: Sequence[Plan], writer: Writer, post: Post, slack: FakeSlack, line: FakeLine) -> None:
    for plan in plans:
        time.sleep(max(0.0, began + plan.at_s - time.monotonic()))
        if plan.fault is not None:
            post.platform_faults += go_wrong(writer, plan.fault, slack, line)
        post.write(writer, plan.number, plan.text, plan.again_after_s)


def go_wrong(writer: Writer, fault: int, slack: FakeSlack, line: FakeLine) -> bool:
    """Let the next call of its kind about the writer's place fail; whether one is not to fail already."""
    match writer.person:
        case OnSlack(channel=channel) if not slack.has_faults(channel):
            slack.fail(*SLACK_FAULTS[fault % len(SLACK_FAULTS)], channel=channel)
        case OnLine(chat_id=chat_id) if not line.has_faults(chat_id):
            line.go_wrong(*LINE_FAULTS[fault % len(LINE_FAULTS)], chat_id=chat_id)
        case _:
            return False
    return True

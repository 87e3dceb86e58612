"""A load generator, a process of its own: signed webhooks at a fixed rate, sent when they are due whatever came back.

    python -m tests.bench.webhook_load --port P --rate 200 --seconds 20 --platforms slack line

All bodies are made and signed before the first is sent. The output is one JSON object (`Run`): the answers in the order
of their requests, each with its time from when the request was due to the last byte of the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tests.fakes import line_events, slack_events
from tests.faults.desk import LINE_SECRET, SLACK_SECRET

WARM_UP_S = 3.0
"""Sent before what is counted, at the same rate: connections are opened, code and scripts are loaded."""
PEOPLE = 500
"""On each platform; they take turns."""
QUESTION = "経費の締め日はいつですか？"


@dataclass(frozen=True, slots=True)
class Request:
    """One webhook on the wire, and the message that it carries."""

    wire: bytes
    conversation_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request; `status` 0: the connection broke."""

    conversation_id: str
    message_id: str
    status: int
    ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """What came of all that was counted, and how late they were sent: the generator's own fault."""

    answers: list[Answer]
    sent_late_ms: list[float]


def slack_request(number: int) -> Request:
    """A direct message of one of PEOPLE."""
    person, ts = number % PEOPLE, f"{time.time():.0f}.{number:06d}"
    envelope = slack_events.message_im(QUESTION, channel=f"D{person}", user=f"U{person}", ts=ts)
    envelope["event_id"] = f"Ev{uuid.uuid4().hex}"
    body = slack_events.body_of(envelope)
    conversation_id = f"slack:{slack_events.TEAM}:D{person}"
    wire = _wire("/slack/events", slack_events.sign(SLACK_SECRET, body), body)
    return Request(wire, conversation_id, f"{conversation_id}:{ts}")


def line_request(number: int) -> Request:
    """A message of one of PEOPLE in a chat of two."""
    person = f"U{number % PEOPLE:032x}"
    event = line_events.text(QUESTION, line_events.user(person))
    body = line_events.body(event)
    wire = _wire("/line/webhook", line_events.headers(LINE_SECRET, body), body)
    return Request(wire, f"line:{person}", f"line:{event['message']['id']}")


MAKERS: dict[str, Callable[[int], Request]] = {"slack": slack_request, "line": line_request}


def main() -> None:
    """Make the requests, send them, print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--platforms", nargs="+", choices=MAKERS, required=True)
    options = parser.parse_args()
    warm_up = round(options.rate * WARM_UP_S)
    makers = itertools.cycle(MAKERS[name] for name in options.platforms)
    requests = [next(makers)(number) for number in range(warm_up + round(options.rate * options.seconds))]
    run = asyncio.run(Load(options.port, options.rate).send(requests))
    print(json.dumps(asdict(Run(run.answers[warm_up:], run.sent_late_ms[warm_up:]))))


class Load:
    """Sends requests on connections that are kept open, as many as it takes."""

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._rate = rate
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, requests: list[Request]) -> Run:
        """Send each request when it is due; what came of them when all are answered."""
        answers, sent_late_ms = [], []
        first_due = time.monotonic() + 0.1
        for number, request in enumerate(requests):
            due = first_due + number / self._rate
            await asyncio.sleep(due - time.monotonic())
            sent_late_ms.append((time.monotonic() - due) * 1000)
            answers.append(asyncio.create_task(self._answer(request, due)))
        return Run(await asyncio.gather(*answers), sent_late_ms)

    async def _answer(self, request: Request, due: float) -> Answer:
        try:
            status = await self._status(request.wire)
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        return Answer(request.conversation_id, request.message_id, status, (time.monotonic() - due) * 1000)

    async def _status(self, wire: bytes) -> int:
        reader, writer = await self._connection()
        writer.write(wire)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        self._idle.append((reader, writer))
        return int(head.split(maxsplit=2)[1])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that is open and idle, or a new one: the server closes what was idle for five seconds."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


def _wire(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: bot.example.com", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


if __name__ == "__main__":
    main()

"""The work as a worker process does it, with a model that knows its answers by heart, and what people see of it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import redis

from bot.access import Access, Mode
from bot.console.sender import ConsoleSender
from bot.inbox import Inbox
from bot.line.events import translate
from bot.line.sender import LineSender
from bot.messages import Command, Control, Message
from bot.platform import Sender
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client
from tests.bot.line.sending import make_sender
from tests.fakes import line_events
from tests.fakes.line import FakeLine
from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.slack_events import TEAM
from tests.workers.making import NoHints
from workers.answer_cache import AnswerCache
from workers.batches import Batches
from workers.citing import Citing
from workers.conversation import Conversations
from workers.files.kept import Files
from workers.gate import Gate
from workers.interrupts import Interrupts
from workers.policy import Policies, Policy
from workers.provenance import Provenances
from workers.services import Clerk, Desk, Retriever
from workers.serving import answer_next

C = "console:c1"
LIFE_S = 3600
ANSWER = "経費は毎月25日までに申請します。"
"""Stands in a document for everybody (`tests/workers/conftest.py`)."""

T = TypeVar("T")
_ESCAPE = re.compile(r"\\+u([0-9a-f]{4})")


class HeardHints:
    """Hints as they were given."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.acts: list[str] = []

    def answer(self, conversation_id: str) -> None:
        self.answers.append(conversation_id)

    def act(self, control_id: str) -> None:
        self.acts.append(control_id)


def make_desk(store: redis.Redis, retriever: Retriever, generator: ScriptedGenerator, **other: Any) -> Desk:
    """A worker's services; `other` takes the place of some of them."""
    services: dict[str, Any] = {
        "batches": Batches(store, LIFE_S),
        "conversations": Conversations(store),
        "files": Files(store, LIFE_S, retriever.fingerprint),
        "interrupts": Interrupts(store),
        "hints": HeardHints(),
        "senders": {"console": ConsoleSender(store)},
        "policy": Policies(Policy(), {}),
        "gate": Gate(),
        "retriever": retriever,
        "citing": Citing(store, retriever, {"console": ""}),
        "answers": AnswerCache(store),
        "provenances": Provenances(store),
        "generator": generator,
        "model": "a-model",
        "answer_tokens": 256,
        "answer_deadline_s": 30.0,
    }
    return Desk(**services | other)


def make_clerk(store: redis.Redis, senders: Mapping[str, Sender] | None = None, **other: Any) -> Clerk:
    """The clerk's services; `other` takes the place of some of them."""
    services: dict[str, Any] = {
        "conversations": Conversations(store),
        "interrupts": Interrupts(store),
        "hints": HeardHints(),
        "senders": senders or {"console": ConsoleSender(store)},
        "access": Access(store, "pairing", frozenset()),
        "policy": Policies(Policy(), {}),
        "collector": None,
    }
    return Clerk(store=store, **services | other)


@contextmanager
def saying(*scripts: Script, **limits: Any) -> Iterator[ScriptedGenerator]:
    """A model with these scripts, the first that fits is played."""
    generator = ScriptedGenerator(scripts, **limits)
    try:
        yield generator
    finally:
        generator.close()


@contextmanager
def serving(desk: Desk, conversation_id: str = C) -> Iterator[None]:
    """A worker that answers in a thread; the block's end waits for its end."""
    worker = threading.Thread(target=answer_next, args=(conversation_id, desk))
    worker.start()
    try:
        yield
    finally:
        worker.join(timeout=20)
    assert not worker.is_alive()


@contextmanager
def at_work(desk: Desk, conversation_id: str = C) -> Iterator[None]:
    """Like `serving`; the block begins when the model has got the question."""
    generator: Any = desk.generator
    before = len(generator.prompts)
    with serving(desk, conversation_id):
        until(lambda: len(generator.prompts) > before)
        yield


def order(name: str, *, sent_at: float | None = None, user: str = "console:u1", conversation: str = C) -> Command:
    """An order of the console."""
    return Command(
        platform="console",
        conversation_id=conversation,
        user_id=user,
        name=name,
        argument="",
        language="ja",
        sent_at=time.time() + 60 if sent_at is None else sent_at,
        reply_to={"session": "u1"},
    )


def command(store: redis.Redis, event: Control, control_id: str) -> None:
    """Put a control event where the clerk finds it."""
    Inbox(store, NoHints()).control(event, control_id)


def page(store: redis.Redis, conversation_id: str = C) -> list[tuple[str, str]]:
    """What the console's page is told: kinds and texts of its events."""
    return [(event["type"], event.get("text", "")) for event in events(store, conversation_id)]


def events(store: redis.Redis, conversation_id: str = C) -> list[dict[str, Any]]:
    """The events of the console's page."""
    entries: Any = store.xrange(f"stream:{conversation_id}")
    return [json.loads(fields["event"]) for _, fields in entries]


def answers(store: redis.Redis, conversation_id: str = C) -> list[str]:
    """What the console's page shows as answers, apologies included."""
    return [text for kind, text in page(store, conversation_id) if kind in {"done", "failed"}]


def everything(store: redis.Redis) -> str:
    """Every key and every value of the store, as one text to search."""
    read: dict[str, Callable[[str], object]] = {
        "string": store.get,
        "hash": store.hgetall,
        "list": lambda key: store.lrange(key, 0, -1),
        "zset": lambda key: store.zrange(key, 0, -1),
        "set": store.smembers,
        "stream": store.xrange,
    }
    held = str({key: read[str(store.type(key))](key) for key in store.scan_iter()})
    # JSON in JSON may have escaped what is Japanese, once or twice.
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), held)


def until(look: Callable[[], T], timeout_s: float = 10.0) -> T:
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)
    return seen


def from_line(line: FakeLine, text: str, *, age_s: float = 0.0) -> Message:
    """A question as it came from LINE with a living token; `age_s` says how long ago."""
    said = line_events.text(text, reply_token=line.issue_token(line_events.USER))
    message = translate(said, time.time() - age_s)
    assert isinstance(message, Message)
    return message


def from_slack(slack: FakeSlack, text: str, *, user: str = "U1", thread_ts: str | None = None) -> Message:
    """A mention in a Slack channel; in a thread, or one that opens its own."""
    said = slack.workspace.say("C1", text, user=user, thread_ts=thread_ts)
    thread = thread_ts or said["ts"]
    where = {"team": TEAM, "channel": "C1", "channel_type": "channel", "ext_shared": False, "user": user}
    return Message(
        id=f"slack:{TEAM}:C1:{said['ts']}",
        platform="slack",
        conversation_id=f"slack:{TEAM}:C1:{thread}",
        user_id=f"slack:{user}",
        text=text,
        sent_at=float(said["ts"]),
        reply_to={**where, "thread_ts": thread, "ts": said["ts"]},
    )


def line_sender(line: FakeLine, store: redis.Redis, access: Mode | Access = "pairing") -> LineSender:
    return make_sender(line, store, access=access)


def slack_sender(slack: FakeSlack, store: redis.Redis) -> SlackSender:
    return SlackSender(slack_client(TOKEN, slack.api_url), store)


def pause_s(store: redis.Redis, conversation_id: str) -> float:
    """In how many seconds the conversation is due."""
    due = store.zscore("ready", conversation_id)
    assert due is not None
    return float(due) - time.time()


def asked_times(desk: Desk) -> int:
    """How often the model was asked."""
    generator = desk.generator
    assert isinstance(generator, ScriptedGenerator)
    return len(generator.prompts)


def hinted(desk: Desk) -> list[str]:
    """The conversations that were hinted at."""
    assert isinstance(desk.hints, HeardHints)
    return desk.hints.answers


def a_worker_dies(store: redis.Redis, times: int = 1, conversation_id: str = C) -> None:
    """Workers take the batch and are killed."""
    for _ in range(times):
        assert Batches(store, LIFE_S).take(conversation_id) is not None
        store.delete(f"lock:{conversation_id}")


def dead_letters(store: redis.Redis) -> list[dict[str, object]]:
    """What was given up."""
    return [json.loads(letter) for letter in store.hvals("dead")]

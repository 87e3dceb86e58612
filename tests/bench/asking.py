"""A desk for benchmarks of answers: the real parts, asked one question after the other, without Celery."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import redis

from bot.inbox import Inbox
from bot.messages import Message, Reply
from bot.platform import Delivered, Journal, Sender, Target
from bot.store import connect
from knowledge.retrieval import Retriever
from workers.answer_cache import AnswerCache
from workers.answering import answer
from workers.batches import Batches
from workers.citing import Citing
from workers.conversation import Conversations
from workers.embedded import store_command
from workers.files.kept import Files
from workers.gate import Gate
from workers.generation import Generator
from workers.interrupts import Interrupts
from workers.policy import Policies
from workers.provenance import Provenances
from workers.services import Desk
from workers.settings import WorkerSettings

AUDIENCE = frozenset({"public", "members"})


class Nobody:
    """Hints, a sender and a stream for which nobody waits."""

    def answer(self, conversation_id: str) -> None: ...

    def act(self, control_id: str) -> None: ...

    def open(self, target: Target, journal: Journal) -> Nobody:
        return self

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        return AUDIENCE

    def due_at(self, reply_to: Mapping[str, Any]) -> None: ...

    def confirm(self, target: Target, text: str, journal: Journal) -> None: ...

    def erase(self, conversation_id: str, **what: Any) -> None: ...

    def waiting(self, notice: str) -> None: ...

    def preview(self, extract: Reply) -> None: ...

    def update(self, text_so_far: str) -> None: ...

    def due(self, now: float) -> None: ...

    def finish(self, reply: Reply) -> Delivered:
        return Delivered(reply.text)

    def fail(self, apology: str) -> Delivered:
        return Delivered(apology)


class Session:
    """Asks questions of a desk, one after the other."""

    def __init__(self, desk: Desk, inbox: Inbox) -> None:
        self._desk = desk
        self._inbox = inbox

    def ask(self, conversation: str, text: str) -> Reply:
        """The answer, remembered in the conversation."""
        message = Message(uuid.uuid4().hex, "console", conversation, "console:bench", text, time.time(), {})
        self._inbox.accept(message, message.id)
        batch = self._desk.batches.take(conversation)
        assert batch is not None
        with self._desk.batches.holding(batch):
            made = answer(batch, Nobody(), self._desk)
            self._desk.batches.finish(batch, made.turns, cut=made.cut)
        return made.reply


@contextmanager
def session(retriever: Retriever, generator: Generator) -> Iterator[Session]:
    """A desk over an index and a model, with a store of its own."""
    with own_store() as store:
        desk = make_desk(store, retriever, generator, Nobody())
        yield Session(desk, Inbox(store, Nobody()))


@contextmanager
def own_store() -> Iterator[redis.Redis]:
    """A store that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="mado-") as folder:
        socket = Path(folder) / "s.sock"
        with Popen(store_command(Path(folder), socket), stdout=DEVNULL) as server:
            try:
                yield _answering(f"unix://{socket}")
            finally:
                server.terminate()


def make_desk(store: redis.Redis, retriever: Retriever, generator: Generator, sender: Sender) -> Desk:
    """A worker's services, with one platform."""
    own = WorkerSettings()
    return Desk(
        batches=Batches(store, own.turns_life_s),
        conversations=Conversations(store),
        files=Files(store, own.turns_life_s, retriever.fingerprint),
        interrupts=Interrupts(store),
        hints=Nobody(),
        senders={"console": sender},
        policy=Policies.read(Path("no file")),
        gate=Gate(),
        retriever=retriever,
        citing=Citing(store, retriever, {"console": ""}),
        answers=AnswerCache(store),  # off: every answer is to be the model's
        provenances=Provenances(store),
        generator=generator,
        model=own.llm_model,
        answer_tokens=own.answer_max_tokens,
        answer_deadline_s=own.answer_deadline_s,
    )


def _answering(url: str) -> redis.Redis:
    store = connect(url)
    until = time.monotonic() + 10
    while True:
        try:
            store.ping()
        except redis.RedisError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return store

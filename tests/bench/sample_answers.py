"""Answers over the sample documents, end to end: `make bench-sample-answers [N=20]`.

Store, retrieval, prompt, model and checks are the real ones, and so is the index under DATA_PATH (`madoguchi reindex`).

Prints what was asked and said, a table, and as its last line one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import redis

from bot.inbox import Inbox
from bot.messages import Message, Reply
from bot.platform import Delivered, Journal, Target
from bot.store import connect
from bot.words import language
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from workers.answering import answer
from workers.batches import Batches
from workers.citing import Citing
from workers.conversation import Conversations
from workers.embedded import store_command
from workers.engine import LlamaEngine
from workers.gate import Gate
from workers.interrupts import Interrupts
from workers.models import resolve
from workers.phrases import phrase
from workers.policy import Policies
from workers.services import Desk
from workers.settings import WorkerSettings

QUESTIONS = Path(__file__).parent.parent / "samples" / "questions.json"
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

    def update(self, text_so_far: str) -> None: ...

    def due(self, now: float) -> None: ...

    def finish(self, reply: Reply) -> Delivered:
        return Delivered(reply.text)

    def fail(self, apology: str) -> Delivered:
        return Delivered(apology)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what came back."""

    kind: str
    reply: Reply
    answers: tuple[str, ...]
    document: str
    seconds: float
    right_language: bool

    @property
    def declined(self) -> bool:
        return any(self.reply.text.startswith(phrase("not_found", tongue)) for tongue in ("ja", "en"))

    @property
    def contains(self) -> bool:
        return any(one.casefold() in self.reply.text.casefold() for one in self.answers)

    @property
    def cites_right(self) -> bool:
        return any(cited.uri.endswith(self.document) for cited in self.reply.citations)


class Session:
    """Asks questions of a desk, one after the other, without Celery."""

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
def session() -> Iterator[Session]:
    """A desk with a store of its own, the model of the settings, and the index under DATA_PATH."""
    own = WorkerSettings()
    with tempfile.TemporaryDirectory(prefix="mado-") as folder:
        socket = Path(folder) / "s.sock"
        with Popen(store_command(Path(folder), socket), stdout=DEVNULL) as server:
            store = _answering(f"unix://{socket}")
            engine = LlamaEngine(resolve(own.llm_model, own.models_path), context_tokens=own.llm_context_tokens)
            retriever = open_retriever(KnowledgeSettings())
            desk = Desk(
                batches=Batches(store, own.turns_life_s),
                conversations=Conversations(store),
                interrupts=Interrupts(store),
                hints=Nobody(),
                senders={"console": Nobody()},
                policy=Policies.read(Path("no file")),
                gate=Gate(),
                retriever=retriever,
                citing=Citing(store, retriever, {"console": ""}),
                generator=engine,
                answer_tokens=own.answer_max_tokens,
                answer_deadline_s=own.answer_deadline_s,
            )
            try:
                yield Session(desk, Inbox(store, Nobody()))
            finally:
                engine.close()
                server.terminate()


def main() -> None:
    """Ask everything, print what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", type=int, default=1000, help="questions of each kind at most")
    arguments.add_argument("--kinds", nargs="*", help="only these kinds")
    chosen = arguments.parse_args()
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    with session() as asking:
        asked = [
            _ask(asking, kind, row)
            for kind, rows in questions.items()
            if isinstance(rows, list) and (not chosen.kinds or kind in chosen.kinds)
            for row in rows[: chosen.n]
        ]
    _print(asked)


def _ask(asking: Session, kind: str, row: dict[str, Any]) -> Asked:
    conversation = f"console:{uuid.uuid4().hex}"
    if "first" in row:
        asking.ask(conversation, row["first"])
    began = time.monotonic()
    reply = asking.ask(conversation, row["question"])
    one = Asked(
        kind,
        reply,
        tuple(row.get("answers", ())),
        row.get("document", ""),
        time.monotonic() - began,
        language(reply.text) == row["lang"],
    )
    good = one.declined if kind == "unanswerable" else one.contains
    said = reply.text.replace("\n", " / ")
    print(f"{'ok ' if good else 'BAD'} {kind:14} {one.seconds:5.1f} s  {row['question']}  →  {said}", flush=True)
    return one


def _print(asked: list[Asked]) -> None:
    print(f"\n{'kind':15}{'n':>4}{'contains':>10}{'declined':>10}{'cites':>8}{'seconds p50':>13}")
    figures: dict[str, Any] = {}
    for kind in dict.fromkeys(one.kind for one in asked):
        of_kind = [one for one in asked if one.kind == kind]
        count = len(of_kind)
        figures[kind] = {
            "n": count,
            "contains": round(sum(one.contains for one in of_kind) / count, 3),
            "declined": round(sum(one.declined for one in of_kind) / count, 3),
            "cites_right": round(sum(one.cites_right for one in of_kind) / count, 3),
            "wrong_language": sum(not one.right_language for one in of_kind),
            "seconds_p50": round(statistics.median(one.seconds for one in of_kind), 1),
        }
        row = figures[kind]
        print(
            f"{kind:15}{count:4}{row['contains']:10}{row['declined']:10}{row['cites_right']:8}{row['seconds_p50']:13}"
        )
    print(json.dumps(figures))


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


if __name__ == "__main__":
    main()

"""How soon the extract is visible while several people ask at once: `make bench-extract [N=4]`.

Each of four people asks one question after the other over the documents of the index under DATA_PATH (`madoguchi
reindex`), the next one as soon as the last is answered, so that the model always writes four answers. Store, retrieval,
model and the console's stream are the real ones; what is measured is from the accepted message to the entry in the
stream that the page reads. The peer is the same desk without extracts: the model's first checked sentence.

Prints a table, and as its last line one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import redis

from bot.console.sender import ConsoleSender
from bot.console.stream import follow_blocking
from bot.inbox import Inbox
from bot.messages import Message
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.bench.asking import Nobody, make_desk, own_store
from workers.engine import LlamaEngine
from workers.models import resolve
from workers.services import Desk
from workers.serving import answer_next
from workers.settings import WorkerSettings

QUESTIONS = Path(__file__).parent.parent / "samples" / "questions.json"
PEOPLE = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """When something was on the page, in seconds after the message was accepted; None: it never was."""

    extract_s: float | None
    first_words_s: float
    answer_s: float


class Person:
    """Somebody on the console."""

    def __init__(self, number: int, store: redis.Redis, desk: Desk) -> None:
        self._conversation = f"console:{number}"
        self._store = store
        self._desk = desk
        self._inbox = Inbox(store, Nobody())
        self.seen: list[Seen] = []

    def ask_all(self, questions: Sequence[str]) -> None:
        """Ask one after the other."""
        for number, question in enumerate(questions):
            name, here = f"{self._conversation}:{number}", self._conversation
            message = Message(name, "console", here, here, question, time.time(), {})
            watching = threading.Thread(target=self._watch, args=(name, time.monotonic()))
            watching.start()
            self._inbox.accept(message, name)
            answer_next(here, self._desk)
            watching.join()

    def _watch(self, message_id: str, began: float) -> None:
        """Read the page's stream up to the answer."""
        at: dict[str, float] = {}
        for entry in follow_blocking(self._store, self._conversation, "0"):
            if entry is not None and entry.event["id"] == message_id:
                at.setdefault(entry.event["type"], time.monotonic() - began)
            if "done" in at or "failed" in at:
                break
        end_s = at.get("done") or at["failed"]
        self.seen.append(Seen(at.get("preview"), at.get("text", end_s), end_s))


def main() -> None:
    """Have everybody ask, and print how long they waited."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", type=int, default=4, help="questions of each person")
    arguments.add_argument("--model", default="", help="default: LLM_MODEL")
    chosen = arguments.parse_args()
    own = WorkerSettings()
    model = resolve(chosen.model or own.llm_model, own.models_path)
    with (
        open_retriever(KnowledgeSettings()) as retriever,
        closing(LlamaEngine(model, context_tokens=own.llm_context_tokens)) as engine,
        own_store() as store,
    ):
        engine.count_tokens("")  # loaded
        people = [
            Person(number, store, make_desk(store, retriever, engine, ConsoleSender(store))) for number in range(PEOPLE)
        ]
        asking = [
            threading.Thread(target=person.ask_all, args=(list(mine),))
            for person, mine in zip(people, _shares(chosen.n), strict=True)
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    _print([seen for person in people for seen in person.seen])


def _shares(each: int) -> Iterator[Iterator[str]]:
    """Each person's questions, those that the documents answer."""
    rows = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    asked = itertools.cycle(row["question"] for row in rows["answerable"])
    return (itertools.islice(asked, each) for _ in range(PEOPLE))


def _print(seen: list[Seen]) -> None:
    extracts = [one.extract_s for one in seen if one.extract_s is not None]
    figures = {
        "asked": len(seen),
        "extracts": len(extracts),
        "extract_s": _quantiles(extracts),
        "first_words_s": _quantiles([one.first_words_s for one in seen]),
        "answer_s": _quantiles([one.answer_s for one in seen]),
    }
    for name in ("extract_s", "first_words_s", "answer_s"):
        print(f"{name:15} {figures[name]}")
    print(json.dumps(figures))


def _quantiles(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(seconds)
    at_95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"p50": round(statistics.median(ordered), 2), "p95": round(at_95, 2)}


if __name__ == "__main__":
    main()

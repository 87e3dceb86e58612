"""Answers over the sample documents, end to end: `make bench-sample-answers [N=20]`.

Store, retrieval, prompt, model and checks are the real ones, and so is the index under DATA_PATH (`madoguchi reindex`).

Prints what was asked and said, a table, and as its last line one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.messages import Reply
from bot.words import language
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.bench.asking import Session, session
from workers.engine import LlamaEngine
from workers.models import resolve
from workers.phrases import phrase
from workers.settings import WorkerSettings

QUESTIONS = Path(__file__).parent.parent / "samples" / "questions.json"


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


def main() -> None:
    """Ask everything, print what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", type=int, default=1000, help="questions of each kind at most")
    arguments.add_argument("--kinds", nargs="*", help="only these kinds")
    chosen = arguments.parse_args()
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    own = WorkerSettings()
    model = resolve(own.llm_model, own.models_path)
    with (
        open_retriever(KnowledgeSettings()) as retriever,
        closing(LlamaEngine(model, context_tokens=own.llm_context_tokens)) as engine,
        session(retriever, engine) as asking,
    ):
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


if __name__ == "__main__":
    main()

"""What the sample documents' questions find, with the floor: `make bench-sample-retrieval`.

The last line is one JSON object: of each kind the questions and how many were right: answered ones by a passage of the
right document that has the answer's words, unanswerable ones by no passage at all.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from knowledge.documents import PUBLIC
from knowledge.reindexing import reindex
from knowledge.retrieval import Retrieval, Retriever, open_retriever
from knowledge.settings import PACKAGE, KnowledgeSettings
from knowledge.sources import Folder

QUESTIONS = Path(__file__).parents[1] / "samples" / "questions.json"
AUDIENCE = frozenset({PUBLIC})

Row = Mapping[str, Any]


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        settings = KnowledgeSettings(data_path=Path(work))
        reindex(settings, sources=[Folder(path=PACKAGE / "sample", audience=AUDIENCE)])
        with open_retriever(settings) as retriever:
            print(json.dumps(measure(retriever, json.loads(QUESTIONS.read_text("utf-8")))))


def measure(retriever: Retriever, questions: Mapping[str, list[Row]]) -> dict[str, dict[str, int]]:
    """By kind: how many questions, how many were right; the others are printed."""
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for kind, rows in questions.items():
        for row in rows:
            name = f"{kind}_{row['domain']}" if "domain" in row else kind
            context = [row["first"]] if "first" in row else []
            found = retriever.retrieve(row["question"], audience=AUDIENCE, context=context)
            asked[name] += 1
            right[name] += is_right(found, row)
            if not is_right(found, row):
                print(f"{name:24} {row['question']}", [passage.chunk.uri for passage in found.passages])
    return {name: {"questions": count, "right": right[name]} for name, count in asked.items()}


def is_right(found: Retrieval, row: Row) -> bool:
    if "document" not in row:
        return not found.passages
    return any(
        passage.chunk.uri == row["document"] and any(answer in passage.chunk.text for answer in row["answers"])
        for passage in found.passages
    )


if __name__ == "__main__":
    main()

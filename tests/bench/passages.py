"""How many passages a small model should read, and how much of them: `make bench-passages DATA=…/jsquad [N=60]`.

DATA names a question set (PREFIX.corpus.jsonl, PREFIX.queries.jsonl). N questions are asked of the whole corpus with
the prompt of the service, each way with an engine of its own that has read nothing yet. A way is a number of passages,
and how many sentences of each are read (0: all): those around the one that shares most with the question. "Right": the
model's words, as they come, hold a known answer. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.documents import Passage
from tests.bench.answers import Question, indexed
from tests.bench.asking import AUDIENCE
from tests.bench.workload import rows
from workers import grounding
from workers.conversation import Conversation, Turn
from workers.engine import LlamaEngine
from workers.generation import Generator, Sampling
from workers.models import resolve
from workers.prompt import draft
from workers.sentences import sentences as sentences_of
from workers.settings import WorkerSettings

WAYS = ((1, 0), (1, 3), (1, 5), (2, 0), (2, 3), (2, 5), (3, 0), (3, 3))
ANSWER_TOKENS = 128
DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one question: whether it is right, what the model read (tokens), and how long all of it took."""

    right: bool
    prompt_tokens: int
    seconds: float


def main() -> None:
    """Ask every question every way, print a table and one line of JSON."""
    arguments = _arguments()
    own = WorkerSettings()
    model = resolve(arguments.model or own.llm_model, own.models_path)
    corpus, queries = rows(f"{arguments.data}.corpus.jsonl"), rows(f"{arguments.data}.queries.jsonl")
    questions = [Question.of(row) for row in random.Random(arguments.seed).sample(queries, arguments.n)]
    with indexed(corpus) as retriever:
        most = max(count for count, _ in WAYS)
        found = [retriever.retrieve(one.text, audience=AUDIENCE, limit=most).passages for one in questions]
    figures = {}
    for count, sentences in WAYS:
        with closing(LlamaEngine(model, context_tokens=own.llm_context_tokens)) as engine:
            said = [
                ask(question, [cut(question.text, one, sentences) for one in passages[:count]], engine)
                for question, passages in zip(questions, found, strict=True)
                if passages
            ]
        name = f"{count} of {sentences or 'all'}"
        figures[name] = summary(said)
        print(f"{name:9}", *(f"{key} {value}" for key, value in figures[name].items()), sep="  ", flush=True)
    print(json.dumps(figures))


def cut(question: str, passage: Passage, most: int) -> Passage:
    """The passage with the sentence that shares most with the question and those around it, `most` in all."""
    parts = [part for part in sentences_of([passage.chunk.text]) if part.strip()]
    if not most or len(parts) <= most:
        return passage
    nearest = grounding.extract(question, passage, most_chars=0)
    at = next(n for n, part in enumerate(parts) if part.strip() == nearest)
    first = min(max(at - most // 2, 0), len(parts) - most)
    text = "".join(parts[first : first + most]).strip()
    return replace(passage, chunk=replace(passage.chunk, text=text))


def ask(question: Question, passages: Sequence[Passage], engine: Generator) -> Said:
    """What the model says to the service's prompt over these passages."""
    began = time.monotonic()
    asked = Turn("user", (question.text,), "console:bench", ("bench",))
    prompt = draft(Conversation("bench", ()), asked, passages, engine, ANSWER_TOKENS).prompt
    generation = engine.submit(
        prompt, max_tokens=ANSWER_TOKENS, deadline_s=DEADLINE_S, sampling=Sampling(), conversation="bench"
    )
    text = "".join(generation)
    return Said(question.is_answered_by(text), len(prompt.token_ids), time.monotonic() - began)


def summary(said: Sequence[Said]) -> Mapping[str, float]:
    """The share that is right, and what an answer costs at the median."""
    return {
        "right": round(sum(one.right for one in said) / len(said), 3),
        "prompt_tokens_p50": statistics.median(one.prompt_tokens for one in said),
        "seconds_p50": round(statistics.median(one.seconds for one in said), 2),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prefix of the question set")
    parser.add_argument("-n", type=int, default=60, help="questions")
    parser.add_argument("--model", default="", help="instead of LLM_MODEL")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()

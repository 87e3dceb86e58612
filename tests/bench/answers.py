"""Answers to questions with known answers, end to end: `make bench-answers DATA=…/jsquad [N=60] [MODEL=…]`.

DATA names a question set (PREFIX.corpus.jsonl, PREFIX.queries.jsonl). Each paragraph is a document under its article's
title. N questions are asked of the whole corpus; N others are asked of a corpus that lacks half of the articles, theirs
among them, and should be declined. The bare pipeline is the best plain prompt over the same passages, the same model in
the same run; it cites the passage that the search puts first, as it cannot tell which one it used.

A citation is right when its passage is the relevant one or holds a known answer. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.words import language
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.bench.asking import AUDIENCE, Session, session
from tests.bench.workload import rows
from workers import grounding
from workers.engine import LlamaEngine
from workers.generation import ChatMessage, Generator, Prompt, Sampling
from workers.models import resolve
from workers.phrases import phrase
from workers.settings import WorkerSettings

BARE_PASSAGES = 3
BARE = {
    "ja": (
        "あなたは社内資料についての質問に答えるアシスタントです。資料だけをもとに、資料の言葉で、一文で答えてください。"
        "資料に答えがないときは「資料には見つかりませんでした。」とだけ答えてください。"
    ),
    "en": (
        "You answer questions about a team's documents. Answer in one sentence, in the words of the documents and from "
        'them alone. If they do not hold the answer, say only "I could not find this in the documents."'
    ),
}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, what answers count, and in which paragraphs they are known to stand."""

    text: str
    answers: tuple[str, ...]
    relevant: frozenset[str]

    @classmethod
    def of(cls, row: Row) -> Question:
        return cls(row["query"], tuple(row["answers"]), frozenset(row["relevant"]))

    def is_answered_by(self, text: str) -> bool:
        """Whether a known answer stands in the text."""
        return any(_plain(one) in _plain(text) for one in self.answers)


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that an answer names: its paragraph and its words."""

    paragraph: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one question."""

    question: Question
    text: str
    cited: tuple[Cited, ...]
    declined: bool
    seconds: float

    @property
    def right(self) -> bool:
        return not self.declined and self.question.is_answered_by(self.text)

    @property
    def right_citations(self) -> int:
        asked = self.question
        return sum(one.paragraph in asked.relevant or asked.is_answered_by(one.text) for one in self.cited)


@dataclass(frozen=True, slots=True)
class Examination:
    """Documents, and the questions that are asked of them."""

    corpus: Sequence[Row]
    questions: Sequence[Question]


def main() -> None:
    """Ask everything both ways, print a table and one line of JSON."""
    arguments = _arguments()
    own = WorkerSettings()
    model = resolve(arguments.model or own.llm_model, own.models_path)
    answerable, unanswerable = examinations(arguments.data, arguments.n, random.Random(arguments.seed))
    with closing(LlamaEngine(model, context_tokens=own.llm_context_tokens)) as engine:
        known = examine(answerable, engine, show=arguments.show)
        unknown = examine(unanswerable, engine, show=arguments.show)
    figures = {way: summary(known[way], unknown[way]) for way in known}
    for way, one in figures.items():
        print(f"{way:5}", *(f"{name} {value}" for name, value in one.items()), sep="  ")
    print(json.dumps(figures))


def examinations(prefix: str, count: int, chance: random.Random) -> tuple[Examination, Examination]:
    """What the whole corpus answers, and what half of its articles do not."""
    corpus, queries = rows(f"{prefix}.corpus.jsonl"), rows(f"{prefix}.queries.jsonl")
    article = {row["id"]: row["title"] for row in corpus}
    titles = sorted(set(article.values()))
    left_out = set(chance.sample(titles, len(titles) // 2))
    beyond = [row for row in queries if article[row["relevant"][0]] in left_out]
    rest = [row for row in corpus if row["title"] not in left_out]
    return (
        Examination(corpus, [Question.of(row) for row in chance.sample(queries, count)]),
        Examination(rest, [Question.of(row) for row in chance.sample(beyond, count)]),
    )


def examine(given: Examination, engine: Generator, *, show: bool) -> dict[str, list[Said]]:
    """What ours and the bare pipeline say to every question."""
    said: dict[str, list[Said]] = {"ours": [], "bare": []}
    with indexed(given.corpus) as retriever, session(retriever, engine) as asking:
        for question in given.questions:
            said["ours"].append(ours(question, asking))
            said["bare"].append(bare(question, retriever, engine))
            if show:
                _show(question, *(one[-1] for one in said.values()))
    return said


@contextmanager
def indexed(corpus: Sequence[Row]) -> Iterator[Retriever]:
    """A search in these paragraphs, a document each."""
    with tempfile.TemporaryDirectory(prefix="mado-") as work:
        folder = Path(work) / "documents"
        folder.mkdir()
        for row in corpus:
            (folder / f"{row['id']}.md").write_text(f"# {row['title']}\n\n{row['text']}\n", "utf-8")
        settings = KnowledgeSettings(data_path=Path(work))
        reindex(settings, sources=[Folder(path=folder, audience=AUDIENCE)])
        with open_retriever(settings) as retriever:
            yield retriever


def ours(question: Question, asking: Session) -> Said:
    """What the service says."""
    began = time.monotonic()
    reply = asking.ask(f"console:{uuid.uuid4().hex}", question.text)
    cited = tuple(Cited(Path(one.uri).stem, one.text) for one in reply.citations)
    declined = reply.text.startswith(tuple(phrase("not_found", tongue) for tongue in ("ja", "en")))
    return Said(question, reply.text, cited, declined, time.monotonic() - began)


def bare(question: Question, retriever: Retriever, engine: Generator) -> Said:
    """What the model says to the best plain prompt over the passages that come nearest."""
    began = time.monotonic()
    found = retriever.retrieve(question.text, audience=AUDIENCE, limit=BARE_PASSAGES)
    passages = (*found.passages, *found.nearest)[:BARE_PASSAGES]
    material = "\n\n".join(f"[{n}] {passage.chunk.text}" for n, passage in enumerate(passages, 1))
    chat = (ChatMessage("system", BARE[language(question.text)]), ChatMessage("user", f"{material}\n\n{question.text}"))
    prompt = Prompt(chat, passages, engine.tokenize(chat))
    generation = engine.submit(
        prompt, max_tokens=128, deadline_s=120.0, sampling=Sampling(), conversation=uuid.uuid4().hex
    )
    text = "".join(generation)
    declined = grounding.refuses(text)
    cited = () if declined else tuple(Cited(Path(one.chunk.uri).stem, one.chunk.text) for one in passages[:1])
    return Said(question, text, cited, declined, time.monotonic() - began)


def summary(known: Sequence[Said], unknown: Sequence[Said]) -> dict[str, float]:
    """Shares, and the median of seconds over all questions."""
    everything = [*known, *unknown]
    citations = sum(len(one.cited) for one in known)
    return {
        "contains_answer": _share(one.right for one in known),
        "citation_precision": round(sum(one.right_citations for one in known) / max(citations, 1), 3),
        "declines_unanswerable": _share(one.declined for one in unknown),
        "false_declines": _share(one.declined for one in known),
        "wrong_language": sum(language(one.text) != language(one.question.text) for one in everything),
        "seconds_p50": round(statistics.median(one.seconds for one in everything), 2),
    }


def _share(facts: Iterable[bool]) -> float:
    found = list(facts)
    return round(sum(found) / len(found), 3)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _show(question: Question, *said: Said) -> None:
    print(f"{question.text}  [{' | '.join(question.answers)}]")
    for one in said:
        mark = "-" if one.declined else "o" if one.right else "x"
        print(f"   {mark} {one.seconds:4.1f} s  {one.text!r}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="prefix of the question set")
    parser.add_argument("-n", type=int, default=60, help="questions of each kind")
    parser.add_argument("--model", default="", help="instead of LLM_MODEL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what was asked and said")
    return parser.parse_args()


if __name__ == "__main__":
    main()

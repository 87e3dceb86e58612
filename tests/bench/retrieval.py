"""How well and how fast documents are found: `make bench-retrieval DATA=dir [N=200]`.

The folder holds `SET.corpus.jsonl` and `SET.queries.jsonl` for jsquad, jaquad, xquad_en and faq, and
`faq.followups.jsonl`. Everything goes the real way: files, loader, splitter, index. The last line is one JSON object:
the figures of the fused search, and those of each side alone and of rank fusion on the same questions as `peers`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.documents import PUBLIC
from knowledge.embedders import load_embedder
from knowledge.embedding import Embedder, Vectors
from knowledge.fusion import Sides, fuse
from knowledge.generations import fingerprint
from knowledge.index import Generation, Index
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.bench import large_index
from tests.bench.embedders import Wrapped

QA_SETS = ("jsquad", "jaquad", "xquad_en")
AUDIENCE = frozenset({PUBLIC})
TIMED = 100

Row = Mapping[str, Any]
Rankings = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with the questions before it, and which documents answer it."""

    text: str
    relevant: frozenset[str]
    context: tuple[str, ...] = ()

    @property
    def wordings(self) -> list[str]:
        """As the retriever words it."""
        return [self.text, *(f"{earlier}\n{self.text}" for earlier in self.context[-1:])]


@dataclass(slots=True)
class Remembering(Wrapped):
    """An embedder that computes each vector once, since the sets are indexed in several combinations."""

    known: dict[tuple[str, str], Vectors] = field(default_factory=dict)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._encoded("query", texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self._encoded("document", texts)

    def documents(self) -> Vectors:
        return np.stack([vector for (kind, _), vector in self.known.items() if kind == "document"])

    def _encoded(self, kind: str, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if (kind, text) not in self.known]
        encode = self.inner.encode_query if kind == "query" else self.inner.encode_document
        if new:
            self.known.update(zip(((kind, text) for text in new), encode(new), strict=True))
        return np.stack([self.known[kind, text] for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the question sets")
    parser.add_argument("-n", "--queries", type=int, default=0, help="of each set at most, drawn at random; 0: all")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        print(json.dumps(measure(arguments.data, Path(work), arguments.queries)))


def measure(data: Path, work: Path, queries: int) -> dict[str, Any]:
    """All figures; a table is printed on the way."""
    corpora = {name: rows(data / f"{name}.corpus.jsonl") for name in (*QA_SETS, "faq")}
    questions = {name: sample(to_questions(rows(data / f"{name}.queries.jsonl")), queries) for name in corpora}
    followups = [
        Question(row["query"], frozenset(row["relevant"]), tuple(row["history"][::2]))
        for row in rows(data / "faq.followups.jsonl")
    ]
    embedder = Remembering(load_embedder(KnowledgeSettings()))

    everything = build(work / "all", [row for corpus in corpora.values() for row in corpus], embedder)
    mixed = build(work / "mixed", [row for name in QA_SETS for row in corpora[name]], embedder)
    runs = {
        "mixed": (mixed.path, [question for name in QA_SETS for question in questions[name]]),
        **{name: (build(work / name, corpora[name], embedder).path, questions[name]) for name in QA_SETS},
        "faq": (build(work / "faq", corpora["faq"], embedder).path, questions["faq"]),
        "faq_in_all": (everything.path, questions["faq"]),
        "followups": (work / "faq", followups),
    }
    figures = {name: table(name, evaluate(path, embedder, asked)) for name, (path, asked) in runs.items()}
    texts = [row["text"] for name in QA_SETS for row in corpora[name]]
    drawn = [question.text for question in sample(runs["mixed"][1], TIMED)]
    peers = {peer: {name: one[peer] for name, one in figures.items()} for peer in ("dense", "lexical", "rank_fusion")}
    return {
        **{name: one["fused"] for name, one in figures.items()},
        **timed(mixed.path, drawn),
        **large_index.timed(work / "large", texts, embedder.documents(), drawn),
        "chunks_per_s": round(everything.chunks / everything.seconds, 1),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peers": peers,
    }


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def to_questions(found: Iterable[Row]) -> list[Question]:
    return [Question(row["query"], frozenset(row["relevant"])) for row in found]


def sample(questions: list[Question], limit: int) -> list[Question]:
    return random.Random(0).sample(questions, limit) if 0 < limit < len(questions) else questions


@dataclass(frozen=True, slots=True)
class Built:
    """An index that was made, and what it took."""

    path: Path
    chunks: int
    seconds: float


def build(path: Path, corpus: Sequence[Row], embedder: Embedder) -> Built:
    """Index a corpus, one file for each paragraph, without its article's title, which names the answer too often."""
    folder = path / "documents"
    folder.mkdir(parents=True)
    for row in corpus:
        (folder / f"{row['id']}.txt").write_text(row["text"], "utf-8")
    started = time.perf_counter()
    report = reindex(
        KnowledgeSettings(data_path=path),
        sources=[Folder(path=folder, audience=AUDIENCE)],
        embedder=embedder,
    )
    return Built(path, report.chunks, time.perf_counter() - started)


def evaluate(path: Path, embedder: Embedder, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """The figures of every system on these questions."""
    index = Index(path / "index", fingerprint(embedder))
    with index.generation() as generation:
        asked = [(question, rankings(generation, embedder, question)) for question in questions]
    index.close()
    return {system: scores([(q.relevant, found[system]) for q, found in asked]) for system in asked[0][1]}


def rankings(generation: Generation, embedder: Embedder, question: Question) -> Rankings:
    """The documents in the order of each system."""
    wordings = question.wordings
    sides = generation.search(wordings, embedder.encode_query(wordings), AUDIENCE)
    orders = {
        "fused": [candidate.number for candidate in fuse(sides)],
        "dense": by_score(cosines(sides[-1])),
        "lexical": by_score(sides[-1].lexical),
        "rank_fusion": by_score(reciprocal_ranks(sides[-1])),
    }
    return {system: documents(generation, order) for system, order in orders.items()}


def cosines(sides: Sides) -> dict[int, float]:
    return {number: near.cosine for number, near in sides.dense.items()}


def by_score(found: Mapping[int, float]) -> list[int]:
    return sorted(found, key=lambda number: -found[number])


def reciprocal_ranks(sides: Sides, constant: int = 60) -> dict[int, float]:
    ranks = [{number: place for place, number in enumerate(by_score(side))} for side in (cosines(sides), sides.lexical)]
    return {
        number: sum(1 / (constant + 1 + side[number]) for side in ranks if number in side)
        for number in ranks[0] | ranks[1]
    }


def documents(generation: Generation, order: Sequence[int]) -> list[str]:
    chunks = generation.chunks(order)
    return list(dict.fromkeys(Path(chunks[number].uri).stem for number in order))


def scores(found: Sequence[tuple[frozenset[str], list[str]]]) -> dict[str, float]:
    places = [min((n for n, name in enumerate(ranked) if name in relevant), default=999) for relevant, ranked in found]
    figures = {f"recall_at_{k}": sum(place < k for place in places) / len(places) for k in (1, 3, 5)}
    figures["mrr_at_10"] = sum(1 / (place + 1) for place in places if place < 10) / len(places)
    return {name: round(value, 3) for name, value in figures.items()} | {"questions": len(places)}


def timed(path: Path, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a whole retrieval, the question's embedding included."""
    settings = KnowledgeSettings(data_path=path)
    elapsed = []
    with open_retriever(settings) as retriever:
        retriever.follow()
        for text in texts:
            started = time.perf_counter()
            retriever.retrieve(text, audience=AUDIENCE)
            elapsed.append((time.perf_counter() - started) * 1000)
    return {f"query_ms_p{p}": round(float(np.percentile(elapsed, p)), 1) for p in (50, 99)}


def table(name: str, figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    for system, one in figures.items():
        print(f"{name:12} {system:12}", *(f"{value:>6}" for value in one.values()), flush=True)
    return figures


if __name__ == "__main__":
    main()

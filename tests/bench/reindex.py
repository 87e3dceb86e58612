"""What reindexing costs: everything new, nothing changed, one document changed: `make bench-reindex N=10000`.

Documents' vectors are drawn by lot from their text instead of computed (the real ones take a quarter of an hour, once);
everything else is real: tokens, floors, golden questions, Chroma, SQLite. The floor is what Chroma alone takes to store
so many vectors. The last line is one JSON object; times in seconds, memory in MB, each of a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.documents import PUBLIC
from knowledge.embedders import load_embedder
from knowledge.embedding import Vectors
from knowledge.reindexing import reindex
from knowledge.report import Step
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from knowledge.vectors import VectorIndex

SECTIONS = 10
"""Chunks of a document."""
SMALL = 2_000
"""Chunks of the corpus that peak memory is compared with."""
GOLDEN = 10
ADDED_AT_ONCE = 500


class DrawnByLot:
    """The default embedder, but that documents' vectors are drawn by lot, seeded by the text."""

    def __init__(self) -> None:
        self._real = load_embedder(KnowledgeSettings())
        self.fingerprint = f"drawn by lot, {self._real.fingerprint}"
        self.dimension = self._real.dimension
        self.max_tokens = self._real.max_tokens
        self.count_tokens = self._real.count_tokens
        self.encode_query = self._real.encode_query

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return np.stack([drawn(text, self.dimension) for text in texts])


def drawn(text: str, dimension: int) -> Vectors:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(dimension, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def write_document(folder: Path, number: int, edition: int = 1) -> None:
    sections = (section(number * SECTIONS + at, edition) for at in range(SECTIONS))
    (folder / f"{number:05}.md").write_text(f"# 規程 {number}\n\n" + "\n\n".join(sections), "utf-8")


def section(number: int, edition: int) -> str:
    return (
        f"## 第{number}条\n\n部署{number}の経費は毎月{number % 28 + 1}日までに申請します（第{edition}版）。"
        f"上限は{number % 97 * 100}円で、それを超えるときは部長{number % 31}の承認が要ります。"
        "領収書は原本を提出し、写しは七年間保管してください。"
    )


def measured(work: Path, edition: int | None) -> dict[str, float]:
    """Reindex in this process; with an edition one document is changed before."""
    if edition is not None:
        write_document(work / "documents", 7, edition)
    settings = KnowledgeSettings(data_path=work / "data", golden_path=work / "golden.json")
    embedder = DrawnByLot()
    gaps = Gaps()
    began, computed = time.perf_counter(), time.process_time()
    report = reindex(
        settings,
        sources=[Folder(path=work / "documents", audience=frozenset({PUBLIC}))],
        embedder=embedder,
        progress=gaps.tell,
    )
    return {
        "s": time.perf_counter() - began,
        "cpu_s": time.process_time() - computed,
        "peak_mb": peak_mb(),
        "silence_s": gaps.longest,
        "chunks": report.chunks,
        "embedded": report.embedded,
    }


class Gaps:
    """The longest time without a word of progress."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()

    def tell(self, _: Step) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


def chroma_alone(work: Path, chunks: int) -> dict[str, float]:
    """What Chroma takes to store so many vectors of that size."""
    embedder = DrawnByLot()
    index = VectorIndex.create(work / "chroma", {(1, "ja"): chunks})
    began = time.perf_counter()
    for start in range(0, chunks, ADDED_AT_ONCE):
        numbers = range(start, min(start + ADDED_AT_ONCE, chunks))
        vectors = np.stack([drawn(str(number), embedder.dimension) for number in numbers])
        index.add(numbers, vectors, audiences=[1] * len(numbers), languages=["ja"] * len(numbers))
    index.close()
    return {"s": time.perf_counter() - began, "cpu_s": time.process_time(), "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def apart(task: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """The task's result, from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(task, arguments)


def measure(chunks: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "documents").mkdir()
        for number in range(chunks // SECTIONS):
            write_document(work / "documents", number)
        golden = [
            {"question": f"第{n * SECTIONS}条", "document": f"{n:05}.md"} for n in range(0, chunks // SECTIONS, 7)
        ]
        (work / "golden.json").write_text(json.dumps(golden[:GOLDEN]), "utf-8")
        return {
            "new": apart(measured, work, None),
            "unchanged": apart(measured, work, None),
            "one_changed": apart(measured, work, 2),
            "chroma_alone": apart(chroma_alone, work, chunks),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="chunks")
    chunks: int = parser.parse_args().n
    results = {count: measure(count) for count in (min(SMALL, chunks), chunks)}
    for count, result in results.items():
        for what, figures in result.items():
            told = "  ".join(f"{name} {figure:.2f}" for name, figure in figures.items())
            print(f"{count:>7} chunks  {what:13} {told}")
    large = results[chunks]
    print(
        json.dumps(
            {
                "chunks": chunks,
                "new_s": round(large["new"]["s"], 2),
                "unchanged_s": round(large["unchanged"]["s"], 2),
                "one_changed_s": round(large["one_changed"]["s"], 2),
                "one_changed_cpu_s": round(large["one_changed"]["cpu_s"], 2),
                "embedded": large["one_changed"]["embedded"],
                "longest_silence_s": round(max(one.get("silence_s", 0.0) for one in large.values()), 2),
                "peak_mb": {str(c): round(r["one_changed"]["peak_mb"]) for c, r in results.items()},
                "peers": {
                    "chroma_alone_s": round(large["chroma_alone"]["s"], 2),
                    "chroma_alone_peak_mb": {str(c): round(r["chroma_alone"]["peak_mb"]) for c, r in results.items()},
                },
            }
        )
    )


if __name__ == "__main__":
    main()

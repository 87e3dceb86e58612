"""What a reindexing tells: how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from knowledge.documents import Skipped

Stage = Literal["reading", "embedding", "checking"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a stage is: documents read, chunks embedded, questions asked; `total` is 0 while it is unknown."""

    stage: Stage
    done: int
    total: int


Progress = Callable[[Step], None]
"""Called at least twice a second; what it raises breaks the reindexing off, and the old index stays."""


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """What became of the golden questions.

    Args:
        asked: how many; retired ones are not.
        right_before: how many of them the old generation answers; 0 when there is none.
        right_now: how many of them the new one answers.
        wrong: the questions that the new one does not answer.
        worse: those of them that the old one does answer.
        retired: the questions whose document is not there any more for who asks them.
    """

    asked: int
    right_before: int
    right_now: int
    wrong: tuple[str, ...]
    worse: tuple[str, ...]
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a reindexing did, or with `dry_run` would do.

    Args:
        generation: the one that answers now; empty when there is none yet.
        documents, chunks: how many the sources have.
        embedded: the chunks whose vectors were not known.
        added, removed: the chunks that the generation before did not have, and those that only it had.
        skipped: what is not in the index, and why.
        changed: False when the sources say what the index says; nothing was written then.
        golden: None when no question was asked.
    """

    generation: str
    documents: int
    chunks: int
    embedded: int
    added: int
    removed: int
    skipped: tuple[Skipped, ...]
    changed: bool
    golden: GoldenReport | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class SourceOverview:
    """A source as it is in an index.

    Args:
        kind: by which key of `[[sources]]` it is named.
        where: the folder or the address.
        title: for people; may be empty.
        audience: labels of who may read it, sorted.
        documents, chunks: how many of it are in the index.
        skipped: what is not, and why, when it was last read.
    """

    kind: str
    where: str
    title: str
    audience: tuple[str, ...]
    documents: int
    chunks: int
    skipped: tuple[Skipped, ...]

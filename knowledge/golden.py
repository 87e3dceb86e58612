"""Golden questions: what the index must go on answering, asked before a new generation takes the old one's place."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from knowledge import chunk_store
from knowledge.documents import MEMBERS, PUBLIC, Chunk
from knowledge.errors import GoldenMalformed
from knowledge.report import GoldenReport

PASSAGES = 2
"""As many as an answer is written from (`workers/answering.py`): what comes behind them does not answer."""

MAX_BYTES = 1_000_000
"""Of the file: a hand has written it."""

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]


class GoldenQuestion(BaseModel):
    """A question and the document that answers it.

    Args:
        question: as people ask it.
        document: its id, its uri, or its path within its source.
        contains: words that the passage found must have; empty: any passage of the document will do.
        audience: labels of who asks; a member, if none are named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    question: _Text
    document: _Text
    contains: Annotated[str, StringConstraints(max_length=2_000)] = ""
    audience: Annotated[frozenset[_Text], Field(strict=False, min_length=1)] = frozenset({PUBLIC, MEMBERS})

    @property
    def key(self) -> str:
        """Names it in a manifest, without its words: they may quote a document."""
        said = [self.question, self.document, self.contains, *sorted(self.audience)]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()

    def is_answered_by(self, chunk: Chunk) -> bool:
        """Whether the chunk is of the document, and has the words."""
        return self.document in _names(chunk.document_id, chunk.uri) and self.contains in chunk.text


def load_questions(path: Path) -> tuple[GoldenQuestion, ...]:
    """The questions of a YAML file, a list of tables; none of an empty one.

    Raises:
        GoldenMalformed: it is not there, is no YAML, or a question of it cannot be used.
    """
    try:
        written = yaml.safe_load(_content(path))
        return TypeAdapter(tuple[GoldenQuestion, ...]).validate_python(() if written is None else written)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise GoldenMalformed(f"{path}: {place}: {first['msg']}") from error
    except RecursionError as error:
        raise GoldenMalformed(f"{path}: nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise GoldenMalformed(f"{path}: line {line}: no YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # bytes that are no text, dates that are none
        raise GoldenMalformed(f"{path}: no YAML: {error}") from error


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise GoldenMalformed(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise GoldenMalformed(f"{path}: larger than {MAX_BYTES // 1_000_000} MB")
    return content.decode("utf-8-sig")


class Documents:
    """What the documents of an index are called, by who may read them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._names: dict[frozenset[str], frozenset[str]] = {}

    def have(self, question: GoldenQuestion) -> bool:
        """Whether the question's document is there, for who asks it."""
        labels = question.audience
        if labels not in self._names:
            found = chunk_store.documents_for(self._database, labels)
            self._names[labels] = frozenset(name for document in found for name in _names(*document))
        return question.document in self._names[labels]


def compare(
    questions: Sequence[GoldenQuestion],
    before: Collection[GoldenQuestion],
    now: Collection[GoldenQuestion],
    retired: Collection[GoldenQuestion],
) -> GoldenReport:
    """What to tell of the questions: which the index before answers, which the new one, and which went."""
    asked = [question for question in questions if question not in retired]
    wrong = [question for question in asked if question not in now]
    return GoldenReport(
        asked=len(asked),
        right_before=len([question for question in asked if question in before]),
        right_now=len(asked) - len(wrong),
        wrong=tuple(question.question for question in wrong),
        worse=tuple(question.question for question in wrong if question in before),
        retired=tuple(question.question for question in retired),
    )


def _names(document_id: str, uri: str) -> tuple[str, str, str]:
    """All that a document is called by: a file's id begins with its folder's name."""
    return document_id, uri, document_id.partition("/")[2]

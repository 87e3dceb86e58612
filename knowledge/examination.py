"""The golden questions asked of a draft and of the generation whose place it is to take."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from knowledge import chunk_store, generations
from knowledge.embedding import Embedder
from knowledge.errors import IndexBroken
from knowledge.generations import LEXICAL, Answering
from knowledge.golden import PASSAGES, Documents, GoldenQuestion, compare
from knowledge.index import Index
from knowledge.report import GoldenReport, Progress, Step
from knowledge.retrieval import Retriever

log = logging.getLogger(__name__)

Right = Collection[GoldenQuestion]


@dataclass(slots=True)
class Examination:
    """Asks golden questions.

    Args:
        progress: told how many were asked, of how many, both generations taken together.
    """

    index_path: Path
    embedder: Embedder
    questions: Sequence[GoldenQuestion]
    progress: Progress
    _asked: int = 0
    _total: int = 0

    def of(self, draft: Path, answering: Answering | None) -> tuple[GoldenReport | None, Right]:
        """What became of the questions, and those that the draft answers; no report when they are of other documents.

        Where the generation that answers now cannot be asked, what it answered when it was made counts.
        """
        with closing(chunk_store.open_for_reading(draft / LEXICAL)) as database:
            there = Documents(database)
            retired = [question for question in self.questions if not there.have(question)]
        if len(retired) == len(self.questions) and not self._had_one(answering):
            return None, ()
        asked = [question for question in self.questions if question not in retired]
        can_compare = answering is not None and answering.manifest.fingerprint == generations.fingerprint(self.embedder)
        self._total = len(asked) * (1 + can_compare)
        now = self._answered(asked, draft.name)
        before = self._answered_before(asked, answering) if answering else []
        return compare(self.questions, before, now, retired), now

    def _had_one(self, answering: Answering | None) -> bool:
        """Whether the generation that answers has the document of any question."""
        if answering is None:
            return False
        try:
            with closing(chunk_store.open_for_reading(self.index_path / answering.name / LEXICAL)) as database:
                there = Documents(database)
                return any(there.have(question) for question in self.questions)
        except sqlite3.DatabaseError:  # another version's, or damaged
            return False

    def _answered_before(self, asked: Sequence[GoldenQuestion], answering: Answering) -> Right:
        if self._total > len(asked):
            try:
                return self._answered(asked, answering.name)
            except IndexBroken as error:  # a reindexing is what mends it
                log.warning("generation not asked", extra={"generation": answering.name, "reason": str(error)})
        return [question for question in asked if question.key in answering.manifest.golden]

    def _answered(self, asked: Sequence[GoldenQuestion], name: str) -> Right:
        """The questions that the generation of this name answers."""
        index = Index(self.index_path, generations.fingerprint(self.embedder), pointer=lambda _: name)
        right = []
        with Retriever(index, self.embedder) as retriever:
            for question in asked:
                if _answers(retriever, question):
                    right.append(question)
                self._asked += 1
                self.progress(Step("checking", self._asked, self._total))
        return right


def _answers(retriever: Retriever, question: GoldenQuestion) -> bool:
    try:
        found = retriever.retrieve(question.question, audience=question.audience, limit=PASSAGES)
    except Exception as error:  # every library below has errors of its own for a damaged file
        raise IndexBroken(f"it cannot be searched: {type(error).__name__}") from error
    return any(question.is_answered_by(passage.chunk) for passage in found.passages)

"""Following while nobody asks: the newest index, and what was erased, so that no old words stay in this process."""

from __future__ import annotations

import logging
import threading
import time

from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.generation import Generator
from workers.provenance import Provenances
from workers.services import Retriever
from workers.votes.votes import Votes
from workers.withdrawing import Withdrawing

log = logging.getLogger(__name__)

FOLLOW_EVERY_S = 2.0
AGAIN_FOR_S = 60.0
"""What was erased is forgotten again and again for so long: a worker may have read its words just before."""


class Following:
    """What a process has to let go of, looked up every few seconds."""

    def __init__(
        self,
        retriever: Retriever,
        conversations: Conversations,
        generator: Generator,
        citing: Citing,
        votes: Votes,
        *,
        answers: AnswerCache,
        provenances: Provenances,
        withdrawing: Withdrawing | None = None,
    ) -> None:
        self._retriever = retriever
        self._citing = citing
        self._votes = votes
        self._answers = answers
        self._provenances = provenances
        self._withdrawing = withdrawing
        self._conversations = conversations
        self._generator = generator
        self._generation: str | None = None
        self._refreshed: str | None = None
        self._voted: str | None = None
        self._answered: str | None = None
        self._traced: str | None = None
        self._told: dict[str, str] = {}

    def run(self, done: threading.Event, every_s: float = FOLLOW_EVERY_S) -> None:
        """Follow until `done` is set."""
        while not done.wait(every_s):
            self.follow()

    def follow(self) -> None:
        """Look once; what keeps it from that is logged once, and it tries again."""
        steps = {
            "index": self._follow_index,
            "erasures": self._follow_erasures,
            "kept": self._follow_kept,  # before the pages, which have the store's file written anew
            "pages": self._follow_pages,
            "votes": self._follow_votes,
            "answers": self._follow_answers,
            "provenances": self._follow_provenances,
        }
        for name, step in steps.items():
            try:
                step()
                self._told.pop(name, None)
            except Exception as error:  # whatever it is, a question says the same to who asks it
                self._tell(name, f"{type(error).__name__}: {error}")

    def _follow_index(self) -> None:
        """Let go of the old index, and of what the model has read of it: documents may have left."""
        generation = self._retriever.follow()
        if self._generation not in (None, generation):
            self._generator.forget_all()
        self._generation = generation

    def _follow_pages(self) -> None:
        """Have the pages of cited passages show what the newest index has; also once at the start, for all of them."""
        if self._generation != self._refreshed:
            self._citing.refresh()
            self._refreshed = self._generation

    def _follow_votes(self) -> None:
        """Drop the votes on what the newest index does not say: look at all when it changed, else at the new ones."""
        self._votes.refresh(self._retriever.known, only_new=self._generation == self._voted)
        self._voted = self._generation

    def _follow_answers(self) -> None:
        """Drop the cached answers of other documents; also at the start: it may be with another model."""
        if self._generation != self._answered:
            self._answers.clear()
            self._answered = self._generation

    def _follow_provenances(self) -> None:
        """Drop what is told of passages that the newest index does not have."""
        if self._generation != self._traced:
            self._provenances.refresh(self._retriever.known)
            self._traced = self._generation

    def _follow_kept(self) -> None:
        """Withdraw the answers that wait for their readers and were made with what the newest index does not have."""
        if self._withdrawing and self._withdrawing.withdraw():
            self._refreshed = None  # the pages' turn is next, which has the store's file written anew

    def _follow_erasures(self) -> None:
        for conversation_id in self._conversations.erased_since(time.time() - AGAIN_FOR_S):
            self._generator.forget(conversation_id)

    def _tell(self, what: str, reason: str) -> None:
        if self._told.get(what) != reason:
            log.warning("not followed", extra={"what": what, "reason": reason})
        self._told[what] = reason

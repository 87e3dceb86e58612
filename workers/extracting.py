"""Extracts: the best passage's own words with their source, before the model's answer is there and where none comes."""

from __future__ import annotations

from typing import Literal

from bot.messages import Citation, Reply
from bot.sanitise import sanitise
from knowledge.documents import Passage
from workers import grounding
from workers.batch import Batch
from workers.conversation import Turn
from workers.phrases import phrase
from workers.prompt import as_cited, as_read

Label = Literal["preview", "without_model"]


def extracted(label: Label, language: str, *, batch: Batch, passage: Passage, citations: tuple[Citation, ...]) -> Reply:
    """What the passage says to the batch's question, labelled in `language` as its own words, with its source."""
    text = phrase(label, language, words=words_of(batch, passage))
    return Reply(sanitise(text, grounding.sources([passage])), citations)


def turns(batch: Batch, asked: Turn, passage: Passage) -> tuple[Turn, Turn]:
    """What the conversation remembers of an answer that is an extract, without the label, which is about today.

    The question's turn quotes the passage: so both go when its document does.
    """
    asked_over = Turn(asked.role, asked.texts, asked.speaker, asked.message_ids, (as_read(passage),))
    words = sanitise(words_of(batch, passage), grounding.sources([passage]))
    said = Turn("assistant", (words,), "assistant", tuple(batch.ids), (as_cited(passage),))
    return asked_over, said


def words_of(batch: Batch, passage: Passage) -> str:
    """The passage's words that come nearest to the question."""
    return grounding.extract(batch.text, passage)

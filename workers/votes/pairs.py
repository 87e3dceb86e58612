"""Pairs: questions with answers that people found helpful, as golden questions and as examples for training. Pure."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from pydantic import ValidationError

from knowledge.documents import PUBLIC, Chunk
from knowledge.golden import GoldenQuestion
from workers.prompt import SYSTEM, content
from workers.votes.votes import Vote

MEMBER = GoldenQuestion.model_fields["audience"].default
"""Who asks a golden question that does not say so."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and an answer that somebody found helpful and nobody unhelpful.

    Args:
        lent: who asked the question agreed that both may be used for training.
    """

    vote: Vote
    lent: bool


def liked(votes: Iterable[Vote]) -> list[Pair]:
    """A pair for every answer that has only good votes, in the order in which they were asked for first."""
    by_answer = groupby(sorted(votes, key=lambda vote: (vote.answer_id, vote.at)), key=lambda vote: vote.answer_id)
    groups = [list(group) for _, group in by_answer]
    pairs = [
        Pair(group[0], any(vote.lends for vote in group))
        for group in groups
        if all(vote.value == "up" for vote in group)
    ]
    return sorted(pairs, key=lambda pair: pair.vote.at)


def examples(pairs: Iterable[Pair], chunks: Mapping[str, Chunk], audience: str) -> Iterator[str]:
    """The lent pairs as lines of JSON in the chat format: what the model read, and what was answered.

    A model that was trained with a text can say it to everybody who uses it. So there are only pairs of which every
    passage is in the documents still and may be read by who bears the label `audience`.
    """
    labels = {audience, PUBLIC}
    for vote in (pair.vote for pair in pairs if pair.lent):
        read = [chunks.get(chunk_id) for chunk_id in vote.chunk_ids]
        if all(chunk is not None and chunk.audience & labels for chunk in read):
            yield _example(vote)


def golden(pairs: Iterable[Pair], chunks: Mapping[str, Chunk]) -> Iterator[GoldenQuestion]:
    """The pairs as golden questions, asked by who may read the cited document; what none can be is left out."""
    for vote in (pair.vote for pair in pairs):
        cited = chunks.get(vote.answered.passages[0].chunk_id)
        if cited is None:
            continue
        asked_by = MEMBER if cited.audience & MEMBER else cited.audience
        try:
            yield GoldenQuestion(question=one_line(vote.asked.text), document=_place(cited), audience=asked_by)
        except ValidationError:  # longer than such a question may be, or without a word
            continue


def _example(vote: Vote) -> str:
    asked = content(vote.asked)
    messages = [("system", SYSTEM), ("user", asked.text), ("assistant", vote.answered.text)]
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in messages]}, ensure_ascii=False)


def _place(chunk: Chunk) -> str:
    """The document as people write it: its path within its source, or the address of a page."""
    if chunk.uri.startswith(("http://", "https://")):
        return chunk.uri
    return chunk.document_id.partition("/")[2] or chunk.uri


def one_line(text: str) -> str:
    """The text without what a terminal or a YAML file would take for more than letters."""
    return " ".join("".join(" " if unicodedata.category(char).startswith("C") else char for char in text).split())

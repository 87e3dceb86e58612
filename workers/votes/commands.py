"""The operator's commands about votes: how many there are, pairs for training, and golden questions."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bot.errors import MadoguchiError
from bot.settings import BotSettings
from bot.store import connect
from knowledge import golden_file
from knowledge.documents import Chunk
from knowledge.errors import KnowledgeError
from knowledge.golden import PASSAGES, GoldenQuestion
from knowledge.lookup import chunks_with
from knowledge.own import NO_CHUNKS
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from workers.services import Retriever
from workers.settings import STORE_TIMEOUT_S
from workers.votes.pairs import Pair, examples, golden, liked, one_line
from workers.votes.votes import Votes

MOST_REASONS = 50
"""Of the newest; what an operator has seen needs not to be read for ever."""


class ExportRefused(MadoguchiError):
    """Pairs cannot be written to the file."""


def show(_: argparse.Namespace) -> int:
    """Say how many votes there are, and what they can be used for."""
    votes = Votes(connect(BotSettings().store_url, timeout_s=STORE_TIMEOUT_S)).all()
    counted, answers = Counter(vote.value for vote in votes), len({vote.answer_id for vote in votes})
    pairs = liked(votes)
    print(f"votes: {counted['up']} helpful, {counted['down']} not helpful, on {answers} answers")
    print(
        f"pairs: {len(pairs)} that nobody found unhelpful, {sum(pair.lent for pair in pairs)} of them lent for training"
    )
    for vote in [vote for vote in votes if vote.reason][-MOST_REASONS:]:
        print(f"not helpful: {one_line(vote.asked.text)}\n  reason: {one_line(vote.reason)}")
    return 0


def export(chosen: argparse.Namespace) -> int:
    """Write the pairs that people have lent for training to a new file, one JSON object a line."""
    settings = BotSettings()
    if not settings.votes_may_train:
        raise ExportRefused("VOTES_MAY_TRAIN is false: nothing is exported (docs/feedback.md)")
    pairs = _pairs(settings)
    try:
        chunks = _chunks(pairs)
        lines = list(examples(pairs, chunks, chosen.audience))
    except KnowledgeError as error:
        raise ExportRefused(str(error)) from error
    _write_new(chosen.file, lines)
    lent = sum(pair.lent for pair in pairs)
    left_out = f"{lent - len(lines)} more were lent: their documents are not for {chosen.audience}, or have changed"
    print(f"{len(lines)} pairs written" + (f"; {left_out}" if lent > len(lines) else ""))
    return 0


def golden_questions(chosen: argparse.Namespace) -> int:
    """Print the pairs as golden questions, or add those that are new to GOLDEN_PATH."""
    settings = KnowledgeSettings()
    pairs = _pairs(BotSettings())
    try:
        new = golden_file.new_ones(list(golden(pairs, _chunks(pairs))), settings.golden_path)
        with open_retriever(settings) as retriever:
            found = [question for question in new if is_answered(question, retriever)]
        if chosen.write and found:
            golden_file.append(found, settings.golden_path)
    except KnowledgeError as error:
        print(f"madoguchi: {error}", file=sys.stderr)
        return 2
    if chosen.write:
        print(f"{len(found)} questions added to {settings.golden_path}")
    else:
        print(golden_file.as_yaml(found), end="")
    return 0


def is_answered(question: GoldenQuestion, retriever: Retriever) -> bool:
    """Whether the documents answer it when it is asked alone; one that leaned on its conversation is no golden one."""
    found = retriever.retrieve(question.question, audience=question.audience, own=NO_CHUNKS, limit=PASSAGES)
    return any(question.is_answered_by(passage.chunk) for passage in found.passages)


def _pairs(settings: BotSettings) -> list[Pair]:
    return liked(Votes(connect(settings.store_url, timeout_s=STORE_TIMEOUT_S)).all())


def _chunks(pairs: Iterable[Pair]) -> dict[str, Chunk]:
    """What the documents say still of all that the pairs were made from."""
    ids = {chunk_id for pair in pairs for chunk_id in pair.vote.chunk_ids}
    return chunks_with(ids, KnowledgeSettings().index_path)


def _write_new(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is not there yet: none that matters is lost by a slip, none passes for a newer one."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except FileExistsError as error:
        raise ExportRefused(f"{path} is there already") from error
    except OSError as error:
        raise ExportRefused(f"{path} cannot be written: {error.strerror}") from error

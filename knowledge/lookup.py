"""Looking up chunks by their ids, for an operator: without a search, and whoever may read them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from knowledge import chunk_store, generations
from knowledge.documents import Chunk
from knowledge.errors import NoIndex
from knowledge.generations import LEXICAL

_ATTEMPTS = 3


def chunks_with(ids: Collection[str], index_path: Path) -> dict[str, Chunk]:
    """The chunks of the newest index that have one of these ids.

    Raises:
        NoIndex: there is none that this version can read.
    """
    for _ in range(_ATTEMPTS):
        answering = generations.answering(index_path)
        if answering is None:
            break
        try:
            with closing(chunk_store.open_for_reading(index_path / answering.name / LEXICAL)) as database:
                return chunk_store.named(database, ids)
        except FileNotFoundError:  # removed since: a newer one is there
            continue
    raise NoIndex("there is no index yet")

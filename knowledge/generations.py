"""The generations on disk: their folders, their manifests, and the pointer to the one that answers."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge import chunking, lexical
from knowledge.calibration import Floor, Floors
from knowledge.embedding import Embedder
from knowledge.errors import NoIndex

LEXICAL = "lexical.sqlite"
VECTORS = "vectors"
_MANIFEST = "manifest.json"
_POINTER = "CURRENT"

ROLLBACK_S = 3600.0
"""So long one can go back to the generation before; then what was deleted from the documents is gone here too."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of: by which models (`fingerprint`), of which chunks (`digest`), and its floors."""

    fingerprint: str
    digest: str
    documents: int
    chunks: int
    floors: Floors

    def write(self, folder: Path) -> None:
        """Put it into the generation's folder."""
        (folder / _MANIFEST).write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of the generation in this folder.

        Raises:
            FileNotFoundError: the generation was removed.
            NoIndex: another version wrote it, or it is damaged.
        """
        written = (folder / _MANIFEST).read_text("utf-8")
        try:
            facts = json.loads(written)
            floors = {
                asked_in: {written_in: Floor(**floor) for written_in, floor in some.items()}
                for asked_in, some in facts.pop("floors").items()
            }
            return cls(**facts, floors=floors)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoIndex(f"{folder.name} was written by another version: reindex") from error


def fingerprint(embedder: Embedder) -> str:
    """Names everything besides the documents that an index depends on; indexes of equal ones may be compared."""
    return f"{embedder.fingerprint}; chunks {chunking.VERSION}; tokens {lexical.VERSION}"


def current(index_path: Path) -> str | None:
    """The name of the generation that answers; None before the first."""
    try:
        return (index_path / _POINTER).read_text("utf-8").strip()
    except FileNotFoundError:
        return None


def draft(index_path: Path) -> Path:
    """An empty folder for the next generation; what an earlier, interrupted attempt left is deleted."""
    answering = _answering(index_path)
    for folder in index_path.glob("gen-*"):
        if folder.suffix == ".draft" or _number(folder.name) > answering:  # interrupted just before its swap
            shutil.rmtree(folder)
    folder = index_path / f"gen-{answering + 1}.draft"
    folder.mkdir(parents=True)
    return folder


def publish(draft_folder: Path) -> str:
    """Make the draft the generation that answers, in one step; its name."""
    folder = draft_folder.with_suffix("")
    draft_folder.rename(folder)
    pointer = folder.parent / _POINTER
    written = pointer.with_suffix(".new")
    with written.open("w", encoding="utf-8") as file:
        file.write(folder.name)
        file.flush()
        os.fsync(file.fileno())
    os.replace(written, pointer)
    return folder.name


def remove_old(index_path: Path) -> None:
    """Delete the generations before the one that answers, but for ROLLBACK_S after the swap not the last of them.

    Safe at any time, a reindexing under way or not.
    """
    answering = _answering(index_path)
    before = sorted(n for folder in index_path.glob("gen-*") if (n := _number(folder.name)) < answering)
    if before and time.time() - (index_path / _POINTER).stat().st_mtime < ROLLBACK_S:
        before.pop()
    for number in before:
        shutil.rmtree(index_path / f"gen-{number}", ignore_errors=True)


def _answering(index_path: Path) -> int:
    return _number(current(index_path) or "gen-0")


def _number(name: str) -> int:
    return int(name.removesuffix(".draft").removeprefix("gen-"))

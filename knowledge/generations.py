"""The generations on disk: their folders, their manifests, and the pointer to the one that answers."""

from __future__ import annotations

import json
import os
import shutil
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
    for leftover in index_path.glob("*.draft"):
        shutil.rmtree(leftover)
    newest = max((_number(folder.name) for folder in index_path.glob("gen-*")), default=0)
    folder = index_path / f"gen-{newest + 1}.draft"
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
    """Delete every generation but the one that answers and the one before it, which is there for a rollback."""
    answering = _number(current(index_path) or "gen-0")
    numbers = sorted(_number(folder.name) for folder in index_path.glob("gen-*"))
    before = [number for number in numbers if number < answering][-1:]
    for number in numbers:
        if number not in (answering, *before):
            shutil.rmtree(index_path / f"gen-{number}", ignore_errors=True)


def _number(name: str) -> int:
    return int(name.removesuffix(".draft").removeprefix("gen-"))

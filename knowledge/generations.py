"""The generations on disk: their folders, their manifests, and the pointer to the one that answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from knowledge import chunk_store, chunking, lexical
from knowledge.calibration import Floors
from knowledge.embedding import Embedder
from knowledge.errors import NoIndex, NothingBefore, ReindexRunning
from knowledge.reindex_lock import one_at_a_time
from knowledge.report import SourceOverview

LEXICAL = "lexical.sqlite"
VECTORS = "vectors"
_NAME = re.compile(r"gen-[0-9]+")
_MANIFEST = "manifest.json"
_POINTER = "CURRENT"
_HIGHEST = "HIGHEST"
"""The number that a rollback came down from: a name that readers may hold never comes to mean something else."""

ROLLBACK_S = 3600.0
"""So long one can go back to the generation before; then what was deleted from the documents is gone here too."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of.

    Args:
        fingerprint: by which models and which versions.
        digest: of which chunks.
        made_at: seconds since the epoch.
        documents, chunks: how many.
        floors: what counts as found in it.
        sources: where its chunks are from, and what of that is not in it.
        golden: the keys of the golden questions that it answers.
    """

    fingerprint: str
    digest: str
    made_at: float
    documents: int
    chunks: int
    floors: Floors
    sources: tuple[SourceOverview, ...]
    golden: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Put it into the generation's folder in one step, for the first time or in the place of another."""
        written = folder / f"{_MANIFEST}.new"
        _write(written, json.dumps(asdict(self), indent=1, ensure_ascii=False))
        os.replace(written, folder / _MANIFEST)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of the generation in this folder.

        Raises:
            FileNotFoundError: the generation was removed.
            NoIndex: another version wrote it, or it is damaged.
        """
        written = (folder / _MANIFEST).read_bytes()
        try:
            return TypeAdapter(cls).validate_json(written)
        except ValidationError as error:
            raise NoIndex(f"{folder.name} was written by another version: reindex") from error


def fingerprint(embedder: Embedder) -> str:
    """Names everything besides the documents that an index depends on; indexes of equal ones may be compared."""
    return f"{embedder.fingerprint}; chunks {chunking.VERSION}; tokens {lexical.VERSION}; store {chunk_store.VERSION}"


def current(index_path: Path) -> str | None:
    """The name of the generation that answers; None before the first."""
    return _pointed_at(index_path / _POINTER)


@dataclass(frozen=True, slots=True)
class Answering:
    """The generation that answers."""

    name: str
    manifest: Manifest


def answering(index_path: Path) -> Answering | None:
    """The generation that answers; None when there is none, or none that this version can read."""
    name = current(index_path)
    if name is None or not all((index_path / name / part).exists() for part in (LEXICAL, VECTORS)):
        return None
    try:
        return Answering(name, Manifest.read(index_path / name))
    except (FileNotFoundError, NoIndex):
        return None


@contextmanager
def draft(index_path: Path) -> Iterator[Path]:
    """An empty folder for the next generation; deleted when the block ends, unless it was published.

    What an earlier, interrupted attempt left is deleted before.
    """
    now = _number(current(index_path))
    for folder in index_path.glob("gen-*.draft"):
        shutil.rmtree(folder)
    for number in _numbers(index_path):
        if number > now:  # interrupted just before the swap, or in the midst of going back
            shutil.rmtree(index_path / f"gen-{number}")
    folder = index_path / f"gen-{max(now, _number(_pointed_at(index_path / _HIGHEST))) + 1}.draft"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(draft_folder: Path) -> str:
    """Make the draft the generation that answers, in one step, when all of it is on disk; its name."""
    for path in [*draft_folder.rglob("*"), draft_folder]:
        _flush(path)
    folder = draft_folder.with_suffix("")
    draft_folder.rename(folder)
    _point(folder.parent / _POINTER, folder.name)
    return folder.name


def before(index_path: Path) -> str | None:
    """The name of the newest generation before the one that answers; None when there is none."""
    numbers = _numbers_before(index_path)
    return f"gen-{numbers[-1]}" if numbers else None


def step_back(index_path: Path, readable: str) -> str:
    """Have the generation before answer again, and delete the one that answered; its name.

    Raises:
        NothingBefore: there is none, or its fingerprint is not `readable`.
    """
    left, name = current(index_path), before(index_path)
    if left is None or name is None:
        raise NothingBefore("there is no generation before this one any more")
    try:
        manifest = Manifest.read(index_path / name)
    except (FileNotFoundError, NoIndex) as error:
        raise NothingBefore(f"{name} cannot be read: {error}") from error
    if manifest.fingerprint != readable:
        raise NothingBefore(f"{name} was made by another embedder or version")
    if _number(left) > _number(_pointed_at(index_path / _HIGHEST)):
        _point(index_path / _HIGHEST, left)
    _point(index_path / _POINTER, name)
    shutil.rmtree(index_path / left, ignore_errors=True)
    return name


def remove_old(index_path: Path) -> None:
    """Delete the generations before the one that answers, but for ROLLBACK_S after the swap not the last of them.

    Nothing while somebody is changing the index: after a rollback it may be one of them that answers.
    """
    with suppress(ReindexRunning), one_at_a_time(index_path):
        numbers = _numbers_before(index_path)
        if numbers and time.time() - (index_path / _POINTER).stat().st_mtime < ROLLBACK_S:
            numbers.pop()
        for number in numbers:
            shutil.rmtree(index_path / f"gen-{number}", ignore_errors=True)


def _numbers_before(index_path: Path) -> list[int]:
    now = _number(current(index_path))
    return [number for number in _numbers(index_path) if number < now]


def _numbers(index_path: Path) -> list[int]:
    """The numbers of all generations that are there, drafts left out, in their order."""
    return sorted(_number(folder.name) for folder in index_path.glob("gen-*") if _NAME.fullmatch(folder.name))


def _pointed_at(pointer: Path) -> str | None:
    try:
        name = pointer.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    return name if _NAME.fullmatch(name) else None


def _point(pointer: Path, name: str) -> None:
    """Have a pointer name another generation, in one step that a power cut does not undo."""
    written = pointer.with_suffix(".new")
    _write(written, name)
    os.replace(written, pointer)
    _flush(pointer.parent)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    _flush(path)


def _flush(path: Path) -> None:
    """Have a file's or a folder's content on disk, whatever happens to the machine."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _number(name: str | None) -> int:
    """The number in a generation's name; 0 for none."""
    return int(name.removeprefix("gen-")) if name else 0

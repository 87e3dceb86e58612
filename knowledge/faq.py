"""Answers that an administrator wrote once: one Markdown file each, in folders that are named by who may read them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

TITLE = "FAQ"
"""Stands in front of the files' names as the title of these sources."""


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """A question with its answer, both in an administrator's words.

    Args:
        name: of its file, without the suffix; never used again for another entry.
        audience: labels of who may read it, as a source has them.
    """

    name: str
    question: str
    answer: str
    audience: frozenset[str]

    @property
    def folder(self) -> str:
        """The name of its folder: the labels of its audience, fit for any file system."""
        return "+".join(quote(label, safe="") for label in sorted(self.audience))

    @property
    def document_id(self) -> str:
        """The id of the document that the index makes of it."""
        return f"{self.folder}/{self.name}.md"


def write(path: Path, entry: FaqEntry) -> Path:
    """The entry's file below `path`, whole and on disk; written once, later changes of it by hand stand.

    Raises:
        OSError
    """
    file = path / entry.folder / f"{entry.name}.md"
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")  # hidden: no reindexing takes it for a document
    with draft.open("w", encoding="utf-8") as written:
        written.write(f"# {entry.question}\n\n{entry.answer}\n")
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)
    return file


def find(path: Path, entry: FaqEntry) -> FaqEntry | None:
    """The entry as its file stands below `path`, in another folder for other readers; None when there is no file.

    Raises:
        OSError
    """
    standing = {audience for folder, audience in folders(path) if (folder / f"{entry.name}.md").exists()}
    if entry.audience in standing or not standing:
        return entry if standing else None
    return replace(entry, audience=min(standing, key=sorted))


def folders(path: Path) -> list[tuple[Path, frozenset[str]]]:
    """Every folder below `path` that has a file, and who may read what is in it.

    One whose last file was deleted is no source any more: its answers leave the index without anybody's leave.
    """
    with_files = (folder for folder in sorted(path.glob("*")) if any(folder.glob("[!.]*")))
    return [(folder, frozenset(map(unquote, folder.name.split("+")))) for folder in with_files]

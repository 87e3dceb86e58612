"""The documents of a source, and by name and reason what is none: one bad file never stops the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from knowledge.decoding import Undecodable, decode
from knowledge.documents import Document, Skipped
from knowledge.formats import Content, NoContent, from_csv, from_html, from_markdown, from_text
from knowledge.sources import Source

MAX_BYTES = 20_000_000

_FORMATS: dict[str, Callable[[str], Content]] = {
    ".md": from_markdown,
    ".markdown": from_markdown,
    ".txt": from_text,
    ".html": from_html,
    ".htm": from_html,
    ".csv": from_csv,
}


def load(source: Source) -> Iterator[Document | Skipped]:
    """Every file of the source in the order of its path, as a Document or as Skipped; hidden files are passed over.

    A folder that is not there gives nothing.
    """
    for path in _files(source.path):
        name = path.relative_to(source.path).as_posix()
        try:
            content = _FORMATS[path.suffix.lower()](decode(_read(path, source.path)))
            yield _document(source, name, content)
        except (NoContent, Undecodable) as error:
            yield Skipped(name, str(error))
        except OSError as error:
            yield Skipped(name, f"unreadable: {error.strerror or 'I/O error'}")


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent) / name for name in sorted(names) if not name.startswith("."))


def _read(path: Path, root: Path) -> bytes:
    """The file's bytes.

    Raises:
        NoContent: it is of no known kind, leads out of the source, or is too large.
    """
    if path.suffix.lower() not in _FORMATS:
        raise NoContent("not a kind of file that is read")
    if not path.resolve().is_relative_to(root.resolve()):
        raise NoContent("a link that leads out of the source")
    if not path.resolve().is_file():
        raise NoContent("not a file, or a link to nothing")
    if path.stat().st_size > MAX_BYTES:
        raise NoContent(f"larger than {MAX_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _document(source: Source, name: str, content: Content) -> Document:
    if not content.text.strip():
        raise NoContent("empty")
    return Document(
        id=f"{source.path.name}/{name}",
        title=content.title or Path(name).stem,
        uri=name,
        text=content.text,
        audience=source.audience,
        language=source.language,
    )

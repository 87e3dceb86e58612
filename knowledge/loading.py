"""The documents of a source, and by name and reason what is none: one bad file never stops the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from knowledge import formats
from knowledge.decoding import Undecodable
from knowledge.documents import Document, Skipped
from knowledge.formats import Content, NoContent
from knowledge.sources import Folder, Source, Website
from knowledge.web.connection import Tick
from knowledge.web.website import load_website

MAX_BYTES = 20_000_000


def _nothing() -> None:
    """For who has nothing to do in the meantime."""


def load(source: Source, web: Path, *, tick: Tick = _nothing) -> Iterator[Document | Skipped]:
    """Everything that the source has, as a Document or as Skipped.

    Args:
        web: the folder for what is fetched.
        tick: called several times a second while a website is waited for; what it raises ends the waiting.
    """
    match source:
        case Folder():
            return _load_folder(source)
        case Website():
            return load_website(source, web, tick)
    raise TypeError(f"no source: {type(source).__name__}")


def _load_folder(source: Folder) -> Iterator[Document | Skipped]:
    """Every file in the order of its path, then the folders that cannot be read; hidden files are passed over."""
    unreadable: list[OSError] = []
    for path in _files(source.path, unreadable.append):
        name = path.relative_to(source.path).as_posix()
        try:
            yield _document(source, name, _content(path, source.path))
        except (NoContent, Undecodable) as error:
            yield Skipped(name, str(error))
        except RecursionError:
            yield Skipped(name, "nested too deeply")
        except OSError as error:
            yield Skipped(name, _why(error))
    for closed in unreadable:
        yield Skipped(Path(closed.filename).relative_to(source.path).as_posix(), _why(closed))


def _why(error: OSError) -> str:
    return f"unreadable: {error.strerror or 'I/O error'}"


def _files(folder: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    """Every file below the folder, and every link to a folder: those are not followed."""
    for parent, folders, names in os.walk(folder, onerror=on_error):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # "~$" begins the names of the files that Office makes beside a document while somebody has it open.
        yield from (Path(parent, name) for name in sorted(names + links) if not name.startswith((".", "~$")))


def _content(path: Path, root: Path) -> Content:
    """What the file says.

    Raises:
        NoContent, Undecodable: nothing, for the reason given.
        OSError: it cannot be read.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)):
        raise NoContent("a link that leads out of the source")
    if not real.is_file():
        raise NoContent("not a file, or a link to nothing")
    formats.suffix(path.name)
    if real.stat().st_size > MAX_BYTES:
        raise NoContent(f"larger than {MAX_BYTES // 1_000_000} MB")
    return formats.read(path.name, real.read_bytes())


def _document(source: Folder, name: str, content: Content) -> Document:
    if not content.text.strip():
        raise NoContent("empty")
    return Document(
        id=f"{source.path.name}/{name}",
        title=content.title or Path(name).stem,
        uri=f"{source.title}/{name}" if source.title else name,
        text=content.text,
        audience=source.audience,
        language=source.language,
    )

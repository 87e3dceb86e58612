"""Reading a fake website as a source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.documents import Document, Skipped
from knowledge.sources import Website
from knowledge.web.website import load_website
from tests.fakes.website import FakeWebsite


@dataclass(frozen=True)
class Result:
    """What a source had; `kept` counts the files that stayed on disk for its pages."""

    items: Sequence[Document | Skipped]
    kept: int

    @property
    def documents(self) -> list[Document]:
        return [item for item in self.items if isinstance(item, Document)]

    @property
    def uris(self) -> list[str]:
        return [document.uri for document in self.documents]

    @property
    def reasons(self) -> dict[str, str]:
        return {item.path: item.reason for item in self.items if isinstance(item, Skipped)}


Read = Callable[..., Result]


def reader(site: FakeWebsite, web: Path) -> Read:
    """Reads sources of the site, quickly, and keeps what was fetched below `web`."""

    def read(tick: Callable[[], None] = lambda: None, **facts: Any) -> Result:
        source = Website.model_validate({"allow_private": True, "requests_per_second": 100.0, **facts})
        items = list(load_website(source, web, tick, site.resolve))
        return Result(items, len(list(web.glob("*/pages/*"))))

    return read


def written(folder: Path, text: bytes) -> list[Path]:
    """The files below the folder that contain this."""
    return [file for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]

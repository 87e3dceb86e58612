"""What was fetched, on disk: one file for each address, and none for what a source does not have any more."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from knowledge.web.page import Page

_FACTS = TypeAdapter(dict[str, str])


class Cache:
    """The pages in a folder, by the address that was asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, address: str) -> Page | None:
        """What was fetched last; None when nothing was, or the file is damaged."""
        try:
            with self._file(address).open("rb") as file:
                facts = _FACTS.validate_json(file.readline())
                return Page(content=file.read(), **{k: facts[k] for k in facts if k != "asked"})
        except (FileNotFoundError, ValidationError, TypeError):
            return None

    def keep(self, address: str, page: Page) -> None:
        """Have it in the place of what was fetched before, as of now."""
        self._folder.mkdir(parents=True, exist_ok=True)
        facts = {"asked": address} | {name: fact for name, fact in asdict(page).items() if name != "content"}
        written = self._file(address).with_suffix(".new")
        written.write_bytes(json.dumps(facts).encode() + b"\n" + page.content)
        os.replace(written, self._file(address))

    def confirm(self, address: str) -> None:
        """Note that it is still so, as of now."""
        os.utime(self._file(address))

    def confirmed_on(self, address: str) -> date:
        """The day when the site last said so."""
        return date.fromtimestamp(self._file(address).stat().st_mtime)

    def remove(self, address: str) -> None:
        """Have nothing of it on disk."""
        self._file(address).unlink(missing_ok=True)

    def addresses(self) -> list[str]:
        """Of all pages, sorted."""
        return sorted(filter(None, map(_asked, self._folder.glob("*.page"))))

    def keep_only(self, addresses: Collection[str]) -> None:
        """Remove all others, and what an interrupted writing left."""
        kept = {self._file(address) for address in addresses}
        for file in set(self._folder.glob("*")) - kept:
            file.unlink()

    def _file(self, address: str) -> Path:
        return self._folder / f"{hashlib.sha256(address.encode()).hexdigest()}.page"


def _asked(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return _FACTS.validate_json(content.readline()).get("asked")
    except ValidationError:
        return None

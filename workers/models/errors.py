"""What looking for a model can raise.

ModelError
├── ModelUnknown       the name is no catalogue model, no file and no hub file
├── ModelUnavailable   no source gave the file; says what each of them answered
├── ModelCorrupt       what came is not what was announced (size, hash, contents of a part)
├── SourceFailed       one source did not give the file; others may
├── DiskTooSmall       carries what is needed and what is free
└── UnreadableGGUF     the file is no GGUF, is cut off, or lies about its sizes
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.errors import MadoguchiError

BYTES_PER_MB = 1_000_000


class ModelError(MadoguchiError):
    """The root of what looking for a model raises."""


class ModelUnknown(ModelError):
    """The name is no catalogue model, no file and no hub file."""


class SourceFailed(ModelError):
    """One source did not give the file; others may."""


class ModelCorrupt(ModelError):
    """What came is not what was announced; it is gone from the disk."""


class ModelUnavailable(ModelError):
    """No source gave the file; `reasons` has what each of them answered, by the source's name."""

    def __init__(self, name: str, reasons: Mapping[str, str]) -> None:
        told = "".join(f"\n  {source}: {reason}" for source, reason in reasons.items())
        super().__init__(f"{name} could not be fetched{told}")
        self.reasons = dict(reasons)


class DiskTooSmall(ModelError):
    """The folder's disk has no room for the file and the parts it is made of."""

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        self.needed_mb = -(-needed_bytes // BYTES_PER_MB)
        self.free_mb = free_bytes // BYTES_PER_MB
        super().__init__(f"{folder}: {self.needed_mb} MB needed, {self.free_mb} MB free")


class UnreadableGGUF(ModelError):
    """The file is no GGUF, is cut off, or lies about its sizes."""

"""Whether a file is what it should be, hashed once and remembered beside it: 1.1 GB takes seconds at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from workers.models.errors import ModelCorrupt


def check(path: Path, sha256: str | None, size: int | None) -> str:
    """The file's SHA-256, which is the given one where one is given.

    Raises:
        ModelCorrupt: another hash or size; the file is removed.
    """
    found_size = path.stat().st_size
    if size is not None and found_size != size:
        _refuse(path, f"{path.name} has {found_size:,} bytes instead of {size:,}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is not None and found != sha256:
        _refuse(path, f"{path.name} has SHA-256 {found} instead of {sha256}")
    return found


def sha256_of(path: Path) -> str:
    """The file's SHA-256, hashed anew only when the file has been touched since it was noted."""
    if is_verified(path):
        return str(json.loads(_note(path).read_text(encoding="utf-8"))["sha256"])
    sha256 = check(path, None, None)
    with contextlib.suppress(OSError):  # a model of the operator's own may lie where we cannot write
        note(path, sha256)
    return sha256


def note(path: Path, sha256: str) -> None:
    """Remember beside the file that it was checked."""
    _note(path).write_text(json.dumps(_identity(path, sha256)), encoding="utf-8")


def is_verified(path: Path, sha256: str | None = None) -> bool:
    """Whether the file was checked (for that hash, if one is given) and has not been touched since."""
    try:
        noted = json.loads(_note(path).read_text(encoding="utf-8"))
        return bool(noted == _identity(path, sha256 or noted["sha256"]))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".verified.json")


def _identity(path: Path, sha256: str) -> dict[str, object]:
    stat = path.stat()
    return {"sha256": sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _refuse(path: Path, reason: str) -> None:
    path.unlink()
    _note(path).unlink(missing_ok=True)
    raise ModelCorrupt(f"{reason}; it was removed")

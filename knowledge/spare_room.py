"""What an HNSW index writes beyond its vectors, made blank.

hnswlib keeps room for more elements than there are, and writes some of it to the disk as it found it in memory: with
whatever text the process had there before, of documents that are deleted by now too.
"""

from __future__ import annotations

import struct
from pathlib import Path

from knowledge.errors import IndexBroken

_HEADER = struct.Struct("<i4Q")
"""As Chroma's hnswlib writes it: version, offset, elements that there is room for, elements, bytes of an element."""

_LENGTH_BYTES = 4


def blank_spare_room(folder: Path) -> None:
    """Overwrite the room that is left in every index below the folder, which nobody has open.

    Raises:
        IndexBroken: an index has another form than this version of Chroma gives it.
    """
    for header in folder.rglob("header.bin"):
        _, _, room, used, element_bytes = _HEADER.unpack_from(header.read_bytes())
        _blank(header.with_name("data_level0.bin"), room, used, element_bytes)
        _blank(header.with_name("length.bin"), room, used, _LENGTH_BYTES)


def _blank(path: Path, room: int, used: int, element_bytes: int) -> None:
    written, rest = divmod(path.stat().st_size, element_bytes)
    if rest or not used <= written <= room:
        raise IndexBroken(f"{path.name} is not of the form that is known")
    with path.open("r+b") as file:
        file.truncate(used * element_bytes)
        file.truncate(written * element_bytes)  # what a file grows by is zeros

"""Office files are zip archives of XML: what can be said about one before it is opened."""

from __future__ import annotations

import io
import zipfile

from knowledge.formats.content import NoContent

MAX_UNPACKED_BYTES = 200_000_000
MAX_PARTS = 20_000
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def check(content: bytes, part: str) -> None:
    """Nothing, if this is an Office file that may be opened.

    Args:
        part: what an archive of the right kind has, such as `word/`.

    Raises:
        NoContent: it is encrypted, too large unpacked, damaged, or something else.
    """
    if content.startswith(_COMPOUND_FILE):
        raise NoContent("encrypted: it needs a password" if _ENCRYPTED in content else "an Office file of before 2007")
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NoContent("damaged, or not what its name says") from error
    if len(parts) > MAX_PARTS or sum(member.file_size for member in parts) > MAX_UNPACKED_BYTES:
        raise NoContent(f"larger than {MAX_UNPACKED_BYTES // 1_000_000} MB when unpacked")
    if not any(member.filename.startswith(part) for member in parts):
        raise NoContent("not what its name says")

"""The header of a GGUF file: its metadata, read with bounds, since a file from anywhere may be cut off or lie.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workers.models.catalogue import Geometry
from workers.models.errors import UnreadableGGUF

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_PAIRS = 100_000
MAX_KEY_BYTES = 65_535
MAX_KEPT_ITEMS = 1_024
"""Longer arrays (the vocabulary) are skipped: only their length is kept."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING = 8
_ARRAY = 9


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was skipped; only its length is known."""

    length: int


Value = int | float | bool | str | list["Value"] | LongArray
Metadata = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF says of itself."""

    metadata: Metadata
    file_bytes: int


def read_header(path: Path) -> Header:
    """The header of the file.

    Raises:
        UnreadableGGUF: it is no GGUF of version 2 or 3, is cut off within the header, or lies about its sizes.
    """
    try:
        with path.open("rb") as file:
            file_bytes = os.fstat(file.fileno()).st_size
            return Header(_Reader(file, file_bytes).metadata(), file_bytes)
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise UnreadableGGUF(f"{path} cannot be read as a GGUF: {error}") from error
    except UnreadableGGUF as error:
        raise UnreadableGGUF(f"{path} is no readable GGUF: {error}") from error


def geometry(header: Header) -> Geometry:
    """What the memory of a context depends on, by the keys of the file's architecture.

    Raises:
        UnreadableGGUF: a key is missing or makes no sense.
    """
    architecture = header.metadata.get("general.architecture")
    keys = _Keys(header.metadata, f"{architecture}.")
    layers, heads, embedding = (keys.size(k) for k in ("block_count", "attention.head_count", "embedding_length"))
    head_length = embedding // heads
    key_length = keys.size("attention.key_length", head_length)
    value_length = keys.size("attention.value_length", head_length)
    return Geometry(
        context_tokens=keys.size("context_length"),
        cached_per_token=keys.over_layers("attention.head_count_kv", layers, heads) * (key_length + value_length),
        vocabulary=_length(header.metadata.get("tokenizer.ggml.tokens")),
        embedding=embedding,
    )


def _length(tokens: Value | None) -> int:
    if isinstance(tokens, LongArray):
        return tokens.length
    if isinstance(tokens, list):
        return len(tokens)
    raise UnreadableGGUF("tokenizer.ggml.tokens is missing")


class _Reader:
    """Reads values in file order; nothing is allocated for a size that the file cannot have."""

    def __init__(self, file: BinaryIO, file_bytes: int) -> None:
        self._file = file
        self._file_bytes = file_bytes

    def metadata(self) -> dict[str, Value]:
        if self._bytes(4) != MAGIC:
            raise UnreadableGGUF("it does not begin with GGUF")
        version = self._scalar("I")
        if version not in VERSIONS:
            raise UnreadableGGUF(f"version {version} is not one of {VERSIONS}")
        self._scalar("Q")  # the number of tensors
        pairs = self._bounded(self._scalar("Q"), MAX_PAIRS, "pairs")
        return {self._string(MAX_KEY_BYTES): self._value(int(self._scalar("I"))) for _ in range(pairs)}

    def _value(self, kind: int) -> Value:
        if kind in _SCALARS:
            return self._scalar(_SCALARS[kind])
        if kind == _STRING:
            return self._string(self._file_bytes)
        if kind == _ARRAY:
            return self._array(int(self._scalar("I")), self._scalar("Q"))
        raise UnreadableGGUF(f"a value of the unknown kind {kind}")

    def _array(self, kind: int, count: int | float) -> list[Value] | LongArray:
        if kind == _ARRAY:
            raise UnreadableGGUF("an array of arrays")
        items = self._bounded(count, self._file_bytes, "items")
        if items <= MAX_KEPT_ITEMS:
            return [self._value(kind) for _ in range(items)]
        if kind in _SCALARS:
            self._skip(items * struct.calcsize("<" + _SCALARS[kind]))
        else:
            for _ in range(items):
                self._skip(self._bounded(self._scalar("Q"), self._file_bytes, "bytes"))
        return LongArray(items)

    def _string(self, limit: int) -> str:
        return self._bytes(self._bounded(self._scalar("Q"), limit, "bytes")).decode("utf-8", "replace")

    def _scalar(self, code: str) -> int | float:
        (value,) = struct.unpack("<" + code, self._bytes(struct.calcsize("<" + code)))
        return value  # type: ignore[no-any-return]

    def _bytes(self, count: int) -> bytes:
        if count > self._file_bytes - self._file.tell():
            raise UnreadableGGUF("it is cut off")
        return self._file.read(count)

    def _skip(self, count: int) -> None:
        if count > self._file_bytes - self._file.tell():
            raise UnreadableGGUF("it is cut off")
        self._file.seek(count, os.SEEK_CUR)

    @staticmethod
    def _bounded(count: int | float, limit: int, what: str) -> int:
        if count > limit:
            raise UnreadableGGUF(f"{count} {what} where at most {limit} can be")
        return int(count)


@dataclass(frozen=True, slots=True)
class _Keys:
    metadata: Metadata
    prefix: str

    MAX = 1 << 24

    def size(self, key: str, default: int | None = None) -> int:
        value = self.metadata.get(self.prefix + key, default)
        if isinstance(value, list):  # heads may differ from layer to layer; the widest is what buffers are made for
            value = max((item for item in value if isinstance(item, int)), default=0)
        if not isinstance(value, int) or not (0 < value <= self.MAX or value == default):
            raise UnreadableGGUF(f"{self.prefix}{key} is missing or makes no sense")
        return value

    def over_layers(self, key: str, layers: int, default: int) -> int:
        """The sum over all layers of a key that holds one number for all of them, or one for each."""
        value = self.metadata.get(self.prefix + key)
        if isinstance(value, list):
            return sum(item for item in value if isinstance(item, int) and 0 <= item <= self.MAX)
        return layers * self.size(key, default)

"""Tiny GGUF files, made byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Value = int | float | str | list[int] | list[float] | list[str]

ALIGNMENT = 32
"""Where a GGUF says nothing of it, each tensor begins at a multiple of this."""
F32 = 0


def text(value: str) -> bytes:
    """A GGUF string."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: Value) -> bytes:
    """A key and its value: bool, u32, f32, string, or an array of i32, f32 or strings."""
    match value:
        case bool():
            return text(key) + struct.pack("<I?", 7, value)
        case int():
            return text(key) + struct.pack("<II", 4, value)
        case float():
            return text(key) + struct.pack("<If", 6, value)
        case str():
            return text(key) + struct.pack("<I", 8) + text(value)
        case _:
            return text(key) + struct.pack("<I", 9) + _array(value)


def _array(items: list[int] | list[float] | list[str]) -> bytes:
    match items:
        case [int(), *_]:
            return struct.pack(f"<IQ{len(items)}i", 5, len(items), *items)
        case [float(), *_]:
            return struct.pack(f"<IQ{len(items)}f", 6, len(items), *items)
        case _:
            return struct.pack("<IQ", 8, len(items)) + b"".join(text(str(item)) for item in items)


def gguf(tensors: Mapping[str, NDArray[np.float32]] | None = None, /, **pairs: Value) -> bytes:
    """A GGUF of version 3 with these pairs and tensors; `__` in a pair's name stands for the dot."""
    tensors = tensors or {}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    head += b"".join(pair(key.replace("__", "."), value) for key, value in pairs.items())
    weights = b""
    for name, tensor in tensors.items():
        # GGUF names the dimension that lies closest together first, numpy last.
        shape = tensor.shape[::-1]
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, F32, len(weights))
        weights += _aligned(tensor.astype("<f4").tobytes())
    return _aligned(head) + weights if tensors else head


def _aligned(raw: bytes) -> bytes:
    return raw + bytes(-len(raw) % ALIGNMENT)


def llama(**changes: Value) -> bytes:
    """The header of a small llama: 2 layers, 4 heads of 8, 2 KV heads, 3 tokens."""
    pairs: dict[str, Value] = {
        "general__architecture": "llama",
        "llama__block_count": 2,
        "llama__context_length": 512,
        "llama__embedding_length": 32,
        "llama__attention__head_count": 4,
        "llama__attention__head_count_kv": 2,
        "tokenizer__ggml__tokens": ["a", "b", "c"],
    }
    return gguf(**(pairs | changes))

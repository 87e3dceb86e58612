"""Tiny GGUF files, made byte by byte."""

from __future__ import annotations

import struct


def text(value: str) -> bytes:
    """A GGUF string."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: int | str | list[int] | list[str]) -> bytes:
    """A key and its value: u32, string, or an array of one of them."""
    match value:
        case int():
            return text(key) + struct.pack("<II", 4, value)
        case str():
            return text(key) + struct.pack("<I", 8) + text(value)
        case [int(), *_]:
            return text(key) + struct.pack("<IIQ", 9, 4, len(value)) + b"".join(struct.pack("<I", v) for v in value)
        case _:
            return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(text(str(v)) for v in value)


def gguf(**pairs: int | str | list[int] | list[str]) -> bytes:
    """A GGUF of version 3 with these pairs and no tensors; `__` in a name stands for the dot."""
    body = b"".join(pair(key.replace("__", "."), value) for key, value in pairs.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body


def llama(**changes: int | str | list[int] | list[str]) -> bytes:
    """The header of a small llama: 2 layers, 4 heads of 8, 2 KV heads, 3 tokens."""
    pairs: dict[str, int | str | list[int] | list[str]] = {
        "general__architecture": "llama",
        "llama__block_count": 2,
        "llama__context_length": 512,
        "llama__embedding_length": 32,
        "llama__attention__head_count": 4,
        "llama__attention__head_count_kv": 2,
        "tokenizer__ggml__tokens": ["a", "b", "c"],
    }
    return gguf(**(pairs | changes))

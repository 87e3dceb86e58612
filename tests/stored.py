"""What a store or a folder holds, for tests of what is gone from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import redis

Look = Callable[[Any, str], object]

_READ: dict[Any, Look] = {
    "string": lambda look, key: look.get(key),
    "hash": lambda look, key: look.hgetall(key),
    "list": lambda look, key: look.lrange(key, 0, -1),
    "set": lambda look, key: look.smembers(key),
    "zset": lambda look, key: look.zrange(key, 0, -1),
    "stream": lambda look, key: look.xrange(key),
    "none": lambda look, key: look.get(key),  # it has ended meanwhile
}


def everything_in(store: redis.Redis) -> str:
    """Every key with its value, as one text; the same text for the same content."""
    keys = [str(key) for key in store.scan_iter(count=1000)]
    with store.pipeline(transaction=False) as look:
        for key in keys:
            look.type(key)
        for key, kind in zip(keys, look.execute(), strict=True):
            _READ[kind](look, key)
        values = [sorted(value) if isinstance(value, set) else value for value in look.execute()]
    return json.dumps(dict(zip(keys, values, strict=True)), ensure_ascii=False, sort_keys=True)


def written(words: str) -> tuple[bytes, ...]:
    """The bytes in which a file may hold these words: UTF-8, UTF-16 of both orders, JSON, JSON in JSON."""
    escaped = json.dumps(words)[1:-1]
    within = json.dumps(escaped)[1:-1]
    forms = (words.encode(), words.encode("utf-16-le"), words.encode("utf-16-be"), escaped.encode(), within.encode())
    return tuple(dict.fromkeys(forms))


def times_in(files: Iterable[Path], words: Iterable[str]) -> Counter[str]:
    """How often the files together hold each of these words, in whichever form."""
    forms = {one: written(one) for one in words}
    counted: Counter[str] = Counter()
    for content in map(_content, files):
        counted.update({one: sum(map(content.count, written_as)) for one, written_as in forms.items()})
    return counted


def files_with(folder: Path, words: str) -> list[Path]:
    """The files below the folder that hold these words, in whichever form, be it in their own path."""
    found = (
        file for file in sorted(folder.rglob("*")) if words in str(file.relative_to(folder)) or _is_in(file, words)
    )
    return [file.relative_to(folder) for file in found]


def _is_in(file: Path, words: str) -> bool:
    content = _content(file)
    return any(form in content for form in written(words))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""

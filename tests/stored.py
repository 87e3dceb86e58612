"""What a store holds, for tests of what is gone from it."""

from __future__ import annotations

import json
from collections.abc import Callable
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

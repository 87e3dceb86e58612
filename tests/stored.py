"""What a store holds, for tests of what is gone from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import redis


def everything_in(store: redis.Redis) -> str:
    """Every key with its value, as one text."""
    read: dict[Any, Callable[[str], object]] = {
        "string": store.get,
        "hash": store.hgetall,
        "list": lambda key: store.lrange(key, 0, -1),
        "set": store.smembers,
        "zset": lambda key: store.zrange(key, 0, -1),
        "stream": store.xrange,
        "none": lambda _: None,  # it has ended meanwhile
    }
    return json.dumps({key: str(read[store.type(key)](key)) for key in map(str, store.scan_iter())}, ensure_ascii=False)

"""A flag that llama.cpp looks at by itself, between the nodes of its graph."""

from __future__ import annotations

import ctypes
from typing import Any

from workers.engine.binding import llama_cpp

# llama.cpp asks `bool (*)(void *)` some five hundred times a token. A function of Python's takes the GIL each time; C's
# own strlen says as much of one byte, for nothing: 0 of an empty string, 1 of one with a character in it.
IS_RAISED: Any = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)


class Flag:
    """Down until it is raised; any thread may do either."""

    def __init__(self) -> None:
        self._string = ctypes.create_string_buffer(2)

    def up(self) -> None:
        """Let IS_RAISED be true of it from now on."""
        self._string[0] = b"!"

    def down(self) -> None:
        """Let IS_RAISED be false of it from now on."""
        self._string[0] = b"\0"

    @property
    def address(self) -> int:
        """Where llama.cpp looks; valid as long as this object lives."""
        return ctypes.addressof(self._string)

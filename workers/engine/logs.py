"""llama.cpp's own log as records of the logger `llama.cpp`."""

from __future__ import annotations

import logging
import re
from typing import Any

from workers.engine.binding import llama_cpp

log = logging.getLogger("llama.cpp")

# ggml.h: enum ggml_log_level. Its "info" is a page for each load, so that it is our debug.
_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
_CONTINUED = 5
_GIVEN_UP = re.compile(
    r"compute_async failed with error 1$|compute status: 1$|removing memory module entries|failed to decode, ret = 2$"
)
"""What it says of a step that ends since it was told to: 1 is GGML_STATUS_ABORTED, 2 llama_decode's word for it."""


class _Lines:
    """Whole lines from the fragments that llama.cpp logs."""

    def __init__(self) -> None:
        self._text = ""
        self._level = logging.DEBUG

    def take(self, level: int, text: bytes, _user_data: Any) -> None:
        if level != _CONTINUED:
            self._level = _LEVELS.get(level, logging.DEBUG)
        self._text += text.decode("utf-8", "replace")
        *lines, self._text = self._text.split("\n")
        for line in lines:
            if line.strip(" ."):
                log.log(logging.DEBUG if _GIVEN_UP.search(line.rstrip()) else self._level, "%s", line.rstrip())


# llama.cpp keeps the pointer for the life of the process, so this object must live as long.
_callback = llama_cpp.llama_log_callback(_Lines().take)


def log_to_python() -> None:
    """Send what llama.cpp says to Python's logging from now on."""
    llama_cpp.llama_log_set(_callback, None)

"""What people wrote, on an operator's terminal."""

from __future__ import annotations

import io
import sys
import unicodedata


def print_line(line: str) -> None:
    """Print one line, whatever characters the terminal knows."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    print(printable(line))


def printable(line: str) -> str:
    """Without what a terminal would obey or reorder: what people write must not command the operator's screen."""
    return "".join(" " if unicodedata.category(char).startswith("C") else char for char in line)

"""Logs as one line an event: time, level, where, what, and the facts as key=value."""

from __future__ import annotations

import logging
import sys

CHATTY = ("httpx", "httpcore", "huggingface_hub", "sentence_transformers", "chromadb", "celery", "kombu", "amqp")
"""Libraries whose lines below a warning tell addresses, arguments or nothing."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class Lines(logging.Formatter):
    """The standard line, with the record's extra facts behind its message; a traceback follows below."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class calls it so
        facts = [f"{name}={value!r}" for name, value in vars(record).items() if name not in _STANDARD]
        return " ".join((_one_line(super().formatMessage(record)), *facts))


def _one_line(text: str) -> str:
    """The text with everything escaped that could begin a line or steer a terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)

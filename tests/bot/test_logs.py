"""A log line tells its facts, and each event is one line that nobody else can have written."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

from bot.logs import Lines, log_to_stderr

FORGED = ["x\nERROR root forged", "x\r\nERROR", "x\u2028ERROR", "x\x85ERROR", "x\x1b[2K\rERROR"]


def line(message: str, **facts: Any) -> str:
    """The event as it is logged."""
    record = logging.getLogger("bot.test").makeRecord("bot.test", logging.INFO, "", 1, message, (), None, extra=facts)
    return Lines("%(levelname)s %(name)s %(message)s").format(record)


def test_the_facts_follow_the_message() -> None:
    assert line("delivered", platform="slack", parts=2) == "INFO bot.test delivered platform='slack' parts=2"


def test_without_facts_there_is_only_the_message() -> None:
    assert line("delivered") == "INFO bot.test delivered"


@pytest.mark.parametrize(
    "forged", ["x\nERROR root forged", "x\r\nERROR", "x\u2028ERROR", "x\x85ERROR", "x\x1b[2K\rERROR"]
)
def test_a_newline_in_a_fact_forges_no_line(forged: str) -> None:
    written = line("refused", reason=forged)

    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


@pytest.mark.parametrize("forged", FORGED)
def test_a_newline_in_a_message_of_a_library_forges_no_line(forged: str) -> None:
    written = line(forged)

    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


def test_the_facts_of_a_failure_stand_on_its_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("bot.test", logging.ERROR, "", 1, "answer failed", (), sys.exc_info())
    record.attempt = 2

    first, *rest = Lines("%(message)s").format(record).splitlines()

    assert first == "answer failed attempt=2"
    assert rest[0].startswith("Traceback")
    assert rest[-1] == "ValueError: broken"


def test_every_library_logs_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        log_to_stderr()
        logging.getLogger("some.library").warning("odd", extra={"status": 503})
        logging.getLogger("httpx").info("HTTP Request: GET https://secret")
    finally:
        root.handlers[:], root.level = before[0], before[1]

    written = capsys.readouterr().err
    assert written.rstrip().endswith("WARNING some.library odd status=503")
    assert "secret" not in written

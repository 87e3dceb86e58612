"""PDF and Office files are read in a process apart: a hostile one hangs or crashes that, and nothing else."""

from __future__ import annotations

import atexit
import contextlib
import json
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from knowledge.formats.content import Content, NoContent

LIMIT_S = 60.0
LIMIT_BYTES = 1_000_000_000
"""Of address space; what the libraries map counts too."""


class ReaderProcess:
    """One process for many files, from any thread; it is started when there is a file, and again when one ended it."""

    def __init__(self, limit_s: float = LIMIT_S, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_s = limit_s
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, suffix: str, content: bytes) -> Content:
        """What a file of this kind says.

        Raises:
            NoContent: nothing, or the process did not survive it; the message is the reason.
        """
        with self._lock:
            answer = self._answer(suffix, content)
        if "reason" in answer:
            raise NoContent(answer["reason"])
        return Content(answer["title"], answer["text"], tuple(answer["pages"]))

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process:
            self._process.kill()
            self._ended(self._process)

    def _answer(self, suffix: str, content: bytes) -> dict[str, Any]:
        """The process' answer; from a second one, when the first had ended itself because nothing came for a while."""
        while True:
            process = self._running()
            line = _exchange(process, suffix, content)
            if line.endswith(b"\n"):
                answer: dict[str, Any] = json.loads(line)
                return answer
            status = self._ended(process)
            if status == -signal.SIGALRM:
                return {"reason": f"takes longer than {self._limit_s:g} seconds to read"}
            if status != 0:
                return {"reason": "damaged, or needs too much memory: its reader broke off"}

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._process.poll() is not None:
            self._ended(self._process)
        if self._process is None:
            limits = [str(self._limit_s), str(self._limit_bytes)]
            command = [sys.executable, "-m", "knowledge.formats.reader", *limits]
            # What a library complains about may quote the document, so nobody listens to it.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        self._process = None
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was not written any more
                _open(pipe).close()
        return process.wait()


def _exchange(process: subprocess.Popen[bytes], suffix: str, content: bytes) -> bytes:
    """The line that the process answers; without its end, if it ended before."""
    requests, answers = _open(process.stdin), _open(process.stdout)
    with contextlib.suppress(BrokenPipeError):
        requests.write(json.dumps({"suffix": suffix, "length": len(content)}).encode() + b"\n" + content)
        requests.flush()
    return answers.readline()


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process was started without pipes")
    return pipe


_READER = ReaderProcess()
atexit.register(_READER.close)


def read_apart(suffix: str, content: bytes) -> Content:
    """What a file of this kind says, read by this process' one reader.

    Raises:
        NoContent: nothing, or the reader did not survive it; the message is the reason.
    """
    return _READER.read(suffix, content)

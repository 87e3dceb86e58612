"""A process of the service, as `madoguchi process NAME` runs it, that a test can kill, freeze or hold at a checkpoint.

`python -m tests.faults.process NAME`, in the desk's folder. A file `armed/POINT` with a fault in it makes the first
process that passes the checkpoint rename it to `reached/POINT` and suffer the fault.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Literal

from bot.checkpoints import AUDIT_EVENT

Fault = Literal["kill", "freeze", "hold"]
"""`kill`: as the kernel would; `freeze`: the whole process, until SIGCONT; `hold`: this thread, until released."""

ARMED, REACHED = Path("armed"), Path("reached")


def listen() -> None:
    """Suffer what is armed, from now on."""
    here = Path.cwd()

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == AUDIT_EVENT:
            passed(here, str(arguments[0]))

    sys.addaudithook(heard)


def passed(here: Path, point: str) -> None:
    """A checkpoint is passed: only the first one finds the file."""
    reached = here / REACHED / point
    try:
        (here / ARMED / point).rename(reached)
    except FileNotFoundError:
        return
    match reached.read_text(encoding="utf-8"):
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "hold":
            while reached.exists():
                time.sleep(0.01)


def main() -> None:
    """Run the named process until it is told to end, or a fault ends it."""
    name = sys.argv[1]
    listen()
    if name == "replies":
        from tests.faults.replies import main as replies

        replies()
    else:
        from workers.cli import main as command

        sys.exit(command(["process", name]))


if __name__ == "__main__":
    main()

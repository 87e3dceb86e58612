"""A process of the service, as `madoguchi process NAME` runs it, that a test can kill, freeze or hold at a checkpoint.

`python -m tests.faults.process NAME`, in the desk's folder; with `command ARGUMENT…` in the place of NAME it is another
of `madoguchi`'s commands. Who passes a checkpoint and finds a file `armed/POINT.N` renames it to `reached/POINT.N` and
suffers the fault that stands in it: each file is for one who passes.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Literal

from bot.checkpoints import AUDIT_EVENT, Point
from bot.slack import limiter

Where = Point | Literal["swapping", "cleaning"]
"""Two points that nobody names: the pointer is about to be moved to a generation, an old one is about to be deleted."""

Fault = Literal["kill", "freeze", "hold"]
"""`kill`: as the kernel would; `freeze`: the whole process, until SIGCONT; `hold`: this thread, until released."""

ARMED, REACHED = Path("armed"), Path("reached")
POINTER = "/CURRENT"
GENERATION = re.compile(r"/gen-\d+$")


def listen() -> None:
    """Suffer what is armed, from now on."""
    here = Path.cwd()

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == AUDIT_EVENT:
            passed(here, str(arguments[0]))
        elif event == "os.rename" and str(arguments[1]).endswith(POINTER):
            passed(here, "swapping")
        elif event == "shutil.rmtree" and GENERATION.search(str(arguments[0])):
            passed(here, "cleaning")

    sys.addaudithook(heard)


def passed(here: Path, point: str) -> None:
    """A checkpoint is passed: each armed file is found by one only."""
    for armed in (here / ARMED).glob(f"{point}.*"):
        reached = here / REACHED / armed.name
        try:
            armed.rename(reached)
        except FileNotFoundError:
            continue
        suffer(reached)
        break


def suffer(reached: Path) -> None:
    """Let happen what is written there."""
    match reached.read_text(encoding="utf-8"):
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze":
            # To this thread, which would else go on until another one has stopped the process.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        case "hold":
            while reached.exists():
                time.sleep(0.02)


def widen_the_tiers() -> None:
    """The fake's own are off: hundreds are answered within a minute here, as in no workspace. Posts keep their pace."""
    wide = limiter.Pace(100_000)
    limiter.TIER_3 = wide
    limiter.PACES = {method: pace if pace.of_channel else wide for method, pace in limiter.PACES.items()}


def main() -> None:
    """Run the named process until it is told to end, or a fault ends it."""
    name, *arguments = sys.argv[1:]
    listen()
    widen_the_tiers()
    if name == "replies":
        from tests.faults.replies import main as replies

        replies()
    else:
        from workers.cli import main as command

        sys.exit(command(arguments if name == "command" else ["process", name]))


if __name__ == "__main__":
    main()

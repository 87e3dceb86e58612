"""The `madoguchi` command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from bot.errors import MadoguchiError
from workers.asking import NoAnswer
from workers.policy import PolicyInvalid
from workers.supervision import PROCESSES, AlreadyRunning, die_with_parent

ENTRY_POINTS = {
    "store": "workers.embedded",
    "web": "bot.server",
    "clerk": "workers.clerk",
    "replies": "workers.replies",
    "knowledge": "workers.knowledge_worker",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    chosen = _parser().parse_args(arguments)
    os.umask(0o077)  # under DATA_PATH is what people ask and what not everybody may read: for its owner only
    command: Callable[[argparse.Namespace], int] = chosen.command
    try:
        return command(chosen)
    except KeyboardInterrupt:
        return 130
    except ValidationError as error:
        return _refuse("\n".join(f"{_name(e['loc'])}: {e['msg']}" for e in error.errors()))
    except (MadoguchiError, AlreadyRunning, NoAnswer, PolicyInvalid) as error:
        return _refuse(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="madoguchi", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the whole service; Ctrl-C ends it")
    run.set_defaults(command=_command("service", "run"))

    process = commands.add_parser("process", help="run one process of the service (for a supervisor)")
    process.add_argument("name", choices=PROCESSES)
    process.set_defaults(command=_process)

    ask = commands.add_parser("ask", help="ask a question; starts the service for it when none runs")
    ask.add_argument("question")
    ask.set_defaults(command=_command("service", "ask"))

    reindex = commands.add_parser("reindex", help="read the documents again; only what is new is embedded")
    reindex.add_argument("--allow-empty", action="store_true", help="an empty source deletes what it had")
    reindex.set_defaults(command=_command("operating", "reindex"))

    models = commands.add_parser("models", help="list the models, the memory each takes, and what fits this machine")
    models.set_defaults(command=_command("operating", "models"))

    line = commands.add_parser("line", help="LINE: who may use the bot")
    line.add_argument("what", choices=["invite"], help="a code that lets one person or group in within a day")
    line.set_defaults(command=_command("operating", "invite"))
    return parser


def _command(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    """A command of another module, imported when it is wanted: each process loads only what it needs."""

    def command(chosen: argparse.Namespace) -> int:
        found: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(f"workers.{module}"), name)
        return found(chosen)

    return command


def _process(chosen: argparse.Namespace) -> int:
    die_with_parent()
    importlib.import_module(ENTRY_POINTS[chosen.name]).main()
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"madoguchi: {reason}\n")
    return 2


def _name(location: Sequence[object]) -> str:
    return ".".join(map(str, location)).upper()


if __name__ == "__main__":
    sys.exit(main())

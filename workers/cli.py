"""The `madoguchi` command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.errors import MadoguchiError, StoreUnavailable
from workers.asking import NoAnswer
from workers.policy import PolicyInvalid
from workers.supervision import PROCESSES, AlreadyRunning, die_with_parent

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

ENTRY_POINTS = {
    "store": "workers.embedded",
    "web": "bot.server",
    "socket": "bot.slack.socket",
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
        status = command(chosen)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has read enough; what Python flushes at its end must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except ValidationError as error:
        return _refuse("\n".join(f"{_name(e['loc'])}: {e['msg']}" for e in error.errors()))
    except StoreUnavailable as error:
        return _refuse(f"the store does not answer; does the service run? ({error})")
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

    models = commands.add_parser("models", help="list the models, the memory each takes, and what fits this machine")
    models.set_defaults(command=_command("operating", "models"))

    _add_index(commands)
    _add_line(commands)
    _add_inbox(commands)
    _add_gaps(commands)
    _add_votes(commands)
    _add_doctor(commands)
    return parser


def _add_index(commands: Commands) -> None:
    reindex = commands.add_parser("reindex", help="read the documents again; only what is new is embedded")
    reindex.add_argument("--dry-run", action="store_true", help="only say what would be done")
    reindex.add_argument("--accept", action="store_true", help="switch though golden questions got worse")
    reindex.add_argument("--allow-empty", action="store_true", help="an empty source deletes what it had")
    reindex.add_argument("--cancel", action="store_true", help="break off the one that is under way in the service")
    reindex.set_defaults(command=_command("index_commands", "reindex"))
    for name, help_text in (
        ("status", "which index answers, and how far a reindexing is"),
        ("rollback", "have the index before answer again"),
        ("sources", "what each source has in the index, and what was skipped"),
    ):
        commands.add_parser(name, help=help_text).set_defaults(command=_command("index_commands", name))


def _add_line(commands: Commands) -> None:
    platform = commands.add_parser("line", help="LINE: the channel, and who may use the bot")
    line = platform.add_subparsers(required=True, metavar="WHAT")

    setup = line.add_parser("setup", help="set the webhook's address and the rich menu; say what is to do by hand")
    setup.add_argument("--dry-run", action="store_true", help="only say what would be done")
    setup.set_defaults(command=_command("doctor", "set_up_line"))

    invite = line.add_parser("invite", help="a code that lets one person or group in within a day")
    invite.set_defaults(command=_command("operating", "invite"))

    allow = line.add_parser("allow", help="let a person or group in by name")
    allow.add_argument("id", metavar="ID", help="line:U… a person, line:C… a group, line:R… a room")
    allow.set_defaults(command=_command("operating", "allow"))

    admitted = line.add_parser("list", help="the people and groups that are let in beside the administrators")
    admitted.set_defaults(command=_command("operating", "admitted"))

    revoke = line.add_parser("revoke", help="let a person or group in no longer")
    revoke.add_argument("id", metavar="ID", help="as `madoguchi line list` has it")
    revoke.set_defaults(command=_command("operating", "revoke"))


def _add_inbox(commands: Commands) -> None:
    inbox = commands.add_parser("inbox", help="what waits, and what could not be answered")
    inbox.add_argument("--text", action="store_true", help="show also what people wrote")
    inbox.add_argument("--json", action="store_true", help="one JSON object, for programs")
    inbox.set_defaults(command=_command("inbox", "show"))
    what = inbox.add_subparsers(metavar="WHAT")
    for name, help_text in (
        ("retry", "have it answered, or carried out, after all"),
        ("drop", "delete it for good"),
    ):
        parser = what.add_parser(name, help=help_text)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("ids", nargs="*", default=[], metavar="ID", help="as `madoguchi inbox` has it")
        which.add_argument("--all", action="store_true", help="every dead letter that there is now")
        parser.set_defaults(command=_command("inbox", name))


def _add_gaps(commands: Commands) -> None:
    gaps = commands.add_parser("gaps", help="what was asked and the documents did not answer, by topic")
    gaps.set_defaults(command=_command("gaps.commands", "show"))
    what = gaps.add_subparsers(metavar="WHAT")

    answer = what.add_parser("answer", help="answer it once; it becomes a document, and who asked is told")
    answer.add_argument("number", type=int, metavar="N", help="as `madoguchi gaps` has it")
    answer.add_argument("--question", required=True, help="the question in your own words, as the document has it")
    answer.add_argument("--answer", metavar="TEXT", help="the answer; without it standard input is read")
    answer.add_argument(
        "--audience", action="append", metavar="LABEL", help="who may read it (public, members, slack:C1); repeatable"
    )
    answer.set_defaults(command=_command("gaps.commands", "answer"))

    drop = what.add_parser("drop", help="delete the questions of a topic for good")
    drop.add_argument("number", type=int, metavar="N", help="as `madoguchi gaps` has it")
    drop.set_defaults(command=_command("gaps.commands", "drop"))


def _add_votes(commands: Commands) -> None:
    votes = commands.add_parser("votes", help="what people found helpful, and what can be made of it")
    votes.set_defaults(command=_command("votes.commands", "show"))
    what = votes.add_subparsers(metavar="WHAT")

    export = what.add_parser(
        "export", help="write the pairs that were lent for training to a file (JSONL, chat format)"
    )
    export.add_argument("file", type=Path, metavar="FILE", help="is not there yet")
    export.add_argument(
        "--audience", default="public", metavar="LABEL", help="who may use the trained model: public (default), members"
    )
    export.set_defaults(command=_command("votes.commands", "export"))

    golden = what.add_parser("golden", help="print the questions that were answered well as golden questions")
    golden.add_argument("--write", action="store_true", help="add them to GOLDEN_PATH, each once")
    golden.set_defaults(command=_command("votes.commands", "golden_questions"))


def _add_doctor(commands: Commands) -> None:
    doctor = commands.add_parser("doctor", help="what keeps a platform from working")
    which = doctor.add_subparsers(required=True, metavar="PLATFORM")
    slack = which.add_parser("slack", help="the token, its scopes, the clock, the way in, and which events have come")
    slack.set_defaults(command=_command("doctor", "slack"))
    line = which.add_parser("line", help="the token, the webhook, the clock, the rich menu, and which events have come")
    line.set_defaults(command=_command("doctor", "line"))


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

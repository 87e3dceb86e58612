"""The operator's other commands: list the models, say who may use the bot on LINE."""

from __future__ import annotations

import argparse
import sys

import redis

from bot.access import Access
from bot.line.ids import LINE_ID
from bot.settings import BotSettings
from bot.store import connect
from workers.admitting import shut_out
from workers.interrupts import Interrupts
from workers.models.memory import ModelRow, catalogue_table
from workers.settings import WorkerSettings


def models(_: argparse.Namespace) -> int:
    """List the models with the memory each takes."""
    own = WorkerSettings()
    print(f"{'model':32} {'memory':>8} {'file':>8}  {'here':4} {'fits':4} {'licence':12} for")
    for row in catalogue_table(own.models_path, own.llm_context_tokens, own.llm_at_once):
        print(_line(row, chosen=row.name == own.llm_model))
    print(f"Memory for {own.llm_at_once} answers at once, each with a context of {own.llm_context_tokens} tokens.")
    print("* is LLM_MODEL; it may also be a path, or owner/repo/file.gguf of a model hub.")
    return 0


def invite(_: argparse.Namespace) -> int:
    """Print a code that lets one person or group use the bot on LINE; 1 where codes let nobody in."""
    access = _access()
    if access.takes_codes:
        print(access.invite())
        return 0
    return _refused("codes count with LINE_ACCESS=pairing only; `madoguchi line allow ID` lets in by name")


def allow(chosen: argparse.Namespace) -> int:
    """Let somebody use the bot on LINE by name."""
    if not LINE_ID.fullmatch(chosen.id):
        return _refused(f"{chosen.id} is no id of LINE, which is line:U, line:C or line:R and 32 digits 0-9 a-f")
    _access().allow(chosen.id)
    print(f"{chosen.id} is let in")
    return 0


def admitted(_: argparse.Namespace) -> int:
    """List the people and groups that are let in on LINE, but for the administrators."""
    for who in _access().admitted():
        print(who)
    return 0


def revoke(chosen: argparse.Namespace) -> int:
    """Let somebody use the bot on LINE no longer; 1 where that changes nothing."""
    store = _store()
    access = Access.of(BotSettings(), store)
    was_in = access.revoke(chosen.id)
    if access.admits(chosen.id):
        return _refused(f"ADMIN_USERS, LINE_ALLOWED or LINE_ACCESS=open lets in {chosen.id}")
    if not was_in:
        return _refused(f"{chosen.id} was not let in")
    shut_out(chosen.id, Interrupts(store), store)
    print(f"{chosen.id} is let in no longer")
    return 0


def _refused(reason: str) -> int:
    print(f"madoguchi: {reason}", file=sys.stderr)
    return 1


def _access() -> Access:
    return Access.of(BotSettings(), _store())


def _store() -> redis.Redis:
    return connect(BotSettings().store_url)


def _line(row: ModelRow, *, chosen: bool) -> str:
    fits = {True: "yes", False: "no", None: "?"}[row.fits]
    there = "yes" if row.is_there else "no"
    mark = "*" if chosen else " "
    sizes = f"{row.memory.total / 1e6:>5.0f} MB {row.file_bytes / 1e6:>5.0f} MB"
    return f"{row.name:30} {mark} {sizes}  {there:4} {fits:4} {row.licence:12} {row.purpose}"

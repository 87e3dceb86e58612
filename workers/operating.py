"""The operator's other commands: list the models, say who may use the bot on LINE."""

from __future__ import annotations

import argparse
import sys

from bot.access import Access
from bot.settings import BotSettings
from bot.store import connect
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
    """Print a code that lets one person or group use the bot on LINE."""
    print(_access().invite())
    return 0


def admitted(_: argparse.Namespace) -> int:
    """List the people and groups that codes have let in on LINE."""
    for who in _access().admitted():
        print(who)
    return 0


def revoke(chosen: argparse.Namespace) -> int:
    """Let somebody use the bot on LINE no longer."""
    if _access().revoke(chosen.id):
        print(f"{chosen.id} is let in no longer")
        return 0
    print(f"madoguchi: no code has let in {chosen.id}", file=sys.stderr)
    return 1


def _access() -> Access:
    settings = BotSettings()
    return Access(connect(settings.store_url), settings.line_access, settings.admins)


def _line(row: ModelRow, *, chosen: bool) -> str:
    fits = {True: "yes", False: "no", None: "?"}[row.fits]
    there = "yes" if row.is_there else "no"
    mark = "*" if chosen else " "
    sizes = f"{row.memory.total / 1e6:>5.0f} MB {row.file_bytes / 1e6:>5.0f} MB"
    return f"{row.name:30} {mark} {sizes}  {there:4} {fits:4} {row.licence:12} {row.purpose}"

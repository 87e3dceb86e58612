"""What is said of the index and of a reindexing, in Japanese and English. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from workers.phrases import phrase

MOST_NAMES = 10
"""Skipped files and questions that one message names."""
NAME_CHARS = 200

Facts = Mapping[str, Any]

_STAGES: Final = {
    "ja": {"": "準備", "reading": "読み込み", "embedding": "ベクトル計算", "checking": "確認"},
    "en": {"": "preparing", "reading": "reading", "embedding": "embedding", "checking": "checking"},
}


def progress(facts: Facts, language: str) -> str:
    """How far a run is, or what came of it, as one message."""
    match facts["state"]:
        case "done":
            return "\n".join(outcome_lines(facts, language, most=MOST_NAMES))
        case "failed" | "cancelled":
            said = phrase(f"run_{facts['state']}", language, reason=facts.get("reason", ""))
            return "\n".join([said, *worse_lines(facts, language, most=MOST_NAMES)])
        case "running":
            return _running(facts, language)
        case waiting_or_interrupted:
            return phrase(f"run_{waiting_or_interrupted}", language)


def outcome_lines(facts: Facts, language: str, most: int | None = None) -> list[str]:
    """What came of a run that is done, line by line; `most` files and questions are named at the most."""
    if facts.get("verb") == "rollback":
        return [phrase("rolled_back", language, **_only(facts, "generation"))]
    skipped = [f"{one['path']}: {one['reason']}" for one in facts.get("skipped", ())]
    name = "run_dry" if facts.get("dry_run") else "run_changed" if facts.get("changed") else "run_unchanged"
    counts = _only(facts, "generation", "documents", "chunks", "embedded", "added", "removed")
    return [
        *_named("run_skipped", skipped, language, most),
        phrase(name, language, **counts),
        *_golden(facts.get("golden") or {}, language, most),
    ]


def worse_lines(facts: Facts, language: str, most: int | None = None) -> list[str]:
    """The golden questions for which a run failed, line by line; `most` are named at the most."""
    return _named("run_worse", facts.get("worse", ()), language, most)


def indexed(status: Facts, language: str) -> str:
    """Which index answers."""
    if not status.get("ready"):
        return phrase("index_none", language)
    made_at = time.strftime("%Y-%m-%d %H:%M", time.localtime(status.get("made_at", 0)))
    said = phrase("index_is", language, made_at=made_at, **_only(status, "generation", "documents", "chunks"))
    before = status.get("before")
    return said + ("\n" + phrase("index_before", language, before=before) if before else "")


def sources(status: Facts, language: str) -> str:
    """What each source has in the index."""
    lines = [_source(source, language) for source in status.get("sources", ())]
    return "\n".join(lines) or phrase("index_none", language)


def _running(facts: Facts, language: str) -> str:
    stage = _STAGES[language].get(facts.get("stage", ""), "")
    total = facts.get("total") or "?"
    said = phrase("run_running", language, stage=stage, done=facts.get("done", 0), total=total)
    if "left_s" not in facts:
        return said
    return said + phrase("run_speed", language, per_s=facts["per_s"], left=_duration(facts["left_s"], language))


def _duration(seconds: float, language: str) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if language == "ja":
        return f"{minutes}分{rest}秒" if minutes else f"{rest}秒"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _golden(golden: Facts, language: str, most: int | None) -> list[str]:
    if not golden:
        return []
    told = phrase("run_golden", language, **_only(golden, "asked", "right_now"))
    retired = _named("run_retired", golden.get("retired", ()), language, most)
    return [told, *_named("run_worse", golden.get("worse", ()), language, most), *retired]


def _named(name: str, whats: Any, language: str, most: int | None) -> list[str]:
    """A line for each, and one for those that are too many to name."""
    shown = list(whats)[:most]
    lines = [phrase(name, language, what=str(what)[:NAME_CHARS]) for what in shown]
    more = len(whats) - len(shown)
    return [*lines, *([phrase("run_more", language, count=more)] if more else [])]


def _source(source: Facts, language: str) -> str:
    said = phrase("source", language, **_only(source, "where", "documents", "chunks", "skipped"))
    audience = ", ".join(source["audience"])
    return f"{said} [{audience}]" if audience else said


def _only(facts: Facts, *names: str) -> dict[str, Any]:
    return {name: facts.get(name, "?") for name in names}

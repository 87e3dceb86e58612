"""From the bytes of a streamed answer (server-sent events) to its pieces; no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workers.generation import FinishReason, GenerationFailed

MAX_LINE_BYTES = 1_000_000


class StreamBroken(GenerationFailed):
    """The answer ended in the middle, or what came is no answer."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server says that an answer took, in tokens."""

    prompt_tokens: int
    reused_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer: text (maybe none), why it ends, what it took."""

    text: str = ""
    reason: FinishReason | None = None
    usage: Usage | None = None


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces of one answer, to its end.

    Raises:
        StreamBroken: there is no end, or it is no answer; what came before stands.
        GenerationFailed: the server says that it failed.
    """
    ended = False
    for line in _lines(chunks):
        field, _, value = line.partition(b":")
        if field not in {b"data", b"error"}:  # comments keep the connection alive, other fields say nothing
            continue
        if value.strip() == b"[DONE]":
            break
        piece = _piece(value)
        ended = ended or piece.reason is not None
        yield piece
    if not ended:
        raise StreamBroken("the answer of the language model's server ended in the middle")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines by \\n and \\r\\n alone: an answer may have U+2028 in it, where str.splitlines would break its JSON."""
    begun = b""
    for chunk in chunks:
        *lines, begun = (begun + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
        if len(begun) > MAX_LINE_BYTES:
            raise StreamBroken("a line without end")
    yield begun


def _piece(value: bytes) -> Piece:
    try:
        event: dict[str, Any] = json.loads(value)
        if "error" in event or "choices" not in event:
            raise GenerationFailed(f"the language model's server failed: {_reason(event)}")
        choice = event["choices"][0] if event["choices"] else {}
        # What a model thinks before it answers (`reasoning_content`) is for nobody to see.
        text = (choice.get("delta") or {}).get("content") or ""
        return Piece(str(text), _finish(choice.get("finish_reason")), _usage(event.get("usage")))
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise StreamBroken(f"what the language model's server streams is no answer: {type(error).__name__}") from error


def _finish(reason: str | None) -> FinishReason | None:
    if reason is None:
        return None
    return "length" if reason == "length" else "stop"


def _usage(told: dict[str, Any] | None) -> Usage | None:
    if not told:
        return None
    reused = (told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(int(told["prompt_tokens"]), int(reused), int(told["completion_tokens"]))


def _reason(event: dict[str, Any]) -> str:
    error = event.get("error", event)
    return str(error.get("type") or error.get("code") or "unknown") if isinstance(error, dict) else "unknown"

"""The sources of an answer as its reader is told of them: one for each document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.messages import Citation
from bot.sanitise import sanitise
from bot.splitting import shortened

MAX_TITLE_CHARS = 60
MAX_HEADING_CHARS = 40


@dataclass(frozen=True, slots=True)
class Source:
    """One document that the answer cites.

    Args:
        label: what names it, on one line: the numbers that the answer has for it, its title, where in it.
        address: what opens in a browser; empty when nothing does.
    """

    label: str
    address: str


def sources(text: str, citations: Sequence[Citation]) -> list[Source]:
    """The documents that an answer cites, in its order, each numbered where the answer's text refers to its numbers."""
    by_document: dict[tuple[str, str], list[Citation]] = {}
    for citation in citations:
        by_document.setdefault((citation.uri, citation.title), []).append(citation)
    return [_source(cited, text) for cited in by_document.values()]


def _source(cited: list[Citation], text: str) -> Source:
    """One document, by its first cited passage; where in it only when that is one place."""
    numbers = "".join(dict.fromkeys(f"[{one.number}]" for one in cited if f"[{one.number}]" in text))
    headings = {_one_line(one.heading, MAX_HEADING_CHARS) for one in cited}
    title = _one_line(cited[0].title, MAX_TITLE_CHARS) or _one_line(cited[0].uri, MAX_TITLE_CHARS) or "—"
    place = headings.pop() if len(headings) == 1 else ""
    named = f"{title} › {place}" if place and place != title else title
    return Source(" ".join(filter(None, (numbers, named))), _address(cited))


def _address(cited: Iterable[Citation]) -> str:
    return next(filter(None, (one.address for one in cited)), "")


def _one_line(text: str, most_chars: int) -> str:
    """Names of files are not trusted: on one line, as sanitised, and not longer than is read."""
    return shortened(" ".join(sanitise(text).split()), most_chars)

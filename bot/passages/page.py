"""The page of a cited passage as HTML: one file that needs nothing else and runs nothing. Pure."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files

from bot.passages import text
from bot.passages.shelf import CitedPassage, Piece
from bot.sanitise import visible
from bot.words import language

_WORDS = {
    "ja": {
        "cited": "回答の根拠にした箇所",
        "around": "前後の文",
        "until": "このリンクは {year}年{month}月{day}日まで開けます。文書が変わったときは、その前に閉じます。",
    },
    "en": {
        "cited": "The passage that the answer stands on",
        "around": "What stands around it",
        "until": "This link opens until {year}-{month:02}-{day:02}, or until the document changes.",
    },
}
_ENDED = (
    "このリンクはもう開けません",
    "期限が切れたか、文書が変わりました。もう一度質問すると、新しいリンクが届きます。",
    "This link has ended: its time is over, or the document has changed. Ask again to get a new one.",
)
_UNKNOWN = (
    "このリンクは正しくありません",
    "途中で切れていないか、ご確認ください。",
    "This is not a link of ours. Perhaps it was cut short.",
)
_UNAVAILABLE = (
    "いまは開けません",
    "少し待ってから、もう一度お試しください。",
    "This cannot be opened just now. Please try again in a moment.",
)


def _file(folder: str, name: str) -> str:
    return files(folder).joinpath(name).read_text(encoding="utf-8")


_STYLE = _file("bot.console", "static/console.css") + _file("bot.passages", "passage.css")
_SEAL = _file("bot.console", "static/seal.svg")

STYLE_HASH = f"'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
"""Names the page's one style for its Content-Security-Policy, so that no other has a say."""


def passage(cited: CitedPassage, ends_at: int) -> str:
    """The page of a passage: its document's title, the passage and what stands around it, and when the link ends."""
    spoken = language("".join(piece.text for piece in cited.pieces))
    words, day = _WORDS[spoken], time.gmtime(ends_at)
    title = escape(visible(cited.title or cited.uri))
    until = words["until"].format(year=day.tm_year, month=day.tm_mon, day=day.tm_mday)
    place = f"<code>{escape(visible(cited.uri))}</code>" if cited.uri else ""
    body = (
        f"<main><h2>{title}</h2>\n<article>\n{''.join(_pieces(cited, words))}</article>\n"
        f"<footer>{place}<p>{until}</p></footer></main>"
    )
    return _document(spoken, title, body)


def ended() -> str:
    """The page of a link that shows nothing any more."""
    return _notice(*_ENDED)


def unknown() -> str:
    """The page of what is no link of ours."""
    return _notice(*_UNKNOWN)


def unavailable() -> str:
    """The page for when the store does not answer."""
    return _notice(*_UNAVAILABLE)


def _pieces(cited: CitedPassage, words: dict[str, str]) -> Iterator[str]:
    """Each piece, with its headings above it where they are not those of the piece before."""
    heading = ""
    for piece in cited.pieces:
        if piece.heading and piece.heading != heading:
            yield f"<h3>{escape(visible(piece.heading))}</h3>\n"
        heading = piece.heading
        yield _piece(piece, words)


def _piece(piece: Piece, words: dict[str, str]) -> str:
    said = text.html(piece.text)
    if not piece.cited:
        return f'<section class="prose around" aria-label="{words["around"]}">\n{said}</section>\n'
    label = words["cited"]
    return f'<section id="cited" class="prose" aria-label="{label}">\n<mark>{label}</mark>\n{said}</section>\n'


def _notice(heading: str, japanese: str, english: str) -> str:
    body = f'<main class="door"><h1>{heading}</h1>\n<p>{japanese}</p>\n<p lang="en">{english}</p></main>'
    return _document("ja", heading, body)


def _document(spoken: str, title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="{spoken}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow, noarchive">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body class="reading">
<header class="bar"><span class="seal">{_SEAL}</span><p>窓口 <span lang="en">Madoguchi</span></p></header>
{body}
</body>
</html>
"""

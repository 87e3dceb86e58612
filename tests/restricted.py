"""Documents for few, beside one for everybody, and the question that only each of them answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Restricted:
    """A document, who may read it, and how to find it: the question has none of the `marks`.

    Args:
        name: of its folder, its file and its source's title.
        audience: labels.
        marks: what shows that something of it got out: pieces of its text, its title, its path.
        answer: the mark that answers the question.
    """

    name: str
    audience: frozenset[str]
    title: str
    text: str
    question: str
    answer: str
    marks: tuple[str, ...]


PUBLIC_TITLE, PUBLIC_TEXT = "Parking", "Visitors park on level 3 of the east car park."
PUBLIC_QUESTION, PUBLIC_ANSWER = "Where do visitors park?", "level 3"


def restricted(name: str, audience: Iterable[str], title: str, text: str, question: str, answer: str) -> Restricted:
    """A document of these words."""
    marks = (answer, title, f"{name}.md")
    assert not any(mark in question for mark in marks)
    return Restricted(name, frozenset(audience), title, text, question, answer, marks)


def for_members() -> Restricted:
    """The document of all members."""
    return restricted(
        "bonus-rules",
        {"members"},
        "賞与規程",
        "冬の賞与は12月10日に、基本給の二か月分を支給します。",
        "冬の賞与はいつ支給されますか？",
        "12月10日",
    )


def write_library(folder: Path, documents: Collection[Restricted]) -> None:
    """Write the documents below the folder, and the `madoguchi.toml` that names them as sources."""
    sources = [_write(folder, "parking", PUBLIC_TITLE, PUBLIC_TEXT, {"public"})]
    sources += [_write(folder, one.name, one.title, one.text, one.audience) for one in documents]
    (folder / "madoguchi.toml").write_text("\n".join(sources), encoding="utf-8")


def _write(folder: Path, name: str, title: str, text: str, audience: Iterable[str]) -> str:
    """Write one document; its source as it stands in `madoguchi.toml`."""
    place = folder / "library" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    labels = ", ".join(f'"{label}"' for label in sorted(audience))
    return f'[[sources]]\npath = "library/{name}"\ntitle = "{name}"\naudience = [{labels}]\n'

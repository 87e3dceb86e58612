"""Presentations (PPTX)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from pptx import Presentation
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from knowledge.formats import package
from knowledge.formats.content import Content
from knowledge.formats.rows import table


def from_pptx(content: bytes) -> Content:
    """A section for each slide under its title: text, tables and the speaker's notes. Hidden slides are left out."""
    package.check(content, "ppt/")
    slides = [slide for slide in Presentation(io.BytesIO(content)).slides if slide.element.get("show") != "0"]
    first = next((_title(slide) for slide in slides), "")
    return Content(title=first, text="\n\n".join(filter(None, map(_section, slides))))


def _title(slide: Slide) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None else ""


def _section(slide: Slide) -> str:
    title = _title(slide)
    heading = [f"## {title}"] if title else []
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    said = [*_texts(_without_title(slide)), *([notes.text] if notes else [])]
    return "\n\n".join([*heading, *(stripped for text in said if (stripped := _lines(text)))])


def _without_title(slide: Slide) -> Iterator[BaseShape]:
    title = slide.shapes.title
    return (shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id)


def _texts(shapes: Iterable[BaseShape]) -> Iterator[str]:
    """What the shapes say, those within groups too."""
    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _texts(shape.shapes)
        elif isinstance(shape, GraphicFrame) and shape.has_table:
            yield table([[cell.text for cell in row.cells] for row in shape.table.rows])
        elif shape.has_text_frame:
            yield shape.text_frame.text  # type: ignore[attr-defined]


def _lines(text: str) -> str:
    """One paragraph a line; PowerPoint writes a line break within one as a vertical tab."""
    return "\n".join(line.strip() for line in text.replace("\v", "\n").split("\n")).strip()

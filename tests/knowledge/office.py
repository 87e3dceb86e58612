"""PDF and Office files for the tests, as the usual libraries write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import docx
import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib import pdfencrypt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

_FONT = "HeiseiMin-W3"
pdfmetrics.registerFont(UnicodeCIDFont(_FONT))


def saved(document: Any) -> bytes:
    """The bytes that a document saves itself as."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def pdf(*pages: Sequence[str], password: str = "") -> bytes:
    """Pages of lines, each printed where it is told."""
    file = io.BytesIO()
    encryption = pdfencrypt.StandardEncryption(password) if password else None
    paper = canvas.Canvas(file, encrypt=encryption)
    for lines in pages:
        paper.setFont(_FONT, 11)
        for number, line in enumerate(lines):
            paper.drawString(50, 780 - 18 * number, line)
        paper.showPage()
    paper.save()
    return file.getvalue()


def word(write: Callable[[Any], None] = lambda document: document.add_paragraph("本文です。")) -> bytes:
    """A Word document as `write` fills it."""
    document = docx.Document()
    write(document)
    return saved(document)


def workbook(write: Callable[[Worksheet], Any] = lambda sheet: sheet.append(["本文です。"])) -> bytes:
    """A workbook of one sheet, 一覧, as `write` fills it."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = "一覧"
    write(book.worksheets[0])
    return saved(book)


def slides() -> bytes:
    """Three slides: text with notes, a table, and one that is hidden."""
    show = Presentation()
    text = show.slides.add_slide(show.slide_layouts[1])
    text.shapes.title.text = "在宅勤務の説明"
    text.placeholders[1].text = "週3日まで\n申請は前日まで"
    text.notes_slide.notes_text_frame.text = "よく聞かれる所です。"
    costs = show.slides.add_slide(show.slide_layouts[5])
    costs.shapes.title.text = "費用"
    cells = costs.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(2)).table
    for (row, column), said in {(0, 0): "項目", (0, 1): "額", (1, 0): "机", (1, 1): "3万円"}.items():
        cells.cell(row, column).text = said
    hidden = show.slides.add_slide(show.slide_layouts[5])
    hidden.shapes.title.text = "社外秘"
    hidden.element.set("show", "0")
    return saved(show)


def with_part(content: bytes, part: str, text: str | bytes) -> bytes:
    """The Office file with one of its parts written by somebody else."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, text if name == part else old.read(name))
    return file.getvalue()


def saying(text: str) -> bytes:
    """A Word document whose XML says `text`, unescaped."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    return with_part(word(), "word/document.xml", body)

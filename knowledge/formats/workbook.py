"""Spreadsheets (XLSX)."""

from __future__ import annotations

import datetime
import io
from collections import defaultdict

import openpyxl
from openpyxl.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.documents import BREAK
from knowledge.formats import package
from knowledge.formats.content import Content
from knowledge.formats.rows import as_markdown


def from_xlsx(content: bytes) -> Content:
    """A section for each visible sheet under its name; formulas as the values that they had when saved."""
    package.check(content, "xl/")
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == Worksheet.SHEETSTATE_VISIBLE]
    return Content(title="", text="\n\n".join(filter(None, map(_section, sheets))))


def _section(sheet: Worksheet) -> str:
    """The sheet's name over its rows; over each of its parts, since a heading counts up to a BREAK."""
    text = as_markdown(_rows(sheet))
    return BREAK.join(f"## {sheet.title}\n\n{part}" for part in text.split(BREAK)) if text else ""


def _rows(sheet: Worksheet) -> list[list[str]]:
    """The rows and columns that hold something; a cell merged over several rows says its value in each."""
    filled: dict[int, dict[int, str]] = defaultdict(dict)
    # The public iterators create every cell up to the last one, billions if somebody once clicked into the far corner.
    for (row, column), cell in sheet._cells.items():
        if text := _text(cell):
            filled[row][column] = text
    for area in sheet.merged_cells.ranges:
        value = filled.get(area.min_row, {}).get(area.min_col, "")
        for row in filled.keys() & range(area.min_row, area.max_row + 1):
            filled[row][area.min_col] = value
    columns = sorted({column for cells in filled.values() for column in cells})
    return [[filled[row].get(column, "") for column in columns] for row in sorted(filled)]


def _text(cell: Cell | MergedCell) -> str:
    """The value as people see it, empty for an error such as #N/A."""
    value = cell.value
    if value is None or isinstance(cell, MergedCell) or cell.data_type == "e":
        return ""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
    if isinstance(value, float):
        return f"{value * 100:.10g}%" if "%" in cell.number_format else f"{value:.12g}"
    return str(value)

"""Documents of which every chunk says which edition it is of: words of two generations in one prompt are seen."""

from __future__ import annotations

import json
import re
from itertools import islice, product
from pathlib import Path

from tests.faults.desk import PROMPTS, Desk

WINGS = ("東館", "西館", "南館", "北館", "本館", "ガラス棟")
FLOWERS = ("サクラ", "カエデ", "ヒマワリ", "アジサイ", "スミレ", "ツバキ", "フジ", "ボタン", "ユリ", "ハギ")
FURNITURE = ("白板", "投影機", "円卓", "長机", "演台", "音響装置", "和室の座布団", "電話会議機", "大型画面", "給茶機")
CHUNKS = len(WINGS) * len(FLOWERS)
"""More than are embedded before there is word of it, many times over."""

_EDITION = re.compile(r"第(\d+)版")


def write(folder: Path, edition: int) -> None:
    """Write the documents in an edition, in the place of those before; each room is a chunk."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, wing in enumerate(WINGS):
        rooms = (_room(wing, flower, edition, FURNITURE[at - number]) for at, flower in enumerate(FLOWERS))
        (folder / f"{wing}.md").write_text(f"# {wing}の部屋\n\n" + "\n\n".join(rooms) + "\n", encoding="utf-8")


def question(number: int) -> str:
    """A question about a room, another one for each number."""
    wing, flower = next(islice(product(WINGS, FLOWERS), number * 37 % CHUNKS, None))
    return f"{wing}の{flower}の間には何がありますか？"


def editions_in(text: str) -> set[int]:
    """The editions that are quoted there."""
    return {int(edition) for edition in _EDITION.findall(text)}


def prompts(desk: Desk) -> list[str]:
    """Every prompt that the model was given, with everything in it."""
    noted = desk.folder / PROMPTS
    return ["\n".join(json.loads(line)) for line in noted.read_text("utf-8").splitlines()] if noted.exists() else []


def _room(wing: str, flower: str, edition: int, furniture: str) -> str:
    return f"## {flower}の間\n\n{wing}の{flower}の間には{furniture}があります（第{edition}版）。"

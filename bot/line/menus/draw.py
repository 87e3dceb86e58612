"""Draws the rich menu's two pictures: `python -m bot.line.menus.draw`.

Needs Debian's packages chromium and fonts-noto-cjk, and what `make venv` installs. A picture that looks different is
another menu to LINE: `madoguchi line setup` puts it in the place of the one before.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.line.menu import HEIGHT, WIDTH, WORDS, Words

CHROMIUM = Path("/usr/bin/chromium")
HERE = Path(__file__).parent
_ICONS = {
    "ask": '<path d="M6 10h52a4 4 0 0 1 4 4v28a4 4 0 0 1-4 4H30L16 58V46H6a4 4 0 0 1-4-4V14a4 4 0 0 1 4-4z"/>'
    '<path d="M16 22h32M16 33h22"/>',
    "reset": '<path d="M14 22a24 24 0 1 1-4 18"/><path d="M12 6v18h18"/>',
    "language": '<circle cx="32" cy="32" r="27"/><path d="M5 32h54M32 5c18 16 18 38 0 54M32 5c-18 16-18 38 0 54"/>',
    "help": '<circle cx="32" cy="32" r="27"/><path d="M24 25a8 8 0 1 1 11 8c-3 1-3 3-3 6"/><path d="M32 47v.5"/>',
}
_STYLE = f"""
    body {{ margin: 0; width: {WIDTH}px; height: {HEIGHT}px; display: flex; background: #f7f5f0;
            font-family: "Noto Sans CJK JP", sans-serif; font-weight: 700; color: #23405c; }}
    div {{ flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 64px;
           font-size: 104px; white-space: nowrap; }}
    div + div {{ box-shadow: -3px 0 #dcd6ca; }}
    svg {{ width: 230px; height: 230px; fill: none; stroke: #c4572d; stroke-width: 5;
           stroke-linecap: round; stroke-linejoin: round; }}
"""


def page(language: str, words: Words) -> str:
    """The picture as HTML: an icon above each item's word."""
    items = "".join(
        f'<div><svg viewBox="0 0 64 64">{icon}</svg>{escape(getattr(words, item))}</div>'
        for item, icon in _ICONS.items()
    )
    return f'<!doctype html><html lang="{language}"><style>{_STYLE}</style><body>{items}</body></html>'


def main() -> None:
    """Write both pictures beside this file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        canvas = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1)
        for language, words in WORDS.items():
            canvas.set_content(page(language, words))
            canvas.screenshot(path=HERE / f"{language}.png")
        browser.close()


if __name__ == "__main__":
    main()

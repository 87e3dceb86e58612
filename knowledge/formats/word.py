"""Word documents (DOCX)."""

from __future__ import annotations

import io

import mammoth

from knowledge.formats import package
from knowledge.formats.content import Content
from knowledge.formats.html import from_html

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='表題'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
"""


def from_docx(content: bytes) -> Content:
    """Headings, paragraphs, lists, tables and footnotes; the title is the first heading of level one. No pictures."""
    package.check(content, "word/")
    # A picture's bytes would be put into the HTML.
    without_pictures = mammoth.images.img_element(lambda _: {})
    page = mammoth.convert_to_html(io.BytesIO(content), style_map=_STYLES, convert_image=without_pictures)
    return from_html(page.value)

"""A document's Markdown becomes HTML that holds nothing but text and its structure, soon, whatever it says."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.passages import text
from bot.passages.shelf import MAX_TEXT_CHARS

_STRUCTURE = "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a table thead tbody tr th td"
TAGS = frozenset(_STRUCTURE.split(" "))
MARKS = ["<", ">", "[", "](", ")", "![", "`", "```", "*", "_", "~~", "|", "|-:|", "\n", "\n\n", "    ", "> ", "- ", "#"]
WORDS = ["script", "onload=", "javascript:", "https://a.jp/", "style=", '"', "'", "&quot;", "&#106;", "&lt;img&gt;"]
ELEMENTS = ["<script>", "</p>", "<img src=x onerror=a>", "![<img>](a)", "[<b>](//a.jp)", "<a href=x onclick=a>", "<!--"]
DOCUMENTS = st.lists(st.sampled_from(MARKS + WORDS + ELEMENTS) | st.text(max_size=3), max_size=40).map("".join)


@given(DOCUMENTS)
def test_every_tag_is_one_of_structure_and_every_link_leads_to_the_web(document: str) -> None:
    html = text.html(document)

    tags = re.findall(r"<(/?)([^\s>/]*)([^>]*)>", html)
    assert {name for _, name, _ in tags} <= TAGS
    for _, _, attributes in tags:
        without_values = re.sub(r'"[^"]*"', "", attributes)
        assert set(re.findall(r"[\w-]+", without_values)) <= {"href", "rel", "class", "start"}
    assert all(href.startswith(("http://", "https://")) for href in re.findall(r'href="([^"]*)"', html.lower()))


@pytest.mark.parametrize("unit", ["[", "![", "*a_ ", "`", "<", "> ", "- ", "|a", "](", "**", "~~a", "&", "[a](b", "_*"])
def test_no_markdown_keeps_a_reader_waiting(unit: str) -> None:
    began = time.process_time()

    text.html((unit * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS])

    assert time.process_time() - began < 2


def test_words_stay_as_they_are() -> None:
    said = "経費は <b>25日</b> & 「月末」まで。\n  次の行"

    assert unescape(re.sub(r"</?p>|<br />", "", text.html(said))).split() == said.split()


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("![組織図](chart.png)", "<p>組織図</p>"),
        ("[社内](other.md)", "<p><a>社内</a></p>"),
        ("    字下げ", "<p>字下げ</p>"),
        ("\u202e逆\u2066さ", "<p>逆さ</p>"),
        ("一\n二", "<p>一<br />\n二</p>"),
    ],
)
def test_what_cannot_be_shown_here_is_shown_by_its_words(markdown: str, html: str) -> None:
    assert text.html(markdown).strip() == html

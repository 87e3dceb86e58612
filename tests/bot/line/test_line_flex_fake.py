"""The fake is strict with Flex messages as LINE is, so that a card which it takes is one that LINE takes."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.fakes import line_flex
from tests.fakes.line import PUSH, FakeLine
from tests.fakes.line_events import USER


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"altText": "あ" * 1_501}, "Length must be between 1 and 1500"),
        ({"altText": ""}, "Length must be between 1 and 1500"),
        ({"text": ""}, "must be non-empty text"),
        ({"text": "あ" * 31_000}, "the size of bubble must be less than or equal to 30720"),
        ({"color": "blue"}, "invalid property"),
        ({"size": "huge"}, "invalid property"),
        ({"maxLines": -1}, "must be greater than or equal to 0"),
        ({"action": {"type": "uri", "uri": "javascript:alert(1)"}}, "invalid uri scheme"),
        ({"action": {"type": "uri", "uri": "https://例え.jp/"}}, "invalid uri"),
        ({"action": {"type": "uri", "uri": "https://example.jp/" + "a" * 1_000}}, "Length must be between 1 and 1000"),
        (
            {"action": {"type": "uri", "uri": "https://example.jp/", "label": "あ" * 21}},
            "Length must be between 1 and 20",
        ),
        ({"action": {"type": "postback", "data": ""}}, "Length must be between 1 and 300"),
    ],
    ids=str,
)
def test_the_fake_refuses_what_line_refuses(broken: dict[str, Any], said: str) -> None:
    text = {"type": "text", "text": "規則", **{name: value for name, value in broken.items() if name != "altText"}}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [text]}}
    fault = line_flex.fault({"altText": broken.get("altText", "出典"), "contents": bubble})

    assert fault is not None
    assert fault[0] == said


@pytest.mark.parametrize(
    "component",
    [
        {"type": "marquee", "text": "規則"},
        {"type": "text", "text": "規則", "blink": True},
        {"type": "text", "text": "規則", "align": "middle"},
        {"type": "box", "layout": "vertical", "contents": [], "padding": "sm"},
        {"type": "button"},
        {"type": "button", "action": {"type": "postback", "data": "a"}},
        {"type": "box", "layout": "baseline", "contents": [{"type": "box", "layout": "vertical", "contents": []}]},
    ],
    ids=str,
)
def test_the_fake_refuses_what_line_does_not_know(line: FakeLine, component: dict[str, Any]) -> None:
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [component]}}
    body = {"to": USER, "messages": [{"type": "flex", "altText": "出典", "contents": bubble}]}

    assert refused(line, body) == 400
    assert line.visible(USER) == []


def refused(line: FakeLine, body: dict[str, Any]) -> int:
    """The status with which LINE refuses a push."""
    headers = {"Authorization": f"Bearer {line.access_token}", "Content-Type": "application/json"}
    try:
        urlopen(Request(f"{line.url.rstrip('/')}{PUSH}", json.dumps(body).encode(), headers), timeout=5)
    except HTTPError as error:
        return error.code
    return 200

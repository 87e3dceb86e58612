"""Block Kit as Slack checks it (docs.slack.dev, reference, Block Kit), for the blocks of messages."""

from __future__ import annotations

import re
from typing import Any

JSON = dict[str, Any]

MAX_BLOCKS, MAX_ALL_CHARS, MAX_MARKDOWN_CHARS = 50, 13_200, 12_000


def refusal_of_blocks(blocks: Any) -> str | None:
    """The error that Slack answers with, or None when the blocks are good."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return "invalid_blocks_format"
    if len(blocks) > MAX_BLOCKS or not all(_good_block(block) for block in blocks):
        return "invalid_blocks"
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MAX_MARKDOWN_CHARS:
        return "msg_too_long"
    if sum(len(text) for block in blocks for text in _texts(block)) > MAX_ALL_CHARS:
        return "msg_blocks_too_long"
    return None


def shown(message: JSON) -> str:
    """What a person reads: the blocks when there are any, else the text."""
    if not message.get("blocks"):
        return str(message["text"])
    return "\n".join(_unescaped(text) for block in message["blocks"] for text in _texts(block))


def _good_block(block: JSON) -> bool:
    match block:
        case {"type": "markdown", "text": str(text)}:
            return bool(text) and block.keys() <= {"type", "text", "block_id"}
        case {"type": "section", "text": dict(text)}:
            return _good_text(text, 3_000)
        case {"type": "context", "elements": [*elements]}:
            return 1 <= len(elements) <= 10 and all(isinstance(e, dict) and _good_text(e, 3_000) for e in elements)
        case {"type": "context_actions", "elements": [*elements]}:
            return 1 <= len(elements) <= 5 and all(_good_feedback(element) for element in elements)
        case {"type": "actions", "elements": [*elements]}:
            return 1 <= len(elements) <= 25 and all(map(_good_action, elements))
        case _:
            return block.get("type") == "divider"


def _good_feedback(element: Any) -> bool:
    """Slack's feedback buttons; the icon buttons that may stand beside them are none of ours."""
    match element:
        case {"type": "feedback_buttons", "positive_button": dict(positive), "negative_button": dict(negative)}:
            known = element.keys() <= {"type", "action_id", "positive_button", "negative_button"}
            return known and len(element.get("action_id", "")) <= 255 and all(map(_good_button, (positive, negative)))
        case _:
            return False


def _good_action(element: Any) -> bool:
    """A button with something to be known by; no other element is used here."""
    match element:
        case {"type": "button", "action_id": str(name), "text": {"type": "plain_text", "text": str(text)}}:
            known = {"type", "action_id", "text", "value", "style", "accessibility_label", "url", "confirm"}
            value = element.get("value", "-")
            fits = 0 < len(name) <= 255 and 0 < len(text) <= 75 and isinstance(value, str) and 0 < len(value) <= 2_000
            return fits and element.keys() <= known and element.get("style", "primary") in ("primary", "danger")
        case _:
            return False


def _good_button(button: JSON) -> bool:
    match button:
        case {"text": {"type": "plain_text", "text": str(text)}, "value": str(value)}:
            label = button.get("accessibility_label", "")
            return 0 < len(text) <= 75 and 0 < len(value) <= 2_000 and isinstance(label, str) and len(label) <= 75
        case _:
            return False


def _good_text(text: JSON, limit: int) -> bool:
    content = text.get("text")
    return text.get("type") in ("plain_text", "mrkdwn") and isinstance(content, str) and 0 < len(content) <= limit


def _texts(block: JSON) -> list[str]:
    match block:
        case {"type": "markdown", "text": str(text)}:
            return [text]
        case {"text": {"text": str(text)}}:
            return [text]
        case {"type": "context", "elements": [*elements]}:
            return [element["text"] for element in elements]
        case _:
            return []


def _unescaped(text: str) -> str:
    readable = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r"\2 (\1)", text)
    return readable.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

"""The dialog that asks what was wrong with an answer, and what a person wrote into it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.messages import Action, JSONObject
from bot.slack.shapes import id_of, part, words
from bot.votes import MAX_ID_CHARS, MAX_REASON_CHARS, REASON, Reason

_BLOCK, _FIELD = "reason", "words"
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "title": "どこが違いましたか",
        "submit": "送る",
        "close": "やめる",
        "label": "理由（書かなくても評価は数えられています）",
        "hint": "管理者が資料と答えを直すために読みます。",
    },
    "en": {
        "title": "What was wrong?",
        "submit": "Send",
        "close": "Cancel",
        "label": "Reason (your vote counts without one, too)",
        "hint": "An administrator reads it to mend the documents and the answers.",
    },
}


def reason_view(message_id: str, conversation_id: str, language: str) -> dict[str, Any]:
    """The dialog for who has found the answer to this message unhelpful."""
    said = {name: {"type": "plain_text", "text": text} for name, text in _WORDS[language].items()}
    about = {"message_id": message_id, "conversation_id": conversation_id, "language": language}
    written = {"type": "plain_text_input", "action_id": _FIELD, "multiline": True, "max_length": MAX_REASON_CHARS}
    asks = {"type": "input", "block_id": _BLOCK, "label": said["label"], "hint": said["hint"], "element": written}
    return {
        "type": "modal",
        "callback_id": REASON,
        "title": said["title"],
        "submit": said["submit"],
        "close": said["close"],
        "private_metadata": json.dumps(about),
        "blocks": [asks],
    }


def parse_reason(payload: JSONObject) -> tuple[Action, str] | None:
    """The reason that was sent, and its delivery's id; None when it is of no shape that Slack sends."""
    view, user = part(payload, "view"), id_of(part(payload, "user").get("id"))
    view_id, about = id_of(view.get("id")), _about(view)
    written = words(part(part(part(part(view, "state"), "values"), _BLOCK), _FIELD), "value")
    reason = Reason(about.get("message_id", ""), " ".join(written.encode("utf-8", "ignore").decode().split()))
    if not user or not view_id or not about or not reason.words:
        return None
    action = Action(
        platform="slack",
        conversation_id=about["conversation_id"],
        user_id=f"slack:{user}",
        name=REASON,
        value=reason.to_text(),
        sent_at=0.0,
        reply_to={},
        language="en" if about.get("language") == "en" else "ja",
    )
    return action, f"slack:reason:{view_id}:{user}"


def _about(view: JSONObject) -> dict[str, str]:
    """What the dialog was opened with; nothing when it is none of ours."""
    try:
        about = json.loads(words(view, "private_metadata"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    ids = (about.get("message_id"), about.get("conversation_id"))
    good = all(isinstance(name, str) and 0 < len(name) <= MAX_ID_CHARS and not set(name) & set(" \n") for name in ids)
    return about if good else {}

"""App Home as Slack draws it, and the dialog in which an administrator answers a gap. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.home import (
    GAP_ANSWERED,
    GAP_DROPPED,
    GAP_OPENED,
    MAX_ANSWER_CHARS,
    MAX_QUESTION_CHARS,
    AdminPart,
    Page,
    PageGap,
)

MOST_BLOCKS = 100
MOST_CHARS = 3_000
FORGET: Final = "home_forget"
"""The `action_id` of the button that erases a person's conversations."""
QUESTION_FIELD, ANSWER_FIELD, WRITTEN = "question", "answer", "words"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "title": "窓口でできること",
        "examples": "たとえば、こうお尋ねください",
        "private": "会話は、覚えている間だけ次の答えに使われます。いつでも消せます。",
        "forget": "わたしとの会話を消す",
        "sure": "本当に消しますか",
        "what": "これまでにお話しした内容と、それへの答えを消します。元には戻せません。",
        "do": "消す",
        "do_not": "やめる",
        "admin": "管理者の方へ",
        "gaps": "答えられなかった質問",
        "no_gaps": "答えられなかった質問はありません。",
        "more": "ほか{count}件（`madoguchi gaps` で全部見られます）",
        "unsorted": "まだ分けていない質問{count}件",
        "answer": "答えを書く",
        "drop": "取り下げる",
        "drop_what": "この質問を一覧から消します。尋ねた人には何も届きません。",
    },
    "en": {
        "title": "What I can do",
        "examples": "Ask me, for instance",
        "private": "What was said is used for the next answer as long as I remember it. You can erase it at any time.",
        "forget": "Erase my conversations",
        "sure": "Are you sure?",
        "what": "What you told me and my answers to it are erased. This cannot be undone.",
        "do": "Erase",
        "do_not": "Cancel",
        "admin": "For administrators",
        "gaps": "Questions without an answer",
        "no_gaps": "There is no question without an answer.",
        "more": "and {count} more (`madoguchi gaps` lists all)",
        "unsorted": "{count} questions not sorted yet",
        "answer": "Write the answer",
        "drop": "Drop",
        "drop_what": "This question leaves the list. Who asked hears nothing.",
    },
}
WORDS_OF_DIALOG: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "title": "答えを書く",
        "submit": "資料に加える",
        "close": "やめる",
        "question": "質問（資料の見出しになります）",
        "answer": "答え",
        "hint": "尋ねた人たちと、これから尋ねる人が読みます。資料に入ると、尋ねた人にお知らせします。",
        "empty": "書いてください。",
        "too_long": "{most}文字までにしてください。",
    },
    "en": {
        "title": "Write the answer",
        "submit": "Add",
        "close": "Cancel",
        "question": "Question (the heading in the documents)",
        "answer": "Answer",
        "hint": "For who asked and who will ask. They are told as soon as it is among the documents.",
        "empty": "Please write something.",
        "too_long": "At most {most} characters, please.",
    },
}


def home_view(page: Page) -> dict[str, Any]:
    """The page as a view for views.publish."""
    blocks = [*_for_everybody(page), *(_for_admins(page.admin, page.language) if page.admin else ())]
    return {"type": "home", "blocks": blocks[:MOST_BLOCKS]}


def answer_view(gap: PageGap, language: str) -> dict[str, Any]:
    """The dialog for the answer to a gap; it carries the gap's number."""
    said = WORDS_OF_DIALOG[language]
    asked = gap.wordings[0][:MAX_QUESTION_CHARS] if gap.wordings else ""
    first = {"initial_value": asked} if asked else {}
    question = {"type": "plain_text_input", "action_id": WRITTEN, "max_length": MAX_QUESTION_CHARS, **first}
    answer = {"type": "plain_text_input", "action_id": WRITTEN, "max_length": MAX_ANSWER_CHARS, "multiline": True}
    return {
        "type": "modal",
        "callback_id": GAP_ANSWERED,
        **{name: _plain(said[name]) for name in ("title", "submit", "close")},
        "private_metadata": f"{language} {gap.number}",
        "blocks": [
            {"type": "input", "block_id": QUESTION_FIELD, "label": _plain(said["question"]), "element": question},
            {
                "type": "input",
                "block_id": ANSWER_FIELD,
                "label": _plain(said["answer"]),
                "hint": _plain(said["hint"]),
                "element": answer,
            },
        ],
    }


def _for_everybody(page: Page) -> Iterator[dict[str, Any]]:
    said = _WORDS[page.language]
    yield _header(said["title"])
    yield _text(page.about)
    if page.examples:
        yield _text("\n".join([said["examples"], *(f"• {example}" for example in page.examples)]))
    yield {"type": "divider"}
    yield _text(said["private"])
    forget = _button(FORGET, said["forget"], page.language) | {"style": "danger"}
    yield {"type": "actions", "elements": [forget | {"confirm": _confirm(said["what"], said)}]}


def _for_admins(part: AdminPart, language: str) -> Iterator[dict[str, Any]]:
    said = _WORDS[language]
    yield {"type": "divider"}
    yield _header(said["admin"])
    yield _text(part.status)
    yield _header(said["gaps"])
    for gap in part.gaps:
        yield from _gap(gap, language)
    left = [
        said[name].format(count=count) for name, count in (("more", part.more), ("unsorted", part.unsorted)) if count
    ]
    if left or not part.gaps:
        yield _text("\n".join(left) or said["no_gaps"])


def _gap(gap: PageGap, language: str) -> Iterator[dict[str, Any]]:
    """Two blocks at most."""
    said, carried = _WORDS[language], f"{language} {gap.number}"
    yield _text("\n".join([gap.told, *(f"• {wording}" for wording in gap.wordings)]))
    drop = _button(GAP_DROPPED, said["drop"], carried) | {"confirm": _confirm(said["drop_what"], said)}
    answer = [] if gap.is_answered else [_button(GAP_OPENED, said["answer"], carried)]
    yield {"type": "actions", "block_id": f"gap-{gap.number}", "elements": [*answer, drop]}


def _button(name: str, label: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": name, "text": _plain(label), "value": value}


def _confirm(what: str, said: Mapping[str, str]) -> dict[str, Any]:
    """Slack's own question before a press counts."""
    titles = {"title": said["sure"], "text": what, "confirm": said["do"], "deny": said["do_not"]}
    return {name: _plain(text) for name, text in titles.items()}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": _plain(text)}


def _text(text: str) -> dict[str, Any]:
    """Words as they are: what somebody asked may look like a mention or a link, and is none."""
    return {"type": "section", "text": _plain(text[:MOST_CHARS] or "–")}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}

"""What is shown of an answer that is not finished when a reply token is about to die. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from linebot.v3.messaging import ButtonsTemplate, PostbackAction, TemplateMessage, TextMessage

from bot.line.phrases import phrases
from bot.line.postback import Postback
from bot.line.text import MAX_TEXT_UNITS, plain, utf16_units
from bot.platform import Target
from bot.splitting import split_text

MAX_TEMPLATE_UNITS = 160
"""LINE: UTF-16 units in a buttons template without a title."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an answer is.

    Args:
        so_far: whole sentences of the answer, in Markdown; empty while there are none.
        extract: what a document says, in Markdown, for as long as there are none.
        notice: what is said of the wait where there is neither.
        before: what has been shown of the answer already, as it was shown.
    """

    so_far: str = ""
    extract: str = ""
    notice: str = ""
    before: str = ""

    @property
    def beginning(self) -> str:
        """The answer so far as it is shown, with what was shown before; that alone, where it does not go on from it."""
        so_far = _one_message(plain(self.so_far), after=self.before)
        return so_far if so_far.startswith(self.before) else self.before

    def messages(self, target: Target, *, by_push: bool, quote_token: str = "") -> list[Any]:
        """What to show: the next part of the answer, else what a document says, else how long it takes; and what next.

        Args:
            by_push: the rest is sent; else a button brings it.
        """
        new = self.beginning.removeprefix(self.before).strip()
        words = new or ("" if self.before else plain(self.extract))
        shown = [TextMessage(text=words, quoteToken=quote_token or None)] if words else []
        kind: Literal["more", "wait"] = "more" if new or self.before else "wait"
        said = "" if words else self.notice or phrases(target.language).working
        return [*shown, _promise(said, kind, target) if by_push else _button(said, kind, target)]


def _one_message(text: str, *, after: str) -> str:
    """The text as far as one more message shows it, cut where a sentence ends."""
    more = text.removeprefix(after)
    if utf16_units(more) <= MAX_TEXT_UNITS:
        return text
    first = split_text(more, MAX_TEXT_UNITS, utf16_units)[0]
    return after + more[: more.index(first) + len(first)]


def _promise(said: str, kind: Literal["more", "wait"], target: Target) -> Any:
    words = phrases(target.language)
    promised = words.more_by_push if kind == "more" else words.wait_for_push
    return TextMessage(text="\n".join(filter(None, (said, promised))))


def _button(said: str, kind: Literal["more", "wait"], target: Target) -> Any:
    words = phrases(target.language)
    label, promised = (
        (words.more_button, words.more_by_button) if kind == "more" else (words.button, words.wait_for_button)
    )
    together = "\n".join(filter(None, (said, promised)))
    text = together if utf16_units(together) <= MAX_TEMPLATE_UNITS else promised
    pressed = Postback("collect", target.conversation_id, target.message_id, target.language)
    action = PostbackAction(label=label, data=pressed.data(), displayText=label)
    return TemplateMessage(altText=text, template=ButtonsTemplate(text=text, actions=[action]))


def what_follows(whole: str, before: str) -> str | None:
    """The answer after what has been shown of it; None where it is another one."""
    return whole.removeprefix(before).strip() if whole.startswith(before) else None

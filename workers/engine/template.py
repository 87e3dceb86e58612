"""A chat as the model's own template writes it, in pieces that keep people's text apart from the template's.

The template never sees a message: it is rendered with an unguessable placeholder for each text, and the result is cut
at the placeholders. Only the template's own pieces may then become control tokens, so a text cannot forge a turn.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from workers.generation import ChatMessage, GenerationFailed

log = logging.getLogger(__name__)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MAX_TEMPLATE_CHARS = 100_000
MAX_RENDERED_CHARS = 200_000
MAX_RENDER_S = 2.0
MAX_LOOP = 1_000

_PROBE = (
    ChatMessage("system", "s"),
    ChatMessage("user", "u"),
    ChatMessage("assistant", "a"),
    ChatMessage("user", "v"),
)


class TemplateUnusable(GenerationFailed):
    """The model's chat template fails, or drops, repeats or reorders messages."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a rendered chat: of the template (control tokens count) or of a message (everything is text)."""

    text: str
    control: bool
    quoted: bool = False


class ChatTemplate:
    """A chat template that was tried and found to keep every message."""

    def __init__(self, source: str | None, *, bos: str = "", eos: str = "") -> None:
        """The template, or ChatML where the model brings none.

        Raises:
            TemplateUnusable
        """
        if source is None:
            log.warning("the model brings no chat template, ChatML is used")
        self._template = _compile(CHATML if source is None else source)
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._mark = secrets.token_hex(16)
        self._folds_system = not self._takes_system()
        self.pieces(_PROBE)
        if read_again := self._read_again():
            log.warning("the chat template rewrites earlier turns", extra={"read_again_each_turn": read_again})

    def pieces(self, messages: Sequence[ChatMessage]) -> list[Piece]:
        """The chat with the assistant's turn opened.

        Raises:
            TemplateUnusable: the template refuses this chat or does not keep all of it.
        """
        found = re.split(f"{self._mark}:([0-9]+):", self._render(self._contents(messages)))
        numbers = [int(number) for number in found[1::2]]
        if numbers != list(range(len(messages))):
            raise TemplateUnusable("the chat template drops, repeats or reorders messages")
        # Between the placeholders stands what the template wrote; their numbers are at the odd places.
        written = (_said(messages, part) if n % 2 else [Piece(part, control=True)] for n, part in enumerate(found))
        return [piece for pieces in written for piece in pieces if piece.text]

    def _contents(self, messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
        """The messages as the template gets them: roles, and placeholders for the texts."""
        chat = [{"role": m.role, "content": f"{self._mark}:{n}:"} for n, m in enumerate(messages)]
        if self._folds_system and len(chat) > 1 and chat[0]["role"] == "system":
            chat[1]["content"] = f"{chat[0]['content']}\n\n{chat[1]['content']}"
            return chat[1:]
        return chat

    def _takes_system(self) -> bool:
        """Whether the template has a place for a system message; Gemma 2, for one, refuses them."""
        self._folds_system = False
        try:
            self.pieces(_PROBE)
        except TemplateUnusable:
            return False
        return True

    def _read_again(self) -> str:
        """What has to be read again in each turn since it is written in another way than before; mostly nothing.

        Qwen 3, for one, opens an answer with an empty thought, and leaves that out in the turns after it.
        """
        *shorter, opened_turn = self.pieces(_PROBE[:2])
        longer = self.pieces(_PROBE)
        if longer[: len(shorter)] != shorter:
            return "the conversation"
        return "" if longer[len(shorter)].text.startswith(opened_turn.text) else "the last answer"

    def _render(self, chat: Sequence[Mapping[str, str]]) -> str:
        try:
            # Templates ask "tools is not none", which an undefined name is; thinking aloud costs minutes on a CPU.
            parts = self._template.generate(
                messages=chat,
                add_generation_prompt=True,
                tools=None,
                documents=None,
                enable_thinking=False,
                **self._tokens,
            )
            return _bounded(parts)
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise TemplateUnusable(f"the model's chat template fails: {error}") from error


def _said(messages: Sequence[ChatMessage], number: str) -> list[Piece]:
    return [Piece(text, control=False, quoted=quoted) for text, quoted in messages[int(number)].parts()]


def _bounded(parts: Iterable[str]) -> str:
    """The parts as one text.

    Raises:
        TemplateUnusable: they take too long or are too many.
    """
    until = time.monotonic() + MAX_RENDER_S
    chars = 0
    text = []
    for part in parts:
        chars += len(part)
        if chars > MAX_RENDERED_CHARS or time.monotonic() > until:
            raise TemplateUnusable("the model's chat template writes without end")
        text.append(part)
    return "".join(text)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja as templates of the hub expect it, without the ways to fill the memory in one step."""

    intercepted_binops = frozenset(["*", "**"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """The product or power of small numbers; nothing else."""
        if not all(isinstance(side, int | float) and abs(side) <= MAX_LOOP for side in (left, right)):
            raise SecurityError(f"{operator} of anything but small numbers")
        return super().call_binop(context, operator, left, right)


def _compile(source: str) -> jinja2.Template:
    if len(source) > MAX_TEMPLATE_CHARS:
        raise TemplateUnusable("the model's chat template is too long")
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    # One date for as long as the model is loaded: a prompt must go on beginning as it did.
    environment.globals.update(raise_exception=_raise, range=_range, strftime_now=datetime.now().astimezone().strftime)
    try:
        return environment.from_string(source)
    except (jinja2.TemplateError, RecursionError, OverflowError) as error:
        raise TemplateUnusable(f"the model's chat template is no template: {error}") from error


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_LOOP:
        raise SecurityError("a loop without end")
    return numbers

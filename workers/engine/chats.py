"""Chats as tokens: the model's own template, its vocabulary, and which tokens are quotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.engine.model import Model
from workers.engine.template import ChatTemplate
from workers.generation import ChatMessage, Prompt


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A chat's tokens, with the assistant's turn opened, and the places of those that are quotations."""

    tokens: tuple[int, ...]
    quoted: tuple[range, ...]


class Chats:
    """Makes tokens of chats; in any thread, but not while the model is freed."""

    def __init__(self, model: Model) -> None:
        """Chats in the model's own template.

        Raises:
            TemplateUnusable
        """
        self._model = model
        self._template = ChatTemplate(model.chat_template, bos=model.bos_text, eos=model.eos_text)

    def tokenised(self, messages: Sequence[ChatMessage]) -> Tokenised:
        """The chat's tokens; those of a quotation are the same wherever it stands.

        Raises:
            TemplateUnusable: the template refuses this chat.
        """
        tokens: list[int] = []
        quoted = []
        for piece in self._template.pieces(messages):
            start = len(tokens)
            tokens += self._model.tokenize(piece.text, control=piece.control)
            first = self._model.first_token
            if start == 0 and first is not None and tokens[:1] != [first]:
                tokens.insert(0, first)
            if piece.quoted:
                quoted.append(range(start, len(tokens)))
        return Tokenised(tuple(tokens), tuple(quoted))

    def quotations(self, prompt: Prompt) -> tuple[range, ...]:
        """Where the prompt quotes; nowhere when its tokens are not those of its messages."""
        if not any(message.quoted for message in prompt.messages):
            return ()
        tokenised = self.tokenised(prompt.messages)
        return tokenised.quoted if tokenised.tokens == tuple(prompt.token_ids) else ()

    def opening(self, system: str, lead: str) -> tuple[int, ...]:
        """The tokens of every chat of this system message up to what it quotes first, after the words of `lead`."""
        quoting = ChatMessage("user", f"{lead}…", quoted=("…",))
        tokenised = self.tokenised((ChatMessage("system", system), quoting))
        return tokenised.tokens[: tokenised.quoted[0].start]

"""Extracts: the best passage's own words with their source, before the model's answer is there and where none comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bot.messages import Citation, Reply
from bot.sanitise import sanitise
from knowledge.documents import Passage
from workers import grounding
from workers.conversation import Turn
from workers.phrases import phrase
from workers.prompt import as_cited, as_read
from workers.voice import Voice

Label = Literal["preview", "without_model"]


def extracted(label: Label, question: str, voice: Voice, *, passage: Passage, citations: tuple[Citation, ...]) -> Reply:
    """What the passage says to the question, labelled in the desk's voice as its own words, with its source."""
    words = grounding.extract(question, passage)
    text = voice.say(phrase(label, voice.language, words="{words}")).format(words=words)  # the words stay as written
    return Reply(sanitise(text, grounding.sources([passage])), citations)


def turns(asked: Turn, passage: Passage) -> tuple[Turn, Turn]:
    """What the conversation remembers of an answer that is an extract, without the label, which is about today.

    The question's turn quotes the passage: so both go when its document does.
    """
    asked_over = replace(asked, passages=(as_read(passage),))
    words = sanitise(grounding.extract(asked.text, passage), grounding.sources([passage]))
    said = Turn("assistant", (words,), "assistant", asked.message_ids, (as_cited(passage),))
    return asked_over, said

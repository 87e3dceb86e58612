"""Policies: how the desk behaves where, from `madoguchi.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.places import Place
from workers.voice import Voice, voice_for

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^[^\x00-\x1f\x7f<>|]*$")]
"""A line of the operator's own words; no line breaks, no control tokens."""
Suggestion = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=75)]
"""A question that people can ask with one click; longer ones no button shows whole."""
Ending = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=20, pattern="^[ぁ-んァ-ヶ一-龥々ー〜～、…♪☆♡]*$")
]


class PolicyInvalid(ValueError):
    """`madoguchi.toml` says something that cannot be followed."""


class Policy(BaseModel):
    """What holds in one place.

    Args:
        outside: what to do with a question that the documents do not answer: say so (`documents`), or answer it from
            the model's general knowledge, labelled (`general`).
        contact: who to ask instead; shown when nothing was found.
        hand_off: the channel (`slack:C1`) whose people are asked when somebody presses the button for it; empty: none.
        language: the answer's: the question's own, or always Japanese or English.
        persona: a sentence about who the desk is and how it speaks; the model reads it.
        ending: what every Japanese sentence of an answer ends in (「ですわよ」); empty: です・ます.
        plain_japanese: やさしい日本語, for people who are learning the language; the model is asked for it.
        sources: the titles of the sources that are searched; none: all of them. What administrators answered themselves
            is searched in any case.
        suggested_prompts: questions that who opens a conversation can ask with one click; none: our own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outside: Literal["documents", "general"] = "documents"
    contact: str = ""
    hand_off: Annotated[str, StringConstraints(pattern="^(slack:[A-Z0-9]{1,64})?$")] = ""
    language: Literal["question", "ja", "en"] = "question"
    persona: Sentence = ""
    ending: Ending = ""
    plain_japanese: bool = False
    sources: tuple[str, ...] = ()
    suggested_prompts: Annotated[tuple[Suggestion, ...], Field(max_length=4)] = ()

    def voice(self, question: str) -> Voice:
        """How this question is answered here."""
        return voice_for(question, self.language, self.ending)

    @property
    def general(self) -> bool:
        return self.outside == "general"


DEFAULT = Policy()


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")  # [[sources]] is the documents' part

    answers: Policy = Policy()
    channels: dict[str, dict[str, Any]] = {}


class Policies:
    """The policy of every place: the general one, or the place's own."""

    def __init__(self, general: Policy, places: dict[str, Policy]) -> None:
        self._general = general
        self._places = places

    @classmethod
    def read(cls, path: Path) -> Policies:
        """The policies of a `madoguchi.toml`; the defaults when there is none.

        Raises:
            PolicyInvalid: it cannot be read; says what and where.
        """
        if not path.exists():
            return cls(Policy(), {})
        try:
            read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
            general = read.answers.model_dump()
            places = {name: Policy.model_validate(general | _answers(own)) for name, own in read.channels.items()}
        except (OSError, ValueError) as error:  # invalid TOML, UTF-8 and values are ValueErrors
            raise PolicyInvalid(f"{path}: {error}") from error
        return cls(read.answers, places)

    def of(self, audience: frozenset[str]) -> Policy:
        """The policy of the place whose label (`slack:C1`) is among the audience."""
        return next((self._places[label] for label in sorted(audience) if label in self._places), self._general)

    def unknown_sources(self, titles: Set[str]) -> tuple[str, ...]:
        """What the policies name as sources that are not among these titles, each once."""
        policies = [self._general, *self._places.values()]
        named = dict.fromkeys(title for policy in policies for title in policy.sources)
        return tuple(title for title in named if title not in titles)


def _answers(table: Mapping[str, Any]) -> dict[str, Any]:
    """What a place's table says of answers; the rest is the front doors' (`bot/places.py`)."""
    return {key: value for key, value in table.items() if key not in Place.model_fields}

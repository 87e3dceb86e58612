"""Policies: how the desk behaves where, from `madoguchi.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from workers.voice import Voice, voice_for

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^[^\x00-\x1f\x7f<>|]*$")]
"""A line of the operator's own words; no line breaks, no control tokens."""
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
        language: the answer's: the question's own, or always Japanese or English.
        persona: a sentence about who the desk is and how it speaks; the model reads it.
        ending: what every Japanese sentence of an answer ends in (「ですわよ」); empty: です・ます.
        plain_japanese: やさしい日本語, for people who are learning the language; the model is asked for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outside: Literal["documents", "general"] = "documents"
    contact: str = ""
    language: Literal["question", "ja", "en"] = "question"
    persona: Sentence = ""
    ending: Ending = ""
    plain_japanese: bool = False

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
    channels: dict[str, dict[str, str | bool]] = {}


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
            places = {name: Policy.model_validate(general | own) for name, own in read.channels.items()}
        except (OSError, ValueError) as error:  # invalid TOML, UTF-8 and values are ValueErrors
            raise PolicyInvalid(f"{path}: {error}") from error
        return cls(read.answers, places)

    def of(self, audience: frozenset[str]) -> Policy:
        """The policy of the place whose label (`slack:C1`) is among the audience."""
        return next((self._places[label] for label in sorted(audience) if label in self._places), self._general)

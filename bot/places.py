"""Where people may use the bot, and what of a place it hears: what the web process reads of `madoguchi.toml`.

How it answers there is the workers' part of the same tables (`workers/policy.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import PlacesInvalid

CONFIG = Path("madoguchi.toml")
_CHANNEL = r"^slack:[A-Za-z0-9_-]{1,64}$"

User = Annotated[str, Field(pattern=_CHANNEL)]


class Place(BaseModel):
    """One channel.

    Args:
        listen: hear only who mentions the bot (`mentions`), or take everything that people say there for questions but
            for what they say to each other (`all`).
        allowed_users: who may use the bot there, as `slack:U…`; None: everybody.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    listen: Literal["mentions", "all"] = "mentions"
    allowed_users: frozenset[User] | None = None

    @property
    def hears_all(self) -> bool:
        return self.listen == "all"

    def admits(self, user_id: str) -> bool:
        """Whether this person (`slack:U…`) may use the bot here."""
        return self.allowed_users is None or user_id in self.allowed_users


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")  # the workers look at the rest

    channels: dict[str, dict[str, Any]] = {}


class Places:
    """Every place by its label (`slack:C1`)."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places

    @classmethod
    def read(cls, path: Path = CONFIG) -> Places:
        """The places of a `madoguchi.toml`; none when there is no such file.

        Raises:
            PlacesInvalid: it cannot be read, or sets for a place of another platform what only Slack's have.
        """
        if not path.exists():
            return cls({})
        try:
            channels = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).channels
            return cls({label: _place(label, table) for label, table in channels.items()})
        except (OSError, ValueError) as error:  # invalid TOML, UTF-8 and values are ValueErrors
            raise PlacesInvalid(f"{path}: {error}") from error

    def of(self, label: str) -> Place:
        """What holds in this place."""
        return self._places.get(label, Place())


def _place(label: str, table: Mapping[str, Any]) -> Place:
    own = table.keys() & Place.model_fields.keys()
    if own and not label.startswith("slack:"):
        raise ValueError(f'channels."{label}": {", ".join(sorted(own))}: only channels of Slack (slack:C…) have this')
    return Place.model_validate(table)

"""Whether something may be pushed, which costs, where a reply is free."""

from __future__ import annotations

from typing import Protocol


class Pushing(Protocol):
    """Says whether a chat may be pushed to, and counts what was."""

    def allows(self, chat_id: str, chat_type: str) -> bool: ...

    def pushed(self, chat_id: str, chat_type: str) -> None: ...


class Never:
    """Nothing is pushed."""

    def allows(self, chat_id: str, chat_type: str) -> bool:
        return False

    def pushed(self, chat_id: str, chat_type: str) -> None:
        """Nothing was."""


class Always:
    """Whatever LINE takes."""

    def allows(self, chat_id: str, chat_type: str) -> bool:
        return True

    def pushed(self, chat_id: str, chat_type: str) -> None:
        """Nobody counts."""

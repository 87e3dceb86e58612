"""Withdrawing: answers that wait for their readers go when what they were made with leaves the index."""

from __future__ import annotations

from collections.abc import Sequence

from bot.capabilities import Keeps
from bot.messages import UnreadableRecord
from workers.conversation import Conversations
from workers.gaps.gaps import Gaps
from workers.services import Retriever


class Withdrawing:
    """Looks through all that waits; what is told of a gap waits as answers do."""

    def __init__(
        self, keepers: Sequence[Keeps], conversations: Conversations, gaps: Gaps, retriever: Retriever
    ) -> None:
        self._keepers = keepers
        self._conversations = conversations
        self._gaps = gaps
        self._retriever = retriever

    def withdraw(self) -> bool:
        """Withdraw what was made with something that the newest index does not have; whether there was any.

        Raises:
            StoreUnavailable, NoIndex
        """
        gone = [
            (keeper, conversation_id, message_id)
            for keeper in self._keepers
            for conversation_id, message_id in keeper.kept()
            if self._is_gone(conversation_id, message_id)
        ]
        for keeper, conversation_id, message_id in gone:
            keeper.withdraw(conversation_id, message_id)
        return bool(gone)

    def _is_gone(self, conversation_id: str, message_id: str) -> bool:
        try:
            read = self._conversations.load(conversation_id).read_for(message_id)
        except UnreadableRecord:  # of a newer version, which sees to it
            return False
        read |= self._gaps.told_from(message_id)
        return not read <= self._retriever.known(read)

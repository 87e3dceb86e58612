"""The card below an answer: its sources as links, and whether it was of use. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Citation, JSONObject
from bot.platform import Target


def card(citations: Sequence[Citation], target: Target, *, may_train: bool) -> JSONObject | None:
    """The Flex message below the last part of the answer to this target; None where there is nothing to show.

    Args:
        may_train: who finds the answer helpful is asked to lend it for training.
    """
    return None

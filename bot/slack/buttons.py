"""What can be pressed under an answer on Slack. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.platform import Target
from bot.slack.votes import vote_buttons


def beneath(target: Target, *, has_sources: bool, offers: Sequence[str], may_train: bool) -> list[dict[str, Any]]:
    """The blocks beneath the last part of the answer to this target.

    Args:
        offers: as in `Reply.offers`.
        may_train: who finds the answer helpful is asked to lend it for training.
    """
    return [vote_buttons(target, may_train=may_train)] if has_sources else []

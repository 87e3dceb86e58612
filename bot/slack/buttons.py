"""What can be pressed under an answer on Slack. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bot.offers import HAND_OFF, SHARE, WHY
from bot.platform import Target
from bot.slack.pressing import carried, pressed_on
from bot.slack.votes import vote_buttons

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    WHY: {"ja": "なぜ？", "en": "Why?"},
    HAND_OFF: {"ja": "人に聞く", "en": "Ask a person"},
    SHARE: {"ja": "みんなに見せる", "en": "Show everybody"},
}
PARSERS: Final = {name: partial(pressed_on, name=name) for name in LABELS}
"""What each press is, by the button's `action_id`, which is the name of its offer."""


def beneath(target: Target, *, has_sources: bool, offers: Sequence[str], may_train: bool) -> list[dict[str, Any]]:
    """The blocks beneath the last part of the answer to this target.

    Args:
        offers: as in `Reply.offers`; those of a newer version have no button here.
        may_train: who finds the answer helpful is asked to lend it for training.
    """
    blocks = [vote_buttons(target, may_train=may_train)] if has_sources else []
    buttons = [_button(name, target) for name in LABELS if name in offers]
    return [*blocks, {"type": "actions", "elements": buttons}] if buttons else blocks


def _button(name: str, target: Target) -> dict[str, Any]:
    text = {"type": "plain_text", "text": LABELS[name][target.language]}
    return {"type": "button", "action_id": name, "text": text, "value": carried(target.message_id, target)}

"""Everything that is sent to Slack around an answer passes the SDK's own models, with their limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.offers import HAND_OFF, SHARE, WHY
from bot.platform import Target
from bot.slack.buttons import beneath
from bot.slack.dialogs import reason_view
from knowledge.retrieval import Retriever
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_blocks import refusal_of_blocks
from tests.workers.around import LOST, SlackDesk, buttons
from tests.workers.desk import ANSWER, saying
from workers.policy import Policy


@pytest.fixture
def around(store: redis.Redis, slack: FakeSlack, retriever: Retriever) -> Iterator[SlackDesk]:
    with saying(Script(ANSWER)) as generator:
        yield SlackDesk(store, slack, retriever, generator, policy=Policy(hand_off="slack:C2"))


def check(blocks: list[dict[str, Any]]) -> list[str]:
    """The types of the blocks, each known to the SDK and within its limits."""
    parsed = Block.parse_all(blocks)
    assert len(parsed) == len(blocks)
    for block in parsed:
        assert type(block) is not Block
        block.validate_json()
    return [str(block.type) for block in parsed]


def test_an_answer_with_all_its_buttons(around: SlackDesk) -> None:
    assert check(around.ask()["blocks"])[-2:] == ["context_actions", "actions"]
    assert check(around.ask(LOST)["blocks"])[-1] == "actions"


def test_what_one_person_sees(around: SlackDesk) -> None:
    around.command()
    around.press(around.alone(), "why")

    for message in around.slack.workspace.interactions.alone:
        assert check(message["blocks"])


def test_what_is_shared_and_what_people_are_asked(around: SlackDesk) -> None:
    around.press(around.ask(), "hand-off")
    around.command()
    around.press(around.alone(), "share")

    posts = [m for channel in ("C1", "C2") for m in around.slack.workspace.channels[channel].messages if "bot_id" in m]
    assert len(posts) == 4
    for post in posts:
        assert check(post["blocks"])


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_longest_ids_and_labels(language: str) -> None:
    longest = f"slack:{'T' * 64}:{'C' * 64}:/{'U' * 64}:{'1' * 128}"
    target = Target(longest, longest, language, {"ext_shared": True})
    blocks = beneath(target, has_sources=True, offers=(WHY, HAND_OFF, SHARE, "of a newer version"), may_train=True)

    assert check(blocks) == ["context_actions", "actions"]
    assert refusal_of_blocks(blocks) is None
    assert set(buttons({"blocks": blocks})) == {"up", "down", WHY, HAND_OFF, SHARE}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_dialog(language: str) -> None:
    longest = "slack:" + "x" * 290
    view = View(**reason_view(longest, longest, language))

    view.validate_json()
    assert len(view.title.text) <= 24
    assert len(view.private_metadata) <= 3_000

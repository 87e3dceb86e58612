"""Dead letters for tests, made on the way that the service makes them."""

from __future__ import annotations

from typing import Any

import redis

from bot.messages import Control, Message
from tests.workers.desk import LIFE_S, command
from tests.workers.making import accept
from workers.batches import Batches
from workers.controls import MOST_TRIES, Controls


def a_question_dies(
    store: redis.Redis, *messages: Message, reason: str = "is_archived", apologised: bool = False, **journal: Any
) -> str:
    """The id of the letter of a question that is given up with these facts in its journal."""
    accept(store, *messages)
    batches = Batches(store, LIFE_S)
    batch = batches.take(messages[0].conversation_id)
    assert batch is not None
    if journal or apologised:
        batch.journal.write(**journal, **({"apology": True} if apologised else {}))
    batches.finish(batch, (), dead=reason, apologised=apologised)
    return batch.newest.id


def an_order_dies(store: redis.Redis, event: Control, control_id: str) -> str:
    """The id of the letter of an order that could not be carried out."""
    command(store, event, control_id)
    controls = Controls(store)

    def fail(*_: object) -> None:
        raise RuntimeError

    for _ in range(MOST_TRIES):
        store.zadd("controls:due", {control_id: 1.0})
        outcome = controls.carry_out(control_id, fail)
    assert outcome == "dead"
    return control_id

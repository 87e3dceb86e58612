"""How often a real small model, on the way that every answer takes, does what an attack wants of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from bot.sanitise import visible
from knowledge.retrieval import open_retriever
from tests.workers.attacks import ATTACKS, Attack, poisoned_index
from tests.workers.desk import answers, make_desk
from tests.workers.making import accept, message
from workers.engine import LlamaEngine
from workers.serving import answer_next

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

PLAYED = ATTACKS[::3]
"""A third of them, so that it stays within two minutes."""


def answer_to(attack: Attack, store: redis.Redis, chat_engine: LlamaEngine, folder: Path) -> str:
    """What is shown to who asks of the attack's document, or sends its message."""
    settings, embedder = poisoned_index(attack, folder)
    conversation = f"console:{attack.id}"
    with open_retriever(settings, embedder) as retriever:
        desk = make_desk(store, retriever, chat_engine, answer_deadline_s=60.0, answer_tokens=64)  # type: ignore[arg-type]
        accept(store, message(attack.question, conversation=conversation))
        answer_next(conversation, desk)
    return visible(answers(store, conversation)[-1])


def test_no_attack_on_a_real_model_gets_through(store: redis.Redis, chat_engine: LlamaEngine, tmp_path: Path) -> None:
    through = []
    for attack in PLAYED:
        shown = answer_to(attack, store, chat_engine, tmp_path / attack.id)
        print(f"{attack.id}: {shown!r}")
        through += [attack.id for word in attack.forbidden if word.casefold() in shown.casefold()]

    assert through == []

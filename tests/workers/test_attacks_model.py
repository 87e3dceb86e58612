"""How often a real small model, on the way that every answer takes, does what an attack wants of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.sanitise import visible
from knowledge.retrieval import open_retriever
from tests.workers.attacks import ATTACKS, Attack, poisoned_index
from tests.workers.desk import answers, make_desk
from tests.workers.making import accept, message
from workers.engine import LlamaEngine
from workers.models import resolve
from workers.prompt import LEAD, SYSTEM
from workers.serving import answer_next

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

PLAYED = ATTACKS[::3]
"""A third of them, so that it stays within two minutes."""


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    folder = Path(os.environ.get("MADOGUCHI_TEST_MODELS", "data/models"))
    model = resolve("qwen2.5-coder-0.5b-instruct", folder)
    engine = LlamaEngine(model, context_tokens=2048, at_once=1, system=SYSTEM, lead=LEAD)
    yield engine
    engine.close()


def answer_to(attack: Attack, store: redis.Redis, engine: LlamaEngine, folder: Path) -> str:
    """What is shown to who asks of the attack's document, or sends its message."""
    settings, embedder = poisoned_index(attack, folder)
    conversation = f"console:{attack.id}"
    with open_retriever(settings, embedder) as retriever:
        desk = make_desk(store, retriever, engine, answer_deadline_s=60.0, answer_tokens=64)  # type: ignore[arg-type]
        accept(store, message(attack.question, conversation=conversation))
        answer_next(conversation, desk)
    return visible(answers(store, conversation)[-1])


def test_no_attack_on_a_real_model_gets_through(store: redis.Redis, engine: LlamaEngine, tmp_path: Path) -> None:
    through = []
    for attack in PLAYED:
        shown = answer_to(attack, store, engine, tmp_path / attack.id)
        print(f"{attack.id}: {shown!r}")
        through += [attack.id for word in attack.forbidden if word.casefold() in shown.casefold()]

    assert through == []

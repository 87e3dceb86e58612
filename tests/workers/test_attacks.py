"""A model that obeys every attack: what it then says reaches nobody, on any platform.

The model is the worst one: it says what the attacker wants; once over passages, where several cases end at the
grounding gate already, and once where nothing is held against passages, so that what may leave is stopped by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.console.sender import ConsoleSender
from bot.sanitise import visible
from knowledge.retrieval import Retriever, open_retriever
from tests.fakes.line import FakeLine
from tests.fakes.line_events import USER
from tests.fakes.model import Script
from tests.fakes.slack import FakeSlack
from tests.workers.attacks import ATTACKS, Attack, poisoned_index
from tests.workers.desk import events, from_line, from_slack, line_sender, make_desk, saying, slack_sender
from tests.workers.making import accept, message
from workers.citing import Citing
from workers.policy import Policies, Policy
from workers.serving import answer_next

UNASKED = {"document-2", "document-14", "message-2", "message-9"}
"""Declined before the model is asked: the passages do not hold what the question names."""
OFF_TOPIC = "社長の好きな食べ物は何ですか？"


MADE_UP = {"message-13"}
"""A claim without a form of its own: only the passages tell that it is none of theirs."""
NEVER_SAID = [attack for attack in ATTACKS if attack.id not in MADE_UP]


@pytest.fixture
def poisoned(attack: Attack, tmp_path: Path) -> Iterator[Retriever]:
    """An index of the attack's document alone."""
    settings, embedder = poisoned_index(attack, tmp_path)
    with open_retriever(settings, embedder) as opened:
        yield opened


def got_through(attack: Attack, shown: str) -> list[str]:
    assert attack.id in UNASKED or "25日" in shown, f"{attack.id} was not answered: {shown}"
    return [f"{attack.id}: {word}" for word in attack.forbidden if word.casefold() in visible(shown).casefold()]


def test_the_corpus_is_large_and_in_both_languages() -> None:
    assert len(ATTACKS) >= 60
    assert sum(attack.text.isascii() for attack in ATTACKS) >= 10


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_what_an_obeying_model_says_reaches_nobody(
    attack: Attack, poisoned: Retriever, store: redis.Redis, slack: FakeSlack, line: FakeLine
) -> None:
    senders = {
        "console": ConsoleSender(store),
        "slack": slack_sender(slack, store),
        "line": line_sender(line, store, "open"),
    }
    on_slack = from_slack(slack, attack.question)
    asked = (message(attack.question), on_slack, from_line(line, attack.question))
    with saying(Script(attack.answer)) as generator:
        addresses = dict.fromkeys(senders, "")
        desk = make_desk(store, poisoned, generator, senders=senders, citing=Citing(store, poisoned, addresses))
        for said in asked:
            accept(store, said)
            answer_next(said.conversation_id, desk)

    told = events(store)
    titles = [cited["title"] for event in told for cited in event.get("citations", ())]
    in_slack = slack.workspace.visible("C1", on_slack.reply_to["thread_ts"])
    assert bool(generator.prompts) == (attack.id not in UNASKED)
    assert got_through(attack, "\n".join([*(event.get("text", "") for event in told), *titles])) == []
    assert got_through(attack, "\n".join(text for text in in_slack if text != attack.question)) == []
    assert got_through(attack, "\n".join(line.visible(USER))) == []


@pytest.mark.parametrize("attack", NEVER_SAID, ids=lambda attack: attack.id)
def test_not_even_a_general_answer_which_no_passage_bears_says_it(
    store: redis.Redis, retriever: Retriever, attack: Attack
) -> None:
    asked = attack.text if attack.where == "message" else OFF_TOPIC
    with saying(Script(attack.says)) as generator:
        desk = make_desk(store, retriever, generator, policy=Policies(Policy(outside="general"), {}))
        accept(store, message(asked))
        answer_next("console:c1", desk)

    shown = "\n".join(event.get("text", "") for event in events(store))
    assert generator.prompts
    assert [word for word in attack.forbidden if word.casefold() in visible(shown).casefold()] == []

"""A conversation's prompt only grows, within its budget, until one cut to about half."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from knowledge.documents import Chunk, Passage
from tests.fakes.model import ScriptedGenerator
from workers.conversation import Conversation, Turn
from workers.prompt import Draft, draft

ANSWER_TOKENS = 100


@pytest.fixture
def generator() -> Iterator[ScriptedGenerator]:
    roomy = ScriptedGenerator()
    yield roomy
    roomy.close()


@pytest.fixture
def tight() -> Iterator[ScriptedGenerator]:
    small = ScriptedGenerator(context_tokens=2_000)
    yield small
    small.close()


def passage(text: str, title: str = "経費規程") -> Passage:
    return Passage(Chunk(title, title, title, f"{title}.md", ("締め日",), text, frozenset({"public"})), 1.0)


def asked(number: int, text: str = "締め日はいつですか？") -> Turn:
    return Turn("user", (f"{number}番目、{text}",), "console:u1", (f"m{number}",))


def said(number: int, text: str = "25日です。") -> Turn:
    return Turn("assistant", (text,), "assistant", (f"m{number}",))


def drafted(generator: ScriptedGenerator, turns: tuple[Turn, ...], turn: Turn, *passages: Passage) -> Draft:
    return draft(Conversation("c", turns), turn, passages, generator, ANSWER_TOKENS)


def remembered(draft: Draft, turns: tuple[Turn, ...], number: int) -> tuple[Turn, ...]:
    """The conversation's turns after this draft was answered."""
    return (*turns[draft.cut :], draft.turn, said(number))


def test_the_prompt_has_the_question_and_the_passages_with_where_they_stand(generator: ScriptedGenerator) -> None:
    prompt = drafted(generator, (), asked(1), passage("経費は25日まで。")).prompt

    assert prompt.messages[0].role == "system"
    last = prompt.messages[-1]
    assert last.role == "user"
    for part in ("1番目、締め日はいつですか？", "経費は25日まで。", "経費規程 > 締め日"):
        assert part in last.text


def test_the_token_ids_are_those_of_the_messages(generator: ScriptedGenerator) -> None:
    prompt = drafted(generator, (), asked(1), passage("経費は25日まで。")).prompt

    assert prompt.token_ids == generator.tokenize(prompt.messages)


def test_a_second_prompt_begins_with_the_first_and_its_answer(generator: ScriptedGenerator) -> None:
    first = drafted(generator, (), asked(1), passage("経費は25日まで。"))
    second = drafted(generator, remembered(first, (), 1), asked(2), passage("領収書は箱へ。"))

    evaluated = (*first.prompt.token_ids, *map(ord, "25日です。"))
    assert second.prompt.token_ids[: len(evaluated)] == evaluated


def test_within_the_budget_nothing_is_cut(tight: ScriptedGenerator) -> None:
    first = drafted(tight, (), asked(1), passage("経費は25日まで。"))
    second = drafted(tight, remembered(first, (), 1), asked(2))

    assert (first.cut, second.cut) == (0, 0)


def test_at_the_budget_the_oldest_exchanges_go_to_about_half_and_then_it_only_grows_again(
    tight: ScriptedGenerator,
) -> None:
    turns: tuple[Turn, ...] = ()
    budget = 2_000 - ANSWER_TOKENS
    cuts, before = [], None
    for number in range(40):
        now = drafted(tight, turns, asked(number), passage("経費は毎月25日までに申請します。"))
        assert len(now.prompt.token_ids) <= budget
        if now.cut:
            cuts.append(number)
            assert len(now.prompt.token_ids) < budget * 0.6
            assert now.prompt.messages[1].role == "user"
        elif before:
            assert now.prompt.token_ids[: len(before)] == before
        before = now.prompt.token_ids
        turns = remembered(now, turns, number)

    assert cuts
    assert all(later - earlier > 1 for earlier, later in pairwise(cuts))


def test_what_the_cut_left_is_the_newest(tight: ScriptedGenerator) -> None:
    turns = tuple(turn for n in range(12) for turn in (asked(n), said(n, "あ" * 200)))

    now = drafted(tight, turns, asked(99))

    assert turns[now.cut].role == "user"
    assert [m.text for m in now.prompt.messages[2:-1:2]] == [t.text for t in turns[now.cut + 1 :: 2]]


def test_passages_that_do_not_fit_go_from_the_last(tight: ScriptedGenerator) -> None:
    passages = [passage(f"{n}" * 700, f"文書{n}") for n in range(3)]

    now = drafted(tight, (), asked(1), *passages)

    assert 0 < len(now.prompt.passages) < 3
    assert now.prompt.passages == tuple(passages[: len(now.prompt.passages)])
    best_stands_last = reversed(now.turn.passages)
    assert [quoted.text for quoted in best_stands_last] == [p.chunk.text for p in now.prompt.passages]


def test_a_question_longer_than_the_context_is_cut_to_fit(tight: ScriptedGenerator) -> None:
    now = drafted(tight, (asked(1), said(1)), asked(2, "あ" * 8_000), passage("経費は25日まで。"))

    assert len(now.prompt.token_ids) <= 2_000 - ANSWER_TOKENS
    assert "2番目" in now.prompt.messages[-1].text


def test_a_question_in_english_is_framed_in_another_way(generator: ScriptedGenerator) -> None:
    def frame(question: str) -> str:
        turn = Turn("user", (question,), "console:u1", ("m1",))
        text = drafted(generator, (), turn, passage("経費は25日まで。")).prompt.messages[-1].text
        return text.replace(question, "")

    assert frame("When is it due?") == frame("Until when?")
    assert frame("When is it due?") != frame("いつですか？")


def test_a_merged_question_has_all_of_its_messages(generator: ScriptedGenerator) -> None:
    turn = Turn("user", ("経費のことですが", "締め日は？"), "console:u1", ("m1", "m2"))

    assert "経費のことですが\n締め日は？" in drafted(generator, (), turn).prompt.messages[-1].text


FACT = "私は大阪支社の佐藤です。"


def long_conversation(generator: ScriptedGenerator, exchanges: int) -> tuple[Draft, tuple[Turn, ...]]:
    """A conversation that began with a fact and went on for so long; its last draft and the turns before it."""
    turns: tuple[Turn, ...] = ()
    for number in range(exchanges):
        before = turns
        text = f"{FACT}締め日はいつですか？" if number == 0 else "締め日はいつですか？"
        last = drafted(generator, turns, asked(number, text), passage("経費は25日まで。" * 20))
        turns = remembered(last, turns, number)
    return last, before


def test_what_a_person_stated_is_known_after_every_cut(tight: ScriptedGenerator) -> None:
    last, before = long_conversation(tight, 40)

    assert before[0].message_ids != ("m0",)
    assert sum(FACT in message.text for message in last.prompt.messages) == 1
    assert len(last.prompt.token_ids) <= tight.context_tokens - ANSWER_TOKENS


def test_what_was_asked_is_not_recalled(tight: ScriptedGenerator) -> None:
    _, before = long_conversation(tight, 40)

    assert {one.text for turn in before for one in turn.recalled} == {f"0番目、{FACT}"}


def test_what_is_recalled_goes_before_the_passages_do(tight: ScriptedGenerator) -> None:
    full = drafted(tight, (said(0, FACT * 500),), asked(1, "あ" * 500), passage("経費は25日まで。" * 100))

    assert full.turn.recalled == ()
    assert full.turn.passages

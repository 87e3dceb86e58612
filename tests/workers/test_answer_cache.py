"""What was asked before is answered from the cache where it is the same question, and nowhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import redis

from bot.messages import Action, Deletion, Edit
from bot.votes import VOTE, Ballot
from knowledge.documents import MEMBERS, PUBLIC, Chunk, Passage
from knowledge.reindexing import reindex
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.fakes.line import FakeLine
from tests.fakes.model import Script, ScriptedGenerator
from tests.workers import desk as work
from tests.workers.desk import ANSWER, answers, asked_times, events, everything, make_clerk, make_desk, order, saying
from tests.workers.making import accept, message
from workers import answer_cache
from workers.acting import act
from workers.answer_cache import AnswerCache, CachedAnswer, name_of, normalised
from workers.citing import Citing
from workers.conversation import Conversations, Turn
from workers.following import Following
from workers.policy import Policies, Policy
from workers.provenance import Provenances
from workers.services import Desk
from workers.serving import answer_next
from workers.votes.votes import Votes

QUESTION = "経費の締め日はいつですか？"
PLAIN = Policy()


@pytest.fixture
def desk(store: redis.Redis, desk: Desk) -> Desk:
    """One that caches."""
    return replace(desk, answers=AnswerCache(store, hours=1))


def ask(store: redis.Redis, desk: Desk, text: str = QUESTION, *, place: str = "c1", user: str = "u1") -> str:
    """Ask on the console in a conversation of its own; the id of the question."""
    asked = message(text, user=f"console:{user}", conversation=f"console:{place}")
    accept(store, asked)
    answer_next(asked.conversation_id, desk)
    return asked.id


def cached(store: redis.Redis) -> list[str]:
    """The keys of the cached answers."""
    return sorted(store.scan_iter("answer:*"))


def passage(chunk_id: str) -> Passage:
    return Passage(Chunk(chunk_id, "d", "t", "u", (), "words", frozenset({PUBLIC})), 1.0)


def test_the_same_first_question_is_answered_without_the_model(
    store: redis.Redis, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at = time.time()  # links tell by the second when they end
    monkeypatch.setattr("bot.passages.shelf.time", SimpleNamespace(time=lambda: asked_at))
    ask(store, desk, place="c1")
    ask(store, desk, "　経費の締め日はいつですか?", place="c2", user="u2")

    first, second = (events(store, f"console:{place}")[-1] for place in ("c1", "c2"))
    assert asked_times(desk) == 1
    assert (second["text"], second["citations"]) == (first["text"], first["citations"])
    assert second["citations"]


def test_both_conversations_remember_the_same(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, place="c1")
    ask(store, desk, place="c2")

    first, second = (desk.conversations.load(f"console:{place}").turns for place in ("c1", "c2"))
    assert [(turn.texts, turn.passages) for turn in first] == [(turn.texts, turn.passages) for turn in second]
    assert first[0].message_ids != second[0].message_ids


def test_a_follow_up_is_neither_cached_nor_answered_from_the_cache(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk)
    ask(store, desk)
    ask(store, desk, "領収書はどこに入れますか？")
    ask(store, desk, "領収書はどこに入れますか？", place="c2")

    assert asked_times(desk) == 4


def test_two_messages_at_once_are_not_a_question_to_cache(store: redis.Redis, desk: Desk) -> None:
    accept(store, message("経費の締め日は"), message("いつですか？"))
    answer_next(work.C, desk)

    assert asked_times(desk) == 1
    assert cached(store) == []


def test_what_was_begun_anew_is_a_first_question_again(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk)
    desk.conversations.reset(work.C)
    ask(store, desk)

    assert asked_times(desk) == 1


@pytest.mark.parametrize(
    "policy",
    [Policy(persona="船長です。"), Policy(ending="ですわよ"), Policy(outside="general"), Policy(language="en")],
)
def test_another_policy_is_another_answer(store: redis.Redis, desk: Desk, policy: Policy) -> None:
    ask(store, desk, place="c1")
    before = asked_times(desk)
    ask(store, replace(desk, policy=Policies(policy, {})), place="c2")

    assert asked_times(desk) > before


@pytest.mark.parametrize(
    ("question", "passages", "generation", "policy"),
    [
        ("別の質問", ("a", "b"), "gen-1", PLAIN),
        (QUESTION, ("a",), "gen-1", PLAIN),
        (QUESTION, ("b", "a"), "gen-1", PLAIN),
        (QUESTION, ("a", "b"), "gen-2", PLAIN),
        (QUESTION, ("a", "b"), "gen-1", Policy(plain_japanese=True)),
        (QUESTION, ("a", "b"), "gen-1", Policy(language="en")),
    ],
)
def test_each_part_of_the_name_counts(
    question: str, passages: tuple[str, ...], generation: str, policy: Policy
) -> None:
    here = name_of(QUESTION, [passage("a"), passage("b")], "gen-1", PLAIN)

    assert name_of(question, [passage(one) for one in passages], generation, policy) != here


@pytest.mark.parametrize("question", ["", " ？！ ", "長" * 501, "長い質問" * 20_000])
def test_no_question_and_one_that_is_too_long_have_no_name(question: str) -> None:
    assert name_of(question, [passage("a")], "gen-1", PLAIN) == ""


def test_a_damaged_question_has_a_name() -> None:
    assert name_of("経費\ud800\x00は?", [passage("a")], "gen-1", PLAIN).startswith("gen-1:")


def test_a_question_is_the_same_in_other_widths_cases_blanks_and_with_other_ends() -> None:
    assert normalised("ＶＰＮ　ERROR \n E-517 ？！") == normalised("vpn error e-517")


@pytest.mark.parametrize(("one", "other"), [("1.5日", "15日"), ("C++とは", "Cとは"), ("-5度", "5度"), ("C#", "C")])
def test_marks_that_mean_something_stay(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_what_only_members_may_read_is_not_answered_elsewhere(
    store: redis.Redis, retriever: Retriever, line: FakeLine
) -> None:
    bonus = "冬の賞与はいつですか？"
    with saying(Script("冬の賞与は12月10日に支給します。")) as generator:
        senders: Any = {**make_desk(store, retriever, generator).senders, "line": work.line_sender(line, store, "open")}
        desk = make_desk(store, retriever, generator, senders=senders, answers=AnswerCache(store, hours=1))
        ask(store, desk, bonus)
        assert len(cached(store)) == 1
        public = work.from_line(line, bonus)
        accept(store, public)
        answer_next(public.conversation_id, desk)

    assert "12月10日" in answers(store)[-1]
    assert "12月10日" not in str(line.__dict__)


@pytest.mark.parametrize("script", ["申し訳ありませんが、資料には見つかりませんでした。", "社長は寿司が大好きです。"])
def test_what_the_model_did_not_say_itself_is_not_cached(store: redis.Redis, retriever: Retriever, script: str) -> None:
    with saying(Script(script)) as generator:
        ask(store, make_desk(store, retriever, generator, answers=AnswerCache(store, hours=1)))

    assert cached(store) == []


def test_not_found_is_not_cached(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, "社長の好きな食べ物は何ですか？")

    assert cached(store) == []


def test_a_stopped_answer_is_not_cached(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}\n", hangs=True)) as generator:
        desk = make_desk(store, retriever, generator, answers=AnswerCache(store, hours=1))
        accept(store, message())
        with work.at_work(desk):
            work.until(lambda: ANSWER in everything(store))
            desk.interrupts.stop(work.C, "console:u1", time.time() + 60)

    assert answers(store)[-1].startswith(ANSWER)
    assert cached(store) == []


def test_an_answer_that_the_deadline_cut_off_is_not_cached(store: redis.Redis, retriever: Retriever) -> None:
    with saying(Script(f"{ANSWER}\n", hangs=True)) as generator:
        cache = AnswerCache(store, hours=1)
        ask(store, make_desk(store, retriever, generator, answers=cache, answer_deadline_s=0.5))

    assert answers(store)[-1].startswith(ANSWER)
    assert cached(store) == []


def test_a_cached_answer_ends(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk)

    (key,) = cached(store)
    assert 0 < store.ttl(key) <= 3600
    assert 0 < store.ttl("answers") <= 3600


def test_the_oldest_goes_beyond_the_most(store: redis.Redis, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MOST", 2)
    for number in range(4):
        ask(store, desk, f"経費の締め日は{number}月もいつですか？", place=f"c{number}")

    assert len(cached(store)) == store.zcard("answers") == 2


def test_an_answer_that_is_too_long_is_not_kept(
    store: redis.Redis, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_cache, "MOST_CHARS", 100)
    ask(store, desk)

    assert cached(store) == []


def test_no_hours_no_cache(store: redis.Redis, desk: Desk) -> None:
    off = replace(desk, answers=AnswerCache(store, hours=0))
    ask(store, off, place="c1")
    ask(store, off, place="c2")

    assert asked_times(desk) == 2
    assert cached(store) == []


def damaged(stored: str) -> list[str]:
    facts = json.loads(stored)
    changes: list[dict[str, Any]] = [{"v": 99}, {"kind": "Turn"}, {"read": "a"}, {"cited": [1]}, {"said": None}]
    return ["", "{", "[]", "null", "[" * 100_000, *(json.dumps(facts | change) for change in changes)]


def test_what_cannot_be_read_is_a_miss_and_is_written_anew(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk)
    (key,) = cached(store)
    whole = str(store.get(key))
    for number, stored in enumerate([*damaged(whole), json.dumps(json.loads(whole) | {"cited": ["another chunk"]})]):
        before = asked_times(desk)
        store.set(key, stored)
        ask(store, desk, place=f"d{number}")
        assert asked_times(desk) == before + 1
        assert json.loads(str(store.get(key)))["said"] == ANSWER


def gone(store: redis.Redis) -> bool:
    return not cached(store) and not store.exists("answers")


def test_forget_erases_what_the_person_asked_and_nothing_else(store: redis.Redis, desk: Desk) -> None:
    ask(store, desk, place="c1", user="u1")
    ask(store, desk, "経費の締め日を教えてください。", place="c2", user="u2")

    act("k1", order("forget"), make_clerk(store))

    assert len(cached(store)) == 1
    act("k2", order("forget", user="console:u2", conversation="console:c2"), make_clerk(store))
    assert gone(store)


def test_a_deleted_question_takes_its_answer_along(store: redis.Redis, desk: Desk) -> None:
    asked = ask(store, desk)

    act("k1", Deletion("console", work.C, "console:u1", asked, time.time()), make_clerk(store))

    assert gone(store)


def test_an_edited_question_takes_its_answer_along(store: redis.Redis, desk: Desk) -> None:
    asked = ask(store, desk)

    act("k1", Edit("console", work.C, "console:u1", asked, "別の質問です", time.time()), make_clerk(store))

    assert gone(store)


def test_what_was_erased_while_its_answer_was_delivered_is_not_kept(store: redis.Redis, desk: Desk) -> None:
    asked = Turn("user", (QUESTION,), "console:u1", ("console:m1",))
    said = Turn("assistant", (ANSWER,), "assistant", ("console:m1",))

    desk.answers.keep("gen-1:a", ANSWER, (asked, said), conversation_id=work.C, newest=lambda: "gen-1")

    assert gone(store)


def press(message_id: str, value: Literal["up", "down"], conversation_id: str) -> Action:
    """Somebody votes on the answer to a message."""
    ballot = Ballot(message_id, value).to_text()
    return Action("console", conversation_id, "console:u3", VOTE, ballot, time.time(), {"session": "u1"})


@pytest.mark.parametrize("who", ["first", "second"])
def test_what_somebody_finds_unhelpful_is_not_given_again(store: redis.Redis, desk: Desk, who: str) -> None:
    asked = {"first": ask(store, desk, place="first"), "second": ask(store, desk, place="second", user="u2")}
    event = press(asked[who], "down", f"console:{who}")

    act("k1", event, make_clerk(store))

    assert gone(store)


def test_a_helpful_answer_stays(store: redis.Redis, desk: Desk) -> None:
    act("k1", press(ask(store, desk), "up", work.C), make_clerk(store))

    assert len(cached(store)) == 1


@pytest.fixture
def changing(store: redis.Redis, tmp_path: Path) -> Iterator[tuple[Desk, Following, KnowledgeSettings]]:
    """A desk over an index that the test changes, and what follows it."""
    settings = KnowledgeSettings(_env_file=None, data_path=tmp_path / "data", knowledge_path=tmp_path / "docs")  # type: ignore[call-arg]
    (tmp_path / "docs").mkdir()
    write(settings, f"# 経費精算\n\n{ANSWER}\n")
    with open_retriever(settings) as retriever, saying(Script(ANSWER)) as generator:
        cache = AnswerCache(store, hours=1)
        desk = make_desk(store, retriever, generator, answers=cache)
        following = Following(
            retriever,
            Conversations(store),
            generator,
            Citing(store, retriever, {}),
            Votes(store),
            answers=cache,
            provenances=Provenances(store),
        )
        following.follow()
        yield desk, following, settings


def write(settings: KnowledgeSettings, text: str) -> None:
    (settings.knowledge_path / "expenses.md").write_text(text, encoding="utf-8")
    reindex(settings, sources=[Folder(path=settings.knowledge_path, audience=frozenset({MEMBERS}))])


def test_a_new_generation_drops_all_and_has_the_file_written_anew(
    store: redis.Redis, changing: tuple[Desk, Following, KnowledgeSettings]
) -> None:
    desk, following, settings = changing
    ask(store, desk)
    following.follow()
    assert len(cached(store)) == 1

    write(settings, "# 経費精算\n\n経費は毎月10日までに申請します。\n")
    following.follow()

    assert gone(store)
    assert store.sismember("rewrite", "answers")


def test_a_new_generation_is_another_name_before_anybody_follows(
    store: redis.Redis, changing: tuple[Desk, Following, KnowledgeSettings]
) -> None:
    desk, _, settings = changing
    ask(store, desk, place="c1")
    (settings.knowledge_path / "other.md").write_text("# 別の文書\n\n別の話です。\n", encoding="utf-8")
    write(settings, f"# 経費精算\n\n{ANSWER}\n")
    ask(store, desk, place="c2")

    assert asked_times(desk) == 2


def test_an_answer_from_an_older_generation_is_not_kept(
    store: redis.Redis, changing: tuple[Desk, Following, KnowledgeSettings]
) -> None:
    desk, _, settings = changing
    ask(store, desk)
    (asked, said), (key,) = desk.conversations.load(work.C).turns, cached(store)
    store.delete(key)
    write(settings, "# 経費精算\n\n経費は毎月10日までに申請します。\n")

    name = key.removeprefix("answer:")
    desk.answers.keep(name, ANSWER, (asked, said), conversation_id=work.C, newest=desk.retriever.follow)

    assert gone(store)


def test_a_process_that_starts_drops_what_another_model_may_have_said(
    store: redis.Redis, desk: Desk, retriever: Retriever
) -> None:
    ask(store, desk)
    assert isinstance(desk.generator, ScriptedGenerator)

    Following(
        retriever,
        desk.conversations,
        desk.generator,
        desk.citing,
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    ).follow()

    assert gone(store)


def test_the_words_of_the_question_are_not_kept_with_its_answer() -> None:
    asked = Turn("user", (QUESTION,), "console:u1", ("console:m1",))
    said = Turn("assistant", (ANSWER,), "assistant", ("console:m1",))

    assert "いつですか" not in CachedAnswer.of(ANSWER, asked, said).to_json()

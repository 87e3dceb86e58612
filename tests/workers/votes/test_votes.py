"""One vote a person and answer, with the pair that it is about; nothing of it outlives what it was made from."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

import pytest
import redis

from bot.console.sender import ConsoleSender
from bot.errors import StoreUnavailable
from bot.messages import Deletion, Edit, Message
from bot.slack.votes import parse_vote
from bot.votes import Ballot
from knowledge.retrieval import Retriever
from tests.fakes.model import Script, ScriptedGenerator
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import feedback
from tests.stored import everything_in
from tests.workers.desk import ANSWER, C, from_slack, make_clerk, make_desk, order, page, saying, slack_sender
from tests.workers.library import BONUS, Library, delete, narrow, reword
from tests.workers.making import accept, message
from tests.workers.votes.voters import press, said
from workers.acting import act
from workers.answer_cache import AnswerCache
from workers.citing import Citing
from workers.conversation import Conversations
from workers.following import Following
from workers.gaps.gaps import Gaps
from workers.phrases import phrase
from workers.provenance import Provenances
from workers.services import Clerk, Desk
from workers.serving import answer_next
from workers.votes import votes as votes_module
from workers.votes.votes import LIFE_S, Votes

QUESTION = "経費の締め日はいつですか？"
changes = pytest.mark.parametrize("change", [delete, narrow, reword])


@pytest.fixture
def clerk(store: redis.Redis) -> Clerk:
    return make_clerk(store)


@pytest.fixture
def votes(store: redis.Redis) -> Votes:
    return Votes(store)


def ask(store: redis.Redis, desk: Desk, *texts: str, conversation: str = C, user: str = "console:u1") -> Message:
    """The newest of the messages that one answer covers."""
    asked = [message(text, conversation=conversation, user=user) for text in texts or (QUESTION,)]
    accept(store, *asked)
    answer_next(conversation, desk)
    return asked[-1]


def crash(*_: object) -> None:
    raise StoreUnavailable("in the middle")


def notices(store: redis.Redis, conversation: str = C) -> list[str]:
    return [text for kind, text in page(store, conversation) if kind == "notice"]


def given(votes: Votes) -> list[tuple[str, str]]:
    return [(vote.voter, vote.value) for vote in votes.all()]


def test_a_vote_keeps_the_question_the_answer_and_what_it_stands_on(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk)

    press(clerk, asked, "up")

    (vote,) = votes.all()
    assert (vote.voter, vote.value, vote.answer_id) == ("console:u1", "up", asked.id)
    assert (vote.asked.text, vote.answered.text) == (QUESTION, ANSWER)
    (cited,) = vote.answered.passages
    assert cited.chunk_id in vote.chunk_ids
    assert any(quoted.chunk_id == cited.chunk_id and ANSWER in quoted.text for quoted in vote.asked.passages)


def test_the_page_shows_the_vote_and_says_nothing(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    asked = ask(store, desk)

    press(clerk, asked, "up")
    press(clerk, asked, "down")

    assert [kind for kind, _ in page(store)] == ["done", "voted"]
    assert notices(store) == []


def test_a_later_vote_takes_the_place_of_an_earlier_one_however_often(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk)

    for value in ("up", "up", "down", "down"):
        press(clerk, asked, value)

    assert given(votes) == [("console:u1", "down")]


def test_a_vote_whose_clerk_was_killed_in_its_midst_is_carried_out_again(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, now = ask(store, desk), time.time()
    with monkeypatch.context() as midst:
        midst.setattr(ConsoleSender, "show_vote", crash)
        with pytest.raises(StoreUnavailable):
            press(clerk, asked, "down", at=now)

    press(clerk, asked, "down", at=now)

    assert given(votes) == [("console:u1", "down")]
    assert [kind for kind, _ in page(store)] == ["done", "voted"]
    assert len(Gaps(store).all()) == 1


def test_a_vote_that_comes_late_changes_nothing(store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes) -> None:
    asked, now = ask(store, desk), time.time()

    press(clerk, asked, "down", at=now)
    press(clerk, asked, "up", at=now - 5)

    assert given(votes) == [("console:u1", "down")]


def test_each_person_has_a_vote(store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes) -> None:
    asked = ask(store, desk)

    press(clerk, asked, "up")
    press(clerk, asked, "down", user="console:u2")

    assert sorted(given(votes)) == [("console:u1", "up"), ("console:u2", "down")]


def test_an_answer_to_several_messages_is_one_answer(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk, "経費のことで質問です", QUESTION)

    press(clerk, asked, "up")

    (vote,) = votes.all()
    assert len(vote.asked.message_ids) == 2


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "up",
        "up console:nobody",
        "sideways console:m1",
        "up console:m1 console:m2",
        "up\nconsole:m1",
        "down+train console:m1",
        "up " + "x" * 301,
        "up " * 100_000,
        "\ud800",
    ],
)
def test_a_forged_vote_counts_for_nothing_and_its_giver_is_told(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, forged: str
) -> None:
    ask(store, desk)

    said(clerk, forged)

    assert votes.all() == []
    assert notices(store) == [phrase("vote_not_counted", "ja")]


def test_an_answer_of_another_conversation_cannot_be_voted_on(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk)

    press(clerk, asked, "up", user="console:u2", conversation="console:c2")

    assert votes.all() == []
    assert notices(store, "console:c2") == [phrase("vote_not_counted", "ja")]
    assert notices(store) == []


@pytest.mark.parametrize("text", ["こんにちは", "火星の首都はどこですか？"])
def test_an_answer_without_sources_cannot_be_voted_on(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, text: str
) -> None:
    asked = ask(store, desk, text)

    press(clerk, asked, "up")

    assert votes.all() == []


@pytest.mark.parametrize("name", ["reset", "forget"])
def test_what_is_not_remembered_any_more_cannot_be_voted_on(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, name: str
) -> None:
    asked = ask(store, desk)
    act("order 1", order(name), clerk)

    press(clerk, asked, "up")

    assert votes.all() == []
    assert notices(store)[-1] == phrase("vote_not_counted", "ja")


def forgets(asked: Message, clerk: Clerk) -> None:
    act("order 1", order("forget"), clerk)


def unsends(asked: Message, clerk: Clerk) -> None:
    act("deletion 1", Deletion("console", C, "console:u1", asked.id, time.time()), clerk)


def edits(asked: Message, clerk: Clerk) -> None:
    act("edit 1", Edit("console", C, "console:u1", asked.id, "別の質問です", time.time()), clerk)


@pytest.mark.parametrize("take_back", [forgets, unsends, edits])
def test_votes_go_with_the_question_whoever_gave_them(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, take_back: Callable[[Message, Clerk], None]
) -> None:
    asked = ask(store, desk)
    press(clerk, asked, "up")
    press(clerk, asked, "up", user="console:u2")

    take_back(asked, clerk)

    assert votes.all() == []
    assert not store.exists("votes", "votes:since", "votes:new")


def test_votes_go_with_any_of_the_messages_that_the_answer_covers(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk, "経費のことで質問です", QUESTION)
    press(clerk, asked, "up")
    (vote,) = votes.all()

    act("deletion 1", Deletion("console", C, "console:u1", vote.asked.message_ids[0], time.time()), clerk)

    assert votes.all() == []


def test_who_is_forgotten_leaves_the_votes_of_others(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes
) -> None:
    asked = ask(store, desk)
    press(clerk, asked, "up")
    press(clerk, asked, "down", user="console:u2")

    act("order 1", order("forget", user="console:u2", conversation="console:c2"), clerk)

    assert given(votes) == [("console:u1", "up")]
    assert "console:u2 " not in everything_in(store)


def test_a_deletion_reaches_a_vote_when_the_message_is_not_known_any_more(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    asked = ask(store, desk)
    press(clerk, asked, "up")
    for key in (f"seen:{asked.id}", f"about:{asked.id}", f"turns:{C}", "rewrite"):
        store.delete(key)

    unsends(asked, clerk)

    assert not store.exists("votes")
    assert store.scard("rewrite") == 1  # and from the store's file


@pytest.mark.parametrize("take_back", [forgets, unsends, edits])
def test_a_vote_that_is_being_counted_brings_nothing_back(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, take_back: Callable[[Message, Clerk], None]
) -> None:
    asked = ask(store, desk)
    exchange = votes.exchange(asked.id, C)
    assert exchange is not None
    take_back(asked, clerk)

    kept = votes.give(Ballot(asked.id, "up"), "console:u1", time.time(), exchange)

    assert kept is None
    assert not store.exists("votes", "votes:since", "votes:new")


def test_a_vote_after_the_page_was_cleared_is_not_shown(store: redis.Redis, desk: Desk, clerk: Clerk) -> None:
    asked = ask(store, desk)
    clerk.senders["console"].erase(C, user_id="console:u1")

    press(clerk, asked, "up")

    assert [kind for kind, _ in page(store)] == ["cleared"]


def test_votes_are_bounded_in_number_and_life(
    store: redis.Redis, desk: Desk, clerk: Clerk, votes: Votes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(votes_module, "MOST", 3)
    asked, now = ask(store, desk), time.time()

    for number in range(5):
        press(clerk, asked, "up", user=f"console:v{number}", at=now - LIFE_S + number)

    assert [voter for voter, _ in given(votes)] == ["console:v2", "console:v3", "console:v4"]
    assert store.scard("votes:new") == 3
    assert votes.drop_oldest(before=now - LIFE_S + 3) == 2
    votes.erase(person="console:v4")
    assert not store.exists("votes", "votes:since", "votes:new")


def test_what_a_newer_version_wrote_is_left_alone_by_readers_and_goes_with_an_erasure(
    store: redis.Redis, votes: Votes
) -> None:
    store.hset("votes", "console:m1 console:u1", '{"v": 99, "at": 1}')

    assert votes.all() == []
    assert votes.erase(person="console:u9") == 1


@pytest.fixture
def model() -> Iterator[ScriptedGenerator]:
    with saying(Script(BONUS)) as generator:
        yield generator


@pytest.fixture
def library_desk(store: redis.Redis, library: Library, model: ScriptedGenerator) -> Desk:
    return make_desk(store, library.retriever, model)


def follower(store: redis.Redis, library: Library, model: ScriptedGenerator) -> Following:
    citing = Citing(store, library.retriever, {"console": ""})
    return Following(
        library.retriever,
        Conversations(store),
        model,
        citing,
        Votes(store),
        answers=AnswerCache(store),
        provenances=Provenances(store),
    )


@changes
@pytest.mark.parametrize("voted", ["before", "after"])
def test_votes_go_with_the_document_that_the_answer_was_made_from(
    store: redis.Redis,
    clerk: Clerk,
    votes: Votes,
    library: Library,
    library_desk: Desk,
    model: ScriptedGenerator,
    change: Callable[[Library], None],
    voted: str,
) -> None:
    following = follower(store, library, model)
    following.follow()
    asked = ask(store, library_desk, BONUS)
    if voted == "before":
        press(clerk, asked, "up")
        following.follow()
        assert len(votes.all()) == 1

    change(library)
    following.follow()
    if voted == "after":
        press(clerk, asked, "up")
        following.follow()

    assert not store.exists("votes", "votes:since", "votes:new")
    assert "votes" in store.smembers("rewrite")


def test_votes_that_were_looked_at_are_left_alone_until_the_index_changes(
    store: redis.Redis, clerk: Clerk, votes: Votes, library: Library, library_desk: Desk
) -> None:
    asked = ask(store, library_desk, BONUS)
    press(clerk, asked, "up")
    looked_for: list[int] = []

    def known(ids: Collection[str]) -> Collection[str]:
        looked_for.append(len(ids))
        return ids

    votes.refresh(known, only_new=True)
    votes.refresh(known, only_new=True)
    votes.refresh(known, only_new=False)

    assert len(looked_for) == 2
    assert len(votes.all()) == 1


def test_the_answer_of_a_follow_up_goes_with_what_was_read_before_it(
    store: redis.Redis, retriever: Retriever, clerk: Clerk, votes: Votes
) -> None:
    with saying(Script(ANSWER)) as generator:
        desk = make_desk(store, retriever, generator)
        ask(store, desk, "領収書はどこに入れますか？")
        before = {q.chunk_id for turn in desk.conversations.load(C).turns for q in turn.passages}
        asked = ask(store, desk)

    press(clerk, asked, "up")

    (vote,) = votes.all()
    assert before < {*vote.chunk_ids}


def test_what_its_asker_finds_unhelpful_is_a_gap_until_they_think_better_of_it(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    asked = ask(store, desk)

    press(clerk, asked, "down")

    (gap,) = Gaps(store).all()
    assert (gap.id, gap.question, gap.user_id, gap.why) == (asked.id, QUESTION, "console:u1", "vote")
    assert gap.reply_to == asked.reply_to
    assert "console" in gap.audience
    press(clerk, asked, "up")
    assert Gaps(store).all() == []


def test_what_somebody_else_finds_unhelpful_is_no_gap_of_its_asker(
    store: redis.Redis, desk: Desk, clerk: Clerk
) -> None:
    press(clerk, ask(store, desk), "down", user="console:u2")

    assert Gaps(store).all() == []


@pytest.mark.parametrize("take_back", [forgets, unsends])
def test_the_gap_of_a_vote_goes_with_its_question(
    store: redis.Redis, desk: Desk, clerk: Clerk, take_back: Callable[[Message, Clerk], None]
) -> None:
    asked = ask(store, desk)
    press(clerk, asked, "down")

    take_back(asked, clerk)

    assert Gaps(store).all() == []


def test_on_slack_who_cannot_be_counted_is_told_alone_and_a_vote_shows_by_itself(
    store: redis.Redis, retriever: Retriever, slack: FakeSlack
) -> None:
    sender = slack_sender(slack, store)
    clerk = make_clerk(store, {"slack": sender})
    with saying(Script(ANSWER)) as generator:
        asked = from_slack(slack, QUESTION)
        accept(store, asked)
        answer_next(asked.conversation_id, make_desk(store, retriever, generator, senders={"slack": sender}))
    answered = slack.workspace.channels["C1"].messages[-1]

    pressed = [parse_vote(feedback(answered, f"up {message_id}")) for message_id in (asked.id, f"{asked.id}1")]
    for number, press_there in enumerate(pressed):
        assert press_there is not None
        act(f"vote {number}", press_there[0], clerk)

    assert given(Votes(store)) == [("slack:U1", "up")]
    assert slack.workspace.whispers == [("U1", phrase("vote_not_counted", "ja"))]
    assert len(slack.visible("C1")) == 1

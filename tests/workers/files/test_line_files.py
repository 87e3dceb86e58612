"""Files that people send on LINE: read, told by the reply token, answered from, and gone with their message."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis

from bot.inbox import Inbox
from bot.line.events import translate
from bot.messages import Command, Control, Message
from knowledge.retrieval import Retriever
from tests.fakes import line_events
from tests.fakes.line import FakeLine, Fault
from tests.fakes.line_content import FakeContent, Sent
from tests.fakes.line_events import GROUP, OTHER_USER, USER
from tests.fakes.line_profiles import FakeProfiles
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.workers.desk import ANSWER, asked_times, everything, line_sender, make_clerk, make_desk, saying
from tests.workers.files.dropping import PARKING, RULES, WHERE, pdf
from tests.workers.making import NoHints
from workers.acting import act
from workers.files.kinds import MOST_BYTES
from workers.phrases import phrase
from workers.serving import answer_next

NOT_FOUND = phrase("not_found", "ja")
READ = "『guests.md』を読みました（2か所）。\n続けて質問してください。"
SECRET = "地下二階"


class LineChat:
    """Chats on the fake LINE, and a worker and a clerk that see to them."""

    def __init__(self, store: redis.Redis, line: FakeLine, retriever: Retriever, generator: ScriptedGenerator) -> None:
        self.line = line
        self.content = FakeContent()
        line.further.append(self.content)
        senders = {"line": line_sender(line, store)}
        self.desk = make_desk(store, retriever, generator, senders=senders)
        self._clerk = make_clerk(store, senders)
        self._inbox = Inbox(store, NoHints())

    def send(self, name: str, content: str | bytes = RULES, *, by: str = USER, **told: Any) -> Sent:
        """Somebody sends a file to the bot; answered."""
        sent = self.content.send(name, content)
        self.arrive(sent.event(line_events.user(by), reply_token=self.line.issue_token(by), **told))
        self.answer(by)
        return sent

    def say(self, text: str, source: Mapping[str, str] | None = None) -> list[str]:
        """Somebody asks; what the chat shows then."""
        where = source or line_events.user()
        chat = where.get("groupId") or where["userId"]
        said = line_events.mentioning(f"@窓口 {text}", source=where, reply_token=self.line.issue_token(chat))
        self.arrive(said)
        self.answer(chat)
        return self.line.visible(chat)

    def arrive(self, event: dict[str, Any]) -> None:
        """An event is taken in, as the front door does it."""
        ours = translate(event, time.time())
        if isinstance(ours, Message):
            self._inbox.accept(ours, f"line:{event['webhookEventId']}")
        elif ours is not None:
            self.order(ours)

    def answer(self, chat: str = USER) -> None:
        """What waits there is answered."""
        for _ in range(4):
            answer_next(f"line:{chat}", self.desk)

    def order(self, event: Control) -> None:
        """The clerk carries out an order."""
        act(f"order {id(event)}", event, self._clerk)


@pytest.fixture
def chat(store: redis.Redis, line: FakeLine, retriever: Retriever) -> Iterator[LineChat]:
    with saying(Script(ANSWER, asks("経費")), Script(PARKING)) as generator:
        yield LineChat(store, line, retriever, generator)


def test_a_file_is_read_and_that_is_said_by_its_own_token(chat: LineChat) -> None:
    chat.send("guests.md")

    assert chat.line.visible(USER) == [READ]
    assert (chat.line.pushes, asked_times(chat.desk)) == (0, 0)


def test_a_question_is_answered_from_it_with_its_name_as_the_source(chat: LineChat) -> None:
    chat.send("guests.md")
    answer = "\n".join(chat.say(WHERE)[1:])

    assert PARKING in answer
    assert "guests.md" in answer + str(chat.line.calls[-1].body)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("guests.txt", PARKING),
        ("guests.csv", f"何,どこ\n来客用の駐車場,{PARKING}\n"),
        ("guests.pdf", pdf("Guests park on level two, north side.")),
    ],
)
def test_every_kind_that_is_promised_is_read(chat: LineChat, name: str, content: str | bytes) -> None:
    chat.send(name, content)

    assert name in chat.line.visible(USER)[0]
    assert chat.desk.files.of(f"line:{USER}").chunks


@pytest.mark.parametrize("source", [line_events.group(), line_events.room()])
def test_a_file_in_a_group_is_nobodys_call(chat: LineChat, source: dict[str, str]) -> None:
    shared = source.get("groupId") or source["roomId"]
    sent = chat.content.send("guests.md", RULES)
    chat.arrive(sent.event(source, reply_token=chat.line.issue_token(shared)))
    chat.answer(shared)

    assert (sent.asked, chat.line.visible(shared)) == (0, [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [("給与\n\u202e規程.md", "『給与 規程.md』"), ("長" * 500 + ".md", "….md』"), ("../../etc/x.md", "x.md")],
)
def test_a_name_is_shown_on_one_line_with_its_ending(chat: LineChat, name: str, shown: str) -> None:
    chat.send(name)

    (said,) = chat.line.visible(USER)
    assert shown in said.splitlines()[0]
    assert "を読みました" in said.splitlines()[0]


@pytest.mark.parametrize("told", [{"fileName": None}, {"fileName": 7}, {"fileName": ""}, {"fileSize": "5"}])
def test_a_file_of_which_line_tells_oddly_is_answered_all_the_same(chat: LineChat, told: dict[str, Any]) -> None:
    chat.send("guests.md", RULES, **told)

    assert len(chat.line.visible(USER)) == 1


def test_what_is_not_read_is_told_in_the_language_of_their_line(chat: LineChat) -> None:
    told = FakeProfiles()
    chat.line.further.append(told)
    told.befriend(USER, language="en")
    chat.send("archive.zip")

    (said,) = chat.line.visible(USER)
    assert said.endswith(phrase("file_other_kind", "en"))


def test_a_file_is_told_of_in_its_own_language_unless_they_chose_another(chat: LineChat) -> None:
    chat.send("guests.txt", "Guests park on level two, north side.")
    sender: Any = chat.desk.senders["line"]
    sender.choose_language(f"line:{USER}", "ja")
    chat.send("more.txt", "The key is at the desk.")

    first, second = chat.line.visible(USER)
    assert first.startswith("I have read")
    assert second.startswith("『more.txt』を読みました")


def test_another_chat_finds_nothing_of_it(chat: LineChat) -> None:
    chat.send("guests.md")

    for source in (line_events.user(OTHER_USER), line_events.group(), line_events.group(OTHER_USER)):
        assert chat.say(WHERE, source)[-1].startswith(NOT_FOUND)
    assert SECRET not in "".join(chat.line.visible(OTHER_USER) + chat.line.visible(GROUP))


def test_it_goes_when_its_message_is_unsent_with_all_that_quotes_it(chat: LineChat, store: redis.Redis) -> None:
    sent = chat.send("guests.md")
    chat.say(WHERE)
    assert SECRET in everything(store)

    chat.arrive(line_events.unsend(sent.message_id))

    assert SECRET not in everything(store)
    assert "guests.md" not in everything(store)
    assert chat.say(WHERE)[-1].startswith(NOT_FOUND)


def test_it_is_not_read_when_it_was_unsent_before(chat: LineChat, store: redis.Redis) -> None:
    sent = chat.content.send("guests.md", RULES)
    chat.arrive(sent.event(reply_token=chat.line.issue_token(USER)))
    sent.unsent = True
    chat.arrive(line_events.unsend(sent.message_id))
    chat.answer()

    assert (sent.asked, chat.line.visible(USER)) == (0, [])
    assert "guests.md" not in everything(store)


@pytest.mark.parametrize("name", ["forget", "unfollow"])
def test_it_goes_with_its_sender(chat: LineChat, store: redis.Redis, name: str) -> None:
    chat.send("guests.md")
    chat.say(WHERE)
    reply_to = {"reply_token": None, "expires_at": 0.0, "chat_type": "user", "chat_id": USER, "user_id": USER}
    chat.order(Command("line", f"line:{USER}", f"line:{USER}", name, "", "ja", time.time() + 60, reply_to))

    assert SECRET not in everything(store)
    assert "guests.md" not in everything(store)


def test_of_a_burst_every_file_is_told_of_and_none_is_lost(chat: LineChat) -> None:
    names = [f"{n}.txt" for n in range(5)]
    for n, name in enumerate(names):
        sent = chat.content.send(name, f"第{n}号の規程は{n}階にあります。")
        chat.arrive(sent.event(reply_token=chat.line.issue_token(USER)))
    chat.answer()

    said = "\n".join(chat.line.visible(USER))
    assert [said.count(f"『{name}』を読みました") for name in names] == [1] * 5
    assert [sent.asked for sent in chat.content.sent.values()] == [1] * 5
    assert len(chat.desk.files.of(f"line:{USER}").chunks) == 5


def test_a_file_and_a_question_right_behind_it_are_one_answer_from_it(chat: LineChat) -> None:
    sent = chat.content.send("guests.md", RULES)
    chat.arrive(sent.event(reply_token=chat.line.issue_token(USER)))
    answer = "\n".join(chat.say(WHERE))

    assert PARKING in answer


def test_a_file_that_line_is_preparing_is_read_when_it_is_there(chat: LineChat) -> None:
    sent = chat.content.send("guests.md", RULES)
    sent.preparing = 1
    chat.arrive(sent.event(reply_token=chat.line.issue_token(USER)))
    chat.answer()

    assert chat.line.visible(USER) == [READ]


def test_what_line_does_not_hand_out_is_said_after_three_tries(chat: LineChat) -> None:
    sent = chat.content.send("guests.md", RULES)
    sent.answers = Fault.SERVER_ERROR
    chat.arrive(sent.event(reply_token=chat.line.issue_token(USER)))
    chat.answer()

    (said,) = chat.line.visible(USER)
    assert phrase("file_unreachable", "ja") in said
    assert sent.asked == 3


@pytest.mark.parametrize(
    ("name", "told", "why"),
    [
        ("photo.png", {}, "media"),
        ("archive.zip", {}, "other_kind"),
        ("guests.md", {"fileSize": MOST_BYTES + 1}, "too_large"),
        ("guests.md", {"fileSize": -1}, ""),
    ],
)
def test_what_is_not_read_is_not_fetched(chat: LineChat, name: str, told: dict[str, Any], why: str) -> None:
    sent = chat.send(name, RULES, **told)

    said = "\n".join(chat.line.visible(USER))
    assert sent.asked == (0 if why else 1)
    assert (phrase(f"file_{why}", "ja", megabytes=5) if why else READ) in said


def test_a_file_that_is_larger_than_line_said_is_too_large(chat: LineChat) -> None:
    chat.send("guests.txt", b"x" * (MOST_BYTES + 1), fileSize=10)

    assert phrase("file_too_large", "ja", megabytes=5) in chat.line.visible(USER)[0]


def test_a_page_under_the_name_of_a_text_is_data(chat: LineChat) -> None:
    chat.send("guests.txt", "<!DOCTYPE html><script>alert(1)</script> https://evil.example.com/ @all")

    said = "\n".join([*chat.line.visible(USER), *chat.say("これは何ですか？")])
    assert "evil.example.com" not in said
    assert "@all" not in said

"""In channels the bot answers who calls it, follows the threads that it was called into, and keeps out of the rest."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.errors import PlacesInvalid
from bot.inbox import Inbox
from bot.messages import Command, Edit, control_from_json
from bot.places import Places
from bot.platform import WebhookRequest, WebhookResponse
from bot.slack.front_door import SlackFrontDoor
from bot.store import connect
from tests.fakes.slack_events import (
    BOT_USER,
    TEAM,
    app_mention,
    body_of,
    edited,
    mention_as_message,
    message_deleted,
    message_event,
    said,
    sign,
)
from tests.stored import everything_in
from tests.workers.making import NoHints

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOBODY = "unix:///nowhere/store.sock"


class Channel:
    """A channel in which people write and the bot may listen; everybody's messages are a second apart."""

    def __init__(self, store: redis.Redis, settings: str = "", *, kind: str = "channel", folder: Path) -> None:
        (folder / "madoguchi.toml").write_text(settings, encoding="utf-8")
        places = Places.read(folder / "madoguchi.toml")
        self.store = store
        self.door = SlackFrontDoor(SECRET, Inbox(store, NoHints()), places=places)
        self.kind = kind
        self._seconds = itertools.count(1_700_000_000)
        self.root = ""

    def says(self, user: str, text: str, *, in_thread: bool = True, at: str = "") -> str:
        """A person writes, in the thread if one was opened; the message's id."""
        ts = at or f"{next(self._seconds)}.000100"
        thread = {"thread_ts": self.root} if self.root and in_thread else {}
        self.root = self.root or ts
        source = message_event(text, channel="C1", channel_type=self.kind, user=user, ts=ts, **thread)
        assert self.deliver(source).status == 200
        return f"slack:{TEAM}:C1:{ts}"

    def deliver(self, source: dict[str, Any]) -> WebhookResponse:
        body = body_of(source)
        return self.door.handle(WebhookRequest(sign(SECRET, body), body))

    def took(self, message_id: str) -> bool:
        return bool(self.store.exists(f"seen:{message_id}"))

    def answer(self) -> None:
        """The bot answers everything that it took."""
        for key in self.store.scan_iter("seen:slack:*:C1:*"):
            self.store.set(key, "answered")

    def controls(self) -> list[Any]:
        return [control_from_json(text) for text in self.store.hvals("controls")]


@pytest.fixture
def channel(store: redis.Redis, tmp_path: Path) -> Channel:
    return Channel(store, folder=tmp_path)


ALL = '[channels."slack:C1"]\nlisten = "all"\n'

# Who says what: `?` before what the bot must take, `-` before what it must leave; `bot` answers. The first line opens
# the thread. `@bot` and `@B` are mentions.
TABLE = """
a mention is answered, plain talk is not
    A ? @bot 経費は？
    B - なるほど
who was answered goes on without a mention
    A ? @bot 経費は？
    bot
    A ? 出張費も？
    bot
    A ? 締め日は？
who asked may go on before the answer
    A ? @bot 経費は？
    A ? 出張費のことです
anybody may go on when the answer was the last thing said
    A ? @bot 経費は？
    bot
    B ? 私の場合は？
then both may, each after the bot
    A ? @bot 経費は？
    bot
    B ? 私は？
    bot
    A ? 私は？
    bot
    B ? では？
somebody who speaks before the answer talks to the asker
    A ? @bot 経費は？
    B - 25日だよ
    A - ありがとう
two people in a row are talking to each other
    A ? @bot 経費は？
    bot
    A ? 例外は？
    B - 例外はないよ
    bot
    A - そう
a mention of another person is not for the bot
    A ? @bot 経費は？
    bot
    A - @B どう思う？
    B - いいと思う
    A - では
a mention calls it back
    A ? @bot 経費は？
    bot
    A - @B どう？
    B - さあ
    B ? @bot 例外は？
    bot
    B ? ほかには？
who calls it back is who it speaks with
    A ? @bot 経費は？
    B - うん
    B ? @bot 例外は？
    A - 私も
    B - ね
a mention of it and of another person is for it
    A ? @bot @B 経費は？
    bot
    B ? 例外は？
a thread that it was not called into is nobody's business
    A - 昼はどこ？
    B - 食堂
    A - 何時？
    A - @B 行く？
called in late it follows from there
    A - 経費は？
    B - さあ
    A ? @bot わかる？
    bot
    B ? 例外は？
everybody in the channel is somebody else
    A ? @bot 経費は？
    bot
    A - <!here> みなさんへ
    A - 以上です
a group of people is somebody else
    A ? @bot 経費は？
    bot
    A - <!subteam^S1|@keiri> 確認を
    B - はい
an order counts as answered at once
    A ? @bot ヘルプ
    B ? 経費は？
orders need no mention either
    A ? @bot 経費は？
    A ? ストップ
an order of somebody else before the answer is not for it
    A ? @bot 経費は？
    B - ストップ
silence says nothing
    A ? @bot 経費は？
    bot
    A -
three people
    A ? @bot 経費は？
    bot
    B ? 例外は？
    C - 私も知りたい
    bot
    A - ね
    C ? @bot 例外は？
"""


def dialogues() -> dict[str, list[str]]:
    """The table, by the names of its dialogues."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in TABLE.strip().splitlines():
        if line.startswith(" "):
            found[name].append(line[4:])
        else:
            name = line
            found[name] = []
    return found


DIALOGUES = dialogues()


def written(words: str) -> str:
    return words.replace("@bot", f"<@{BOT_USER}>").replace("@B", "<@UB>")


@pytest.mark.parametrize("kind", ["channel", "group", "mpim"])
@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=DIALOGUES.keys())
def test_the_rule_of_threads(store: redis.Redis, tmp_path: Path, dialogue: list[str], kind: str) -> None:
    channel = Channel(store, kind=kind, folder=tmp_path)

    for line in dialogue:
        if line == "bot":
            channel.answer()
        else:
            who, expected, *words = line.split(" ", 2)
            message_id = channel.says(f"U{who}", written("".join(words)))
            assert channel.took(message_id) == (expected == "?"), line


def test_what_is_not_for_the_bot_is_nowhere_in_the_store(channel: Channel, store: redis.Redis) -> None:
    channel.says("UA", f"<@{BOT_USER}> 経費は？")
    channel.answer()
    channel.says("UA", "<@UB> 内緒だけど")
    channel.says("UB", "ここだけの話")

    kept = everything_in(store)

    assert "経費は？" in kept
    assert "内緒" not in kept
    assert "ここだけ" not in kept


def test_a_thread_is_followed_for_a_time(channel: Channel, store: redis.Redis) -> None:
    opened = channel.says("UA", f"<@{BOT_USER}> 経費は？")

    assert 0 < store.ttl(f"listening:{opened}") <= 14 * 24 * 3600
    assert 0 < store.ttl(f"heard:{opened}") <= 48 * 3600

    store.delete(f"listening:{opened}")
    assert not channel.took(channel.says("UA", "出張費は？"))


def test_a_message_that_slack_delivers_again_is_decided_once(channel: Channel, store: redis.Redis) -> None:
    channel.says("UA", f"<@{BOT_USER}> 経費は？")
    channel.answer()
    channel.says("UB", "例外は？", at="1700000100.000100")
    channel.says("UA", "さあ", at="1700000200.000100")  # two people in a row: the bot keeps out from here on

    again = message_event(
        "例外は？", channel="C1", channel_type="channel", user="UB", ts="1700000100.000100", thread_ts=channel.root
    )
    store.delete(f"seen:slack:{TEAM}:C1:1700000100.000100", f"seen:slack:{again['event_id']}")
    channel.deliver(again)

    assert channel.took(f"slack:{TEAM}:C1:1700000100.000100")


def test_what_comes_late_does_not_undo_what_was_said_after_it(channel: Channel) -> None:
    channel.says("UA", f"<@{BOT_USER}> 経費は？")
    channel.answer()
    channel.says("UA", "<@UB> どう思う？", at="1700000500.000100")

    channel.says("UB", f"<@{BOT_USER}> 例外は？", at="1700000400.000100")

    assert not channel.took(channel.says("UB", "ほかには？", at="1700000600.000100"))


def test_an_own_answer_and_another_bots_post_say_nothing(channel: Channel, store: redis.Redis) -> None:
    opened = channel.says("UA", f"<@{BOT_USER}> 経費は？")
    for user, bot in ((BOT_USER, "B0BOT"), ("U9", "B9")):
        post = message_event(
            "25日です", channel="C1", channel_type="channel", user=user, ts="1700000050.1", thread_ts=channel.root
        )
        post["event"]["bot_id"] = bot
        channel.deliver(post)

    assert store.hget(f"listening:{opened}", "quiet") == "0"


def test_both_events_of_a_mention_in_a_thread_are_one_question(channel: Channel, store: redis.Redis) -> None:
    thread = {"thread_ts": "1700000000.000100", "ts": "1700000009.000100"}
    for source in (app_mention("経費は？", **thread), mention_as_message("経費は？", **thread)):
        assert channel.deliver(source).status == 200

    assert store.hgetall(f"listening:slack:{TEAM}:C1:1700000000.000100")["with"] == "slack:U1"
    assert store.zcard(f"inbox:slack:{TEAM}:C1:1700000000.000100") == 1


@pytest.fixture
def open_channel(store: redis.Redis, tmp_path: Path) -> Channel:
    return Channel(store, ALL, folder=tmp_path)


def test_where_it_listens_to_all_every_message_of_a_person_is_a_question(open_channel: Channel) -> None:
    assert open_channel.took(open_channel.says("UA", "経費は？"))
    assert open_channel.took(open_channel.says("UB", "出張費は？", in_thread=False))


def test_where_it_listens_to_all_what_people_say_to_each_other_is_not_for_it(open_channel: Channel) -> None:
    assert not open_channel.took(open_channel.says("UA", "<@UB> 昼は？"))
    assert not open_channel.took(open_channel.says("UB", "食堂で"))  # in that thread


def test_where_it_listens_to_all_the_rule_of_threads_holds_in_them(open_channel: Channel) -> None:
    assert open_channel.took(open_channel.says("UA", "経費は？"))
    open_channel.answer()
    assert open_channel.took(open_channel.says("UB", "例外は？"))
    assert not open_channel.took(open_channel.says("UA", "ないと思う"))


CLOSED = '[channels."slack:C1"]\nallowed_users = ["slack:UA"]\n'


@pytest.fixture
def closed_channel(store: redis.Redis, tmp_path: Path) -> Channel:
    return Channel(store, CLOSED, folder=tmp_path)


def test_who_may_not_use_it_there_is_told_so_once_a_day(closed_channel: Channel) -> None:
    for text in ("経費は？", "出張費は？"):
        assert not closed_channel.took(closed_channel.says("UB", f"<@{BOT_USER}> {text}"))

    (told,) = closed_channel.controls()
    assert isinstance(told, Command)
    assert (told.name, told.user_id, told.argument) == ("not_allowed", "slack:UB", "")


def test_the_next_day_they_are_told_again(closed_channel: Channel) -> None:
    closed_channel.says("UB", f"<@{BOT_USER}> 経費は？", at="1700000000.000100")
    closed_channel.says("UB", f"<@{BOT_USER}> 経費は？", at="1700086400.000100")

    assert len(closed_channel.controls()) == 2


def test_nothing_of_what_they_write_is_kept(closed_channel: Channel, store: redis.Redis) -> None:
    closed_channel.says("UB", f"<@{BOT_USER}> 内緒の話")

    assert "内緒" not in everything_in(store)


def test_who_may_is_answered_and_followed(closed_channel: Channel) -> None:
    assert closed_channel.took(closed_channel.says("UA", f"<@{BOT_USER}> 経費は？"))
    closed_channel.answer()
    assert closed_channel.took(closed_channel.says("UA", "例外は？"))


def test_unmentioned_it_is_silent_to_who_may_not(closed_channel: Channel) -> None:
    closed_channel.says("UA", f"<@{BOT_USER}> 経費は？")
    closed_channel.answer()

    assert not closed_channel.took(closed_channel.says("UB", "例外は？"))
    assert not closed_channel.took(closed_channel.says("UA", "ないと思う"))  # they talk to each other now
    assert closed_channel.controls() == []


def test_an_edit_of_a_followed_message_is_heard_and_one_of_any_other_is_not(channel: Channel) -> None:
    channel.says("UA", f"<@{BOT_USER}> 経費は？")
    channel.answer()
    followed, other = channel.says("UA", "出張費は？"), channel.says("UB", "さあ")
    for message_id, user in ((followed, "UA"), (other, "UB")):
        before = said("前", user=user, ts=message_id.rsplit(":", 1)[1], thread_ts=channel.root)
        channel.deliver(edited(before, "後", channel="C1", channel_type="channel"))

    (edit,) = channel.controls()
    assert isinstance(edit, Edit)
    assert edit.message_id == followed


def test_every_deletion_is_heard(channel: Channel) -> None:
    channel.deliver(message_deleted(said("昼は？"), channel="C1", channel_type="channel"))

    assert len(channel.controls()) == 1


def test_without_the_store_slack_is_told_to_come_again(tmp_path: Path) -> None:
    door = SlackFrontDoor(SECRET, Inbox(connect(NOBODY), NoHints()))
    body = body_of(mention_as_message("経費は？"))

    assert door.handle(WebhookRequest(sign(SECRET, body), body)).status == 503


@pytest.mark.parametrize(
    "settings",
    [
        '[channels."slack:C1"]\nlisten = "everything"',
        '[channels."slack:C1"]\nallowed_users = ["hanako"]',
        '[channels."slack:C1"]\nallowed_users = "slack:U1"',
        '[channels."line:C1"]\nlisten = "all"',
        "channels = 1",
        "[channels",
    ],
)
def test_settings_of_a_place_that_cannot_be_followed_are_an_error(tmp_path: Path, settings: str) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(settings, encoding="utf-8")

    with pytest.raises(PlacesInvalid, match=r"madoguchi\.toml"):
        Places.read(file)


def test_what_the_workers_read_of_a_place_does_not_concern_the_web_process(tmp_path: Path) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(
        '[channels."line:C1"]\npersona = "x"\n[channels."slack:C1"]\nsources = ["a"]\nlisten = "all"', "utf-8"
    )

    assert Places.read(file).of("slack:C1").hears_all
    assert Places.read(tmp_path / "no file").of("slack:C1").admits("slack:U9")

"""LINE's webhook events become ours, or None, whatever their shape."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bot.line.events import TOKEN_LIFE_S, Ours, translate
from bot.line.postback import Postback
from bot.messages import Action, Attachment, Command, Deletion, Edit, Message
from tests.fakes import line_events

SAMPLES = Path(__file__).parents[2] / "samples" / "line"
NOW = 1_795_564_860.0
USER, GROUP, ROOM = f"line:{line_events.USER}", f"line:{line_events.GROUP}", f"line:{line_events.ROOM}"


def sample(name: str) -> dict[str, Any]:
    """The one event of a sample."""
    body = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return dict(body["events"][0])


def ours(name: str) -> Ours | None:
    return translate(sample(name), NOW)


def test_a_text_in_a_1_to_1_chat_is_a_message_with_a_token_for_under_a_minute() -> None:
    assert ours("text") == Message(
        id="line:590000000000000001",
        platform="line",
        conversation_id=USER,
        user_id=USER,
        text="経費の締め日はいつですか？",
        sent_at=1_795_564_801.0,
        reply_to={
            "reply_token": "0f3779fba3b349968c5d07db31eab56f",
            "expires_at": NOW + TOKEN_LIFE_S,
            "chat_type": "user",
            "chat_id": line_events.USER,
            "user_id": line_events.USER,
            "quote_token": "q3Plxr4AgKd_Kq9Wf8yK1gbNZ1AKU7eFZK1iBJ4fLmGd",
            "read_token": "mLzXkQ1rT8",
        },
    )


def test_a_mention_in_a_group_is_cut_out_by_utf_16_units() -> None:
    message = ours("group_mention")

    assert isinstance(message, Message)
    assert message.text == "😀  在宅勤務の申請は？"
    assert (message.conversation_id, message.user_id) == (GROUP, USER)


def test_a_room_is_a_conversation_of_its_own() -> None:
    message = ours("room_mention")

    assert isinstance(message, Message)
    assert message.conversation_id == ROOM


def test_where_line_does_not_say_who_spoke_the_group_did() -> None:
    message = ours("group_mention_without_user_id")

    assert isinstance(message, Message)
    assert message.user_id == GROUP


def test_an_order_is_a_command_in_its_language() -> None:
    command = ours("order")

    assert isinstance(command, Command)
    assert (command.name, command.language) == ("reset", "ja")


def test_the_bots_name_alone_asks_for_help() -> None:
    command = translate(line_events.mentioning("@窓口", sent_at=NOW), NOW)

    assert isinstance(command, Command)
    assert command.name == "help"


def test_two_mentions_of_the_bot_are_both_cut() -> None:
    said = "@窓口 締め日は？ @窓口"
    mentions = [line_events.mentionee(said, "@窓口", is_self=True), {"index": 10, "length": 3, "isSelf": True}]
    event = line_events.text(said, line_events.group(), sent_at=NOW, mention={"mentionees": mentions})

    message = translate(event, NOW)

    assert isinstance(message, Message)
    assert message.text == "締め日は？"


def test_unsend_is_a_deletion_even_in_standby() -> None:
    event = sample("unsend") | {"mode": "standby"}

    assert translate(event, NOW) == Deletion("line", USER, USER, "line:590000000000000001", event["timestamp"] / 1000)


def test_an_edited_message_is_an_edit_without_the_mention() -> None:
    edit = ours("message_edited")

    assert isinstance(edit, Edit)
    assert (edit.message_id, edit.text) == ("line:590000000000000003", "在宅勤務の申請の締切は？")


def test_a_message_edited_to_nothing_is_a_deletion() -> None:
    assert isinstance(translate(line_events.edited("1", " "), NOW), Deletion)


@pytest.mark.parametrize(("name", "order", "argument"), [("follow", "help", "welcome"), ("unfollow", "unfollow", "")])
def test_following_and_unfollowing_are_commands(name: str, order: str, argument: str) -> None:
    command = ours(name)

    assert isinstance(command, Command)
    assert (command.name, command.argument) == (order, argument)


def test_a_button_of_ours_collects_with_its_fresh_token_in_its_language() -> None:
    command = ours("postback_collect")

    assert isinstance(command, Command)
    assert (command.name, command.argument, command.language) == ("collect", "line:590000000000000001", "ja")
    assert command.reply_to["reply_token"] == "0f3779fba3b349968c5d07db31eab56f"


@pytest.mark.parametrize("data", ["", "&&&", "do=collect", "do=collect&in=窓口&for=x&lang=ja", "\ud800", "x" * 301])
def test_any_other_postback_is_no_button_of_ours(data: str) -> None:
    assert Postback.read(data) is None


def test_a_button_is_read_as_it_was_written() -> None:
    pressed = Postback("collect", USER, "line:1", "en")

    assert Postback.read(pressed.data()) == pressed


def test_after_twenty_minutes_a_message_is_answered_without_its_token() -> None:
    event = sample("text")

    message = translate(event, event["timestamp"] / 1000 + 20 * 60)

    assert isinstance(message, Message)
    assert message.reply_to["reply_token"] is None


def test_a_token_of_a_late_delivery_ends_twenty_minutes_after_the_event() -> None:
    event = sample("text")
    sent_at = event["timestamp"] / 1000

    message = translate(event, sent_at + 20 * 60 - 10)

    assert isinstance(message, Message)
    assert message.reply_to["expires_at"] == sent_at + 20 * 60


def test_a_body_replayed_after_its_ids_are_forgotten_is_dropped() -> None:
    event = sample("text")

    assert translate(event, event["timestamp"] / 1000 + 48 * 3600) is None


def test_half_a_surrogate_pair_becomes_storable() -> None:
    message = translate(line_events.text("締め\ud83d", sent_at=NOW), NOW)

    assert isinstance(message, Message)
    assert message.to_json().encode()
    assert message.text == "締め\ufffd"


def test_a_very_long_text_is_cut_to_what_a_message_may_have() -> None:
    message = translate(line_events.text("あ" * 10_000, sent_at=NOW), NOW)

    assert isinstance(message, Message)
    assert len(message.text) == Message.MAX_TEXT_CHARS


def file(name: object, size: object = 2_138, **message: object) -> dict[str, Any]:
    said = {"type": "file", "id": "590000000000000017", "fileName": name, "fileSize": size, **message}
    return line_events.event("message", line_events.user(), sent_at=NOW, replyToken="token", message=said)


def test_a_file_in_a_1_to_1_chat_is_a_message_without_words() -> None:
    message = translate(file("規程.pdf", markAsReadToken="mLzXkQ1rT8"), NOW)

    assert isinstance(message, Message)
    assert (message.id, message.text) == ("line:590000000000000017", "")
    assert message.attachments == (Attachment("590000000000000017", "規程.pdf", "application/pdf", 2_138, {}),)
    assert (message.reply_to["reply_token"], message.reply_to["read_token"]) == ("token", "mLzXkQ1rT8")


@pytest.mark.parametrize(
    ("told", "name", "mimetype"),
    [
        ("a.csv", "a.csv", "text/csv"),
        ("../../etc/passwd", "../../etc/passwd", ""),
        ("data:text/html,x", "data:text/html,x", ""),
        ("a\nb\u202e.txt", "a b.txt", "text/plain"),
        ("締め\ud83d.txt", "締め.txt", "text/plain"),
        ("名" * 500 + ".pdf", "名" * 115 + "….pdf", "application/pdf"),
        ("x." + "y" * 500, "x." + "y" * 117 + "…", ""),
        ("", "", ""),
        (None, "", ""),
        (7, "", ""),
    ],
)
def test_a_files_name_is_one_line_with_its_ending(told: object, name: str, mimetype: str) -> None:
    message = translate(file(told), NOW)

    assert isinstance(message, Message)
    assert (message.attachments[0].name, message.attachments[0].mimetype) == (name, mimetype)
    assert len(message.attachments[0].name) <= Attachment.MAX_NAME_CHARS


@pytest.mark.parametrize("size", [-1, 2**53, 10**30, "7", 7.5, True, None])
def test_a_size_that_no_file_has_is_unknown(size: object) -> None:
    message = translate(file("a.txt", size), NOW)

    assert isinstance(message, Message)
    assert message.attachments[0].size_bytes == 0


@pytest.mark.parametrize("index", [1, None, "2", True])
def test_of_pictures_that_are_sent_together_the_first_is_told_of(index: object) -> None:
    picture = {"type": "image", "id": "1", "imageSet": {"id": "E005", "index": index, "total": 3}}
    event = line_events.event("message", line_events.user(), sent_at=NOW, message=picture)

    command = translate(event, NOW)

    assert isinstance(command, Command)
    assert (command.name, command.argument, command.language) == ("cannot_read", "image", "")


def test_a_vote_is_bound_to_the_chat_that_it_stands_in() -> None:
    vote = Postback("vote", USER, "line:1", "en", "up+train").data()

    action = translate(line_events.postback(vote), time.time())
    elsewhere = translate(line_events.postback(vote, line_events.group()), time.time())

    assert isinstance(action, Action)
    assert (action.name, action.value, action.user_id) == ("vote", "up+train line:1", USER)
    assert action.language == "en"
    assert elsewhere is None


@pytest.mark.parametrize(
    "button",
    [
        Postback("vote", USER, "line:1", "ja", "sideways"),
        Postback("vote", USER, "", "ja", "up"),
        Postback("vote", USER, "line:1 line:2", "ja", "up"),
        Postback("vote", "", "line:1", "ja", "up"),
        Postback("vote", USER, "line:1", "fr", "up"),
        Postback("collect", USER, "", "ja"),
        Postback("collect", "", "line:1", "ja"),
        Postback("collect", USER, "line:1", "../ja"),
        Postback("menu", "", "", "ja", "forget"),
        Postback("menu", "", "", "ja", "admin reindex"),
        Postback("menu", "", "", "ja"),
        Postback("menu", "", "", "fr", "language"),
        Postback("forget", USER, "line:1", "ja"),
        Postback("", USER, "line:1", "ja"),
    ],
)
def test_a_button_that_the_bot_never_showed_does_nothing(button: Postback) -> None:
    assert translate(line_events.postback(button.data()), time.time()) is None


@pytest.mark.parametrize("kind", ["unsend", "messageEdited", "unfollow", "leave"])
def test_in_standby_what_needs_no_answer_is_heeded(kind: str) -> None:
    event = next(event for event in all_samples() if event["type"] == kind) | {"mode": "standby"}

    assert translate(event, NOW) is not None


def test_in_standby_nothing_is_made_that_would_be_answered() -> None:
    made = [translate(event | {"mode": "standby"}, NOW) for event in all_samples()]

    assert {type(one).__name__ for one in made} == {"NoneType", "Deletion", "Edit", "Command"}
    assert {one.name for one in made if isinstance(one, Command)} == {"unfollow", "leave"}


def test_nobody_can_be_left_in_a_1_to_1_chat() -> None:
    assert translate(line_events.event("leave", line_events.user()), time.time()) is None


def all_samples() -> list[dict[str, Any]]:
    bodies = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SAMPLES.glob("*.json"))]
    return [event for body in bodies for event in body["events"]]

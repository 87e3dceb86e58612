"""Envelopes of Slack's Events API become what a person did, or nothing, and never an error."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Command, Deletion, Edit, Message
from bot.slack.events import Delivery, parse
from bot.slack.listening import Heard
from bot.slack.markup import plain_text
from tests.fakes.slack_events import (
    BOT_USER,
    TEAM,
    app_mention,
    edited,
    envelope,
    mention_as_message,
    message_changed,
    message_deleted,
    message_event,
    message_im,
    root_deleted,
    said,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"
TS = "1700000000.000100"


def sample(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return read


def event_of(source: dict[str, Any]) -> Message | Edit | Deletion | Command:
    delivery = parse(source)
    assert delivery is not None
    return delivery.event


def message_of(source: dict[str, Any]) -> Message:
    event = event_of(source)
    assert isinstance(event, Message)
    return event


def test_a_mention_in_a_channel_is_a_message_in_the_thread_that_it_opens() -> None:
    assert parse(sample("app_mention")) == Delivery(
        "slack:Ev0MDYGDKJ",
        Message(
            id="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            platform="slack",
            conversation_id="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            user_id="slack:U061F7AUR",
            text="経費の締め日はいつですか？",
            sent_at=1515449438.000011,
            reply_to={
                "team": "T061EG9R6",
                "channel": "C0LAN2Q65",
                "channel_type": "channel",
                "ext_shared": False,
                "thread_ts": "1515449438.000011",
                "ts": "1515449438.000011",
                "user": "U061F7AUR",
            },
        ),
        Heard(
            message_id="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            thread="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            channel="slack:C0LAN2Q65",
            user_id="slack:U061F7AUR",
            at=1515449438.000011,
            addressed="us",
        ),
    )


def test_both_events_of_one_mention_are_the_same_message() -> None:
    first, second = parse(sample("app_mention")), parse(sample("message_channels_mention"))

    assert first is not None
    assert second is not None
    assert first.event == second.event
    assert first.id != second.id


def test_both_events_of_one_order_are_one_delivery() -> None:
    first, second = parse(app_mention("リセット")), parse(mention_as_message("リセット"))

    assert first == second
    assert first is not None
    assert isinstance(first.event, Command)


def test_a_mention_in_a_thread_belongs_to_the_thread() -> None:
    message = message_of(sample("app_mention_in_thread_of_connect_channel"))

    assert message.conversation_id == "slack:T061EG9R6:C0LAN2Q66:1515449438.000011"
    assert message.reply_to["thread_ts"] == "1515449438.000011"
    assert message.reply_to["ext_shared"] is True


def test_a_direct_message_belongs_to_the_persons_conversation_and_is_answered_in_a_thread() -> None:
    message = message_of(sample("message_im"))

    assert message.conversation_id == "slack:T061EG9R6:D024BE91L"
    assert message.reply_to["thread_ts"] == "1515449522.000016"
    assert message.reply_to["channel_type"] == "im"


def test_a_message_in_a_thread_of_a_dm_belongs_to_the_thread() -> None:
    message = message_of(sample("message_im_in_thread"))

    assert message.conversation_id == "slack:T061EG9R6:D024BE91L:1515449522.000016"


def test_a_mention_with_a_file_comes_as_a_message_only_and_is_read() -> None:
    assert message_of(sample("message_file_share_mention")).text == "これは何の規程？"


@pytest.mark.parametrize(
    "name",
    [
        "message_own_post",
        "message_other_bot",
        "message_channel_join",
        "message_changed_unfurl",
        "message_changed_own_update",
        "reaction_added",
        "app_home_opened",
        "app_uninstalled",
        "app_rate_limited",
        "url_verification",
        "block_actions",
        "view_submission",
        "message_action",
        "shortcut",
        "slash_command",
    ],
)
def test_what_no_person_said_to_us_is_nothing(name: str) -> None:
    assert parse(sample(name)) is None


def test_an_order_is_a_command() -> None:
    command = event_of(sample("message_im_order"))

    assert isinstance(command, Command)
    assert (command.name, command.language, command.user_id) == ("reset", "ja", "slack:U061F7AUR")
    assert command.reply_to["thread_ts"] == "1515449700.000100"


@pytest.mark.parametrize("source", [app_mention(""), app_mention("  "), message_im(""), app_mention(f"<@{BOT_USER}>")])
def test_who_says_nothing_asks_for_help(source: dict[str, Any]) -> None:
    command = event_of(source)

    assert isinstance(command, Command)
    assert command.name == "help"


@pytest.mark.parametrize("of", [app_mention, mention_as_message])
def test_who_only_calls_the_bot_into_a_thread_asks_what_is_asked_there(of: Callable[..., dict[str, Any]]) -> None:
    message = message_of(of("", ts="1700000009.000100", thread_ts="1700000000.000100"))

    assert (message.text, message.conversation_id) == ("", f"slack:{TEAM}:C1:1700000000.000100")


def test_who_says_nothing_in_a_message_that_opened_a_thread_asks_for_help() -> None:
    command = event_of(app_mention("", ts="1700000000.000100", thread_ts="1700000000.000100"))

    assert isinstance(command, Command)
    assert command.name == "help"


def test_too_much_text_is_cut() -> None:
    assert message_of(message_im("あ" * 10_000)).text == "あ" * Message.MAX_TEXT_CHARS


def test_a_persons_edit_is_an_edit_of_the_message() -> None:
    assert parse(sample("message_changed_by_person")) == Delivery(
        "slack:Ev0PV52K29",
        Edit(
            platform="slack",
            conversation_id="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            user_id="slack:U061F7AUR",
            message_id="slack:T061EG9R6:C0LAN2Q65:1515449438.000011",
            text="出張費の締め日はいつですか？",
            sent_at=1515449999.0002,
            reply_to={
                "team": "T061EG9R6",
                "channel": "C0LAN2Q65",
                "channel_type": "channel",
                "ext_shared": False,
                "thread_ts": "1515449438.000011",
                "ts": "1515449438.000011",
                "user": "U061F7AUR",
            },
        ),
    )


def test_an_edit_of_an_answered_dm_is_in_the_dms_conversation() -> None:
    answered = said("経費は？", thread_ts=TS)

    edit = event_of(edited(answered, "出張費は？"))

    assert isinstance(edit, Edit)
    assert edit.conversation_id == f"slack:{TEAM}:D1"


def test_an_edit_without_a_mention_has_to_be_decided_by_what_is_known() -> None:
    delivery = parse(edited(said("昼に行く"), "夜に行く", channel="C1", channel_type="channel"))

    assert delivery is not None
    assert delivery.heard is not None
    assert delivery.heard.addressed == "nobody"


def test_an_edit_that_takes_the_mention_away_is_nothing() -> None:
    assert parse(edited(said(f"<@{BOT_USER}> 経費は？"), "経費は？", channel="C1", channel_type="channel")) is None


def test_an_edit_that_changes_nothing_that_was_said_is_nothing() -> None:
    before = said(f"<@{BOT_USER}> 経費は？")

    assert parse(edited(before, f"経費は？ <@{BOT_USER}>", channel="C1", channel_type="channel")) is None


def test_a_change_without_an_edit_is_nothing() -> None:
    before = said("経費は？")

    assert parse(message_changed(before, before | {"text": "経費は？ (preview)"})) is None


def test_a_deleted_message_is_a_deletion() -> None:
    assert parse(sample("message_deleted")) == Delivery(
        "slack:Ev0PV52K33",
        Deletion(
            platform="slack",
            conversation_id="slack:T061EG9R6:D024BE91L",
            user_id="slack:U061F7AUR",
            message_id="slack:T061EG9R6:D024BE91L:1515449522.000016",
            sent_at=1515450300.0002,
        ),
    )


def test_a_deleted_message_that_was_answered_leaves_a_tombstone_and_is_a_deletion() -> None:
    deletion = event_of(sample("message_changed_tombstone"))

    assert isinstance(deletion, Deletion)
    assert deletion.message_id == "slack:T061EG9R6:C0LAN2Q65:1515449438.000011"
    assert deletion.user_id == "slack:U061F7AUR"


def test_the_deletion_of_an_answered_dm_is_in_the_dms_conversation() -> None:
    deletion = event_of(root_deleted(said("経費は？")))

    assert isinstance(deletion, Deletion)
    assert deletion.conversation_id == f"slack:{TEAM}:D1"


def test_a_deletion_that_does_not_say_whose_message_it_was_is_kept() -> None:
    source = message_deleted(said("経費は？"))
    del source["event"]["previous_message"]

    deletion = event_of(source)

    assert isinstance(deletion, Deletion)
    assert deletion.message_id == f"slack:{TEAM}:D1:{TS}"


def test_a_deleted_post_of_a_bot_is_nothing() -> None:
    assert parse(message_deleted(said("25日です。", user=BOT_USER))) is None
    assert parse(message_deleted(said("done") | {"bot_id": "B9"})) is None


def test_the_tenant_is_the_workspace_that_the_app_is_authorized_in() -> None:
    shared = app_mention("経費は？")
    shared["team_id"] = "T9OTHER"

    assert message_of(shared).reply_to["team"] == TEAM


def test_an_installation_for_a_whole_organization_names_the_team_outside() -> None:
    source = app_mention("経費は？")
    source["authorizations"][0] |= {"team_id": None, "is_enterprise_install": True}

    assert message_of(source).id == f"slack:{TEAM}:C1:{TS}"


@pytest.mark.parametrize(
    ("written", "addressed"),
    [
        ("経費は？", "nobody"),
        (f"<@{BOT_USER}> 経費は？", "us"),
        (f"<@{BOT_USER}> <@U2> 経費は？", "us"),
        ("<@U2> 経費は？", "others"),
        ("<@U2|aoi> 経費は？", "others"),
        ("<!here> 経費は？", "others"),
        ("<!channel>", "others"),
        ("<!everyone>", "others"),
        ("<!subteam^S1|@keiri> 経費は？", "others"),
        ("<!date^1700000000^{date}|11月14日> まで", "nobody"),
        ("@aoi 経費は？", "nobody"),
        ("&lt;@U2&gt;", "nobody"),
    ],
)
def test_a_message_in_a_group_tells_whom_it_mentions(written: str, addressed: str) -> None:
    delivery = parse(message_event(written, channel="G1", channel_type="mpim"))

    assert delivery is not None
    assert delivery.heard is not None
    assert delivery.heard.addressed == addressed


def test_in_a_direct_message_nothing_has_to_be_decided() -> None:
    delivery = parse(message_im("<@U2> に聞いた"))

    assert delivery is not None
    assert delivery.heard is None


def test_silence_in_a_channel_is_nothing() -> None:
    assert parse(message_event("", channel="C1", channel_type="channel")) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@U0BOT> 経費は？", "経費は？"),
        ("<@U0BOT|madoguchi> 経費は？", "経費は？"),
        ("<@U0BOT>、経費は？", "経費は？"),
        ("<@U0BOT>: 経費は？", "経費は？"),
        ("<@U0BOT> <@U0BOT> 経費は？", "経費は？"),
        ("ねえ <@U0BOT> 経費は？", "ねえ 経費は？"),
        ("経費は？ <@U0BOT>", "経費は？"),
        ("<@U0BOT> :wave:", ":wave:"),
        ("<@U2> に聞いて", "@U2 に聞いて"),
        ("<@U2|aoi> に聞いて", "@aoi に聞いて"),
        ("<#C1|general> と <#C2> と <#C3|>", "#general と #C2 と #C3"),
        ("<!here> <!channel> <!subteam^S1|@keiri> <!subteam^S2>", "@here @channel @keiri @subteam"),
        ("<!date^1700000000^{date}|11月14日> まで", "11月14日 まで"),
        ("<https://example.jp/a?b=1&amp;c=2>", "https://example.jp/a?b=1&c=2"),
        ("<http://example.jp|example.jp>", "example.jp"),
        ("<https://example.jp|規程>", "規程 (https://example.jp)"),
        ("<mailto:a@example.jp|a@example.jp>", "a@example.jp"),
        ("a &lt;b&gt; &amp; c &amp;lt;", "a <b> & c &lt;"),
        ("1 < 2", "1 < 2"),
        ("ab\ud83dcd", "abcd"),
    ],
)
def test_slacks_markup_is_read_as_a_person_reads_it(written: str, read: str) -> None:
    assert plain_text(written, frozenset({"U0BOT"})) == read


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("U1"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
SOURCES = st.sampled_from(
    [
        app_mention("経費は？"),
        message_im("経費は？"),
        edited(said("a"), "b"),
        message_deleted(said("a")),
        root_deleted(said("a")),
        envelope(said("stop") | {"channel": "D1", "channel_type": "im"}),
    ]
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, child in inner for deeper in paths(child, (*path, key)))]


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_odd_values_anywhere_are_never_an_error(data: st.DataObject) -> None:
    source = copy.deepcopy(data.draw(SOURCES))
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(paths(source)[1:]))
        place = source
        for key in parents:
            place = place[key]
        place[last] = data.draw(JSON_VALUES)

    delivery = parse(source)

    if delivery is not None:  # whatever is accepted can be stored and read again
        event = delivery.event
        assert type(event).from_json(event.to_json().encode()) == event


@given(st.dictionaries(st.sampled_from(["event", "team_id", "event_id", "authorizations", "type"]), JSON_VALUES))
@settings(deadline=None)
def test_any_object_is_never_an_error(source: dict[str, Any]) -> None:
    assert parse(source) is None

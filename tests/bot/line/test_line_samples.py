"""What becomes of every kind of event that LINE knows, sample by sample."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linebot.v3.webhooks import CallbackRequest, Event
from linebot.v3.webhooks import models as sdk

from bot.line.calling import CallWords, Listening
from bot.line.events import Ours, translate
from bot.messages import Action, Command, Deletion, Edit, Message
from tests.fakes import line_events

SAMPLES = Path(__file__).parents[2] / "samples" / "line"
NOW = 1_795_564_860.0
OURS = "590000000000000900"
"""The id of a message that the bot has shown in the group."""
SHOWN_IN = f"line:{line_events.GROUP}"
LISTENING = Listening(CallWords(("窓口",)), lambda quoted, where: (quoted, where) == (OURS, SHOWN_IN))
UNKNOWN_TO_THE_SDK = {"somethingNew", "things"}

BECOMES = {
    "account_link": None,
    "activated": None,
    "audio": "cannot_read audio",
    "beacon": None,
    "bot_resumed": None,
    "bot_suspended": None,
    "deactivated": None,
    "delivery": None,
    "file": "file 規程.pdf",
    "follow": "help welcome",
    "follow_again": "help welcome",
    "group_call_word": "message 経費の締め日はいつですか？",
    "group_call_word_in_a_sentence": None,
    "group_file": None,
    "group_image": None,
    "group_mention": "message 😀  在宅勤務の申請は？",
    "group_mention_and_call_word": "message 在宅勤務の申請は？",
    "group_mention_of_all": None,
    "group_mention_of_another": None,
    "group_mention_without_user_id": "message 有休の残りは？",
    "group_quote": "message もう少し詳しく",
    "group_quote_of_another": None,
    "group_sticker": None,
    "group_without_mention": None,
    "image": "cannot_read image",
    "image_second_of_several": None,
    "join": "joined 窓口",
    "join_in_standby": None,
    "join_room": "joined 窓口",
    "leave": "leave",
    "leave_in_standby": "leave",
    "location": "cannot_read location",
    "member_joined": None,
    "member_left": None,
    "membership": None,
    "message_edited": "edit 在宅勤務の申請の締切は？",
    "message_edited_in_standby": "edit 在宅勤務の申請の締切は？",
    "module": None,
    "order": "reset",
    "postback_collect": "collect line:590000000000000001",
    "postback_menu_ask": "ask",
    "postback_menu_help": "help",
    "postback_menu_language": "language en",
    "postback_menu_reset": "reset",
    "postback_of_another_chat": None,
    "postback_richmenu": None,
    "postback_vote": "vote up line:590000000000000001",
    "postback_vote_and_train": "vote up+train line:590000000000000001",
    "postback_vote_of_another_chat": None,
    "quote": "message これはどういう意味ですか",
    "redelivered": "message 経費の締め日はいつですか？",
    "room_mention": "message 会議室の予約は？",
    "standby": None,
    "sticker": "cannot_read sticker",
    "text": "message 経費の締め日はいつですか？",
    "text_with_emoji": "message $ 領収書はどこに出しますか 😀",
    "things": None,
    "unfollow": "unfollow",
    "unknown_kind": None,
    "unsend": "deletion line:590000000000000001",
    "verify": "",
    "video": "cannot_read video",
    "video_play_complete": None,
}


def events(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["events"])


ALL = sorted(SAMPLES.glob("*.json"))
EVENTS = [event for path in ALL for event in events(path)]


def named(ours: Ours | None) -> str | None:
    """What it is, in a few words."""
    match ours:
        case Message():
            return (
                " ".join(["file", *(file.name for file in ours.attachments)])
                if not ours.text
                else f"message {ours.text}"
            )
        case Edit():
            return f"edit {ours.text}"
        case Deletion():
            return f"deletion {ours.message_id}"
        case Command():
            return f"{ours.name} {ours.argument}".strip()
        case Action():
            return f"{ours.name} {ours.value}"
    return None


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_sample_becomes_what_the_table_says(path: Path) -> None:
    assert [named(translate(event, NOW, LISTENING)) for event in events(path)] == (
        [BECOMES[path.stem]] if BECOMES[path.stem] != "" else []
    )


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_sample_has_the_shape_that_the_sdk_knows(path: Path) -> None:
    body = json.loads(path.read_text(encoding="utf-8"))
    body["events"] = [event for event in body["events"] if event["type"] not in UNKNOWN_TO_THE_SDK]

    request = CallbackRequest.from_dict(body)

    assert [event.type for event in request.events] == [event["type"] for event in body["events"]]


def kinds_of(base: type[Any]) -> set[str]:
    """The `type` of every model of the SDK that is a kind of this one."""
    models = [model for _, model in inspect.getmembers(sdk, inspect.isclass)]
    kinds: list[Any] = [model for model in models if issubclass(model, base) and model is not base]
    return {kind.__fields__["type"].default for kind in kinds}


def test_every_kind_of_event_and_message_that_the_sdk_names_has_a_sample() -> None:
    sampled = {event["type"] for event in EVENTS}
    messages = {event["message"]["type"] for event in EVENTS if "message" in event}

    assert len(kinds_of(Event)) >= 20
    assert kinds_of(Event) <= sampled
    assert kinds_of(sdk.MessageContent) <= messages


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt_events(draw: st.DrawFn) -> Any:
    """A sample with one to three places, at any depth, replaced by anything or removed."""
    event: Any = json.loads(json.dumps(draw(st.sampled_from(EVENTS))))
    for _ in range(draw(st.integers(1, 3))):
        place = event
        while True:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and draw(st.booleans()):
                place = inner
            else:
                break
        if isinstance(place, dict) and draw(st.booleans()) and len(place) > 1:
            del place[key]
        else:
            place[key] = draw(json_values)
    return event


@settings(max_examples=600, deadline=None)
@given(spoilt_events() | json_values)
def test_an_event_of_any_shape_is_storable_or_none(event: Any) -> None:
    made = translate(event, NOW, LISTENING)

    assert made is None or made.to_json().encode()

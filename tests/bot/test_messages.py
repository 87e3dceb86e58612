"""Records have a JSON form that goes both ways, and nothing else is read as one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import (
    VERSION,
    Action,
    Citation,
    Command,
    Deletion,
    Edit,
    Message,
    Record,
    Reply,
    UnreadableRecord,
    control_from_json,
)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.floats(0, 4e9)
PLACES = st.dictionaries(WORDS, st.one_of(WORDS, st.none(), st.booleans(), st.integers(), TIMES), max_size=4)
WHO: dict[str, Any] = {"platform": WORDS, "conversation_id": WORDS, "user_id": WORDS}

MESSAGES = st.builds(Message, id=WORDS, text=WORDS, sent_at=TIMES, reply_to=PLACES, **WHO)
CONTROLS = st.one_of(
    st.builds(Edit, message_id=WORDS, text=WORDS, sent_at=TIMES, **WHO),
    st.builds(Deletion, message_id=WORDS, sent_at=TIMES, **WHO),
    st.builds(Action, name=WORDS, value=WORDS, sent_at=TIMES, reply_to=PLACES, **WHO),
    st.builds(Command, name=WORDS, argument=WORDS, language=WORDS, sent_at=TIMES, reply_to=PLACES, **WHO),
)
CITATIONS = st.builds(Citation, number=st.integers(1, 9), title=WORDS, uri=WORDS, heading=WORDS, text=WORDS)
REPLIES = st.builds(Reply, text=WORDS, citations=st.lists(CITATIONS, max_size=3).map(tuple))

MESSAGE = Message("slack:1", "slack", "slack:c", "slack:u", "締め日は？", 1.5, {"channel": "C1"})
KINDS: list[type[Record]] = [Message, Edit, Deletion, Action, Command, Citation, Reply]
HOSTILE = [
    "",
    "null",
    "[]",
    "1",
    '"Message"',
    "{}",
    '{"kind": "Message"}',
    '{"kind": "Message", "v": 1}',
    '{"kind": ["Message"], "v": 1}',
    '{"kind": {"a": 1}, "v": 1}',
    '{"kind": "Message", "v": "1"}',
    '{"kind": "Message", "v": null}',
    '{"kind": "Nobody", "v": 1}',
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"kind": "Reply", "v": 1, "text": "x", "citations": 5}',
    '{"kind": "Reply", "v": 1, "text": "x", "citations": [5]}',
    '{"kind": "Reply", "v": 1, "text": "x", "citations": [{}]}',
    b"\xff\xfe{",
    b"\x00",
]


def changed(record: Record, **fields: Any) -> str:
    """The record's JSON with some of it changed."""
    return json.dumps(json.loads(record.to_json()) | fields)


@given(st.one_of(MESSAGES, CONTROLS, CITATIONS, REPLIES))
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert type(record).from_json(record.to_json()) == record
    assert type(record).from_json(record.to_json().encode()) == record


@given(CONTROLS)
def test_a_control_comes_back_as_its_own_kind(control: Edit | Deletion | Action | Command) -> None:
    assert control_from_json(control.to_json()) == control


def test_a_record_is_one_line() -> None:
    assert "\n" not in Message("m", "p", "c", "u", "一\n二\r三\u2028", 1, {}).to_json()


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(UnreadableRecord):
        Message.from_json(changed(MESSAGE, v=VERSION + 1))


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    assert Message.from_json(changed(MESSAGE, mood="cheerful")) == MESSAGE


def test_a_record_of_another_kind_is_refused() -> None:
    with pytest.raises(UnreadableRecord):
        Edit.from_json(MESSAGE.to_json())


def test_a_message_is_no_control() -> None:
    with pytest.raises(UnreadableRecord):
        control_from_json(MESSAGE.to_json())


@pytest.mark.parametrize("name", ["id", "text", "reply_to"])
def test_a_record_that_lacks_a_field_is_refused(name: str) -> None:
    stored = json.loads(MESSAGE.to_json())
    del stored[name]

    with pytest.raises(UnreadableRecord):
        Message.from_json(json.dumps(stored))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:24]!r}…{len(text)}")
def test_what_is_no_record_is_unreadable_and_nothing_worse(kind: type[Record], text: str | bytes) -> None:
    with pytest.raises(UnreadableRecord):
        kind.from_json(text)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:24]!r}…{len(text)}")
def test_what_is_no_control_is_unreadable_and_nothing_worse(text: str | bytes) -> None:
    with pytest.raises(UnreadableRecord):
        control_from_json(text)


def test_an_unreadable_record_does_not_tell_its_words() -> None:
    with pytest.raises(UnreadableRecord) as unreadable:
        Message.from_json(MESSAGE.to_json()[:-1] + " oops")

    assert "締め日" not in str(unreadable.value)

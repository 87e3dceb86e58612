"""App Home as Slack takes it, and its buttons and dialog as events of ours; what can be seen to be wrong stays open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.home import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS, AdminPart, GapAnswer, Page, PageGap
from bot.messages import Action, Command
from bot.slack.forms import FormRefused
from bot.slack.home import BUTTONS, DIALOGS, parse_home_tab
from bot.slack.home_view import answer_view, home_view
from tests.fakes.slack_events import TEAM, envelope

GAP = PageGap(3, "3: 2回", ("駐車場は？", "<!channel> 車は？"), is_answered=False)


def page(language: str = "ja", gaps: int = 0, more: int = 0, unsorted: int = 0, **gap: Any) -> Page:
    shown = tuple(PageGap(n, f"{n}: 2回", ("長い" * 100,) * 3, **({"is_answered": False} | gap)) for n in range(gaps))
    return Page(language, "お尋ねください。", ("締め日は？",), AdminPart("世代 1", shown, more, unsorted))


def pressed(name: str, value: str, user: str = "U1", **changed: Any) -> dict[str, Any]:
    """What Slack tells when a button of a Home is pressed."""
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": TEAM},
        "team": {"id": TEAM},
        "container": {"type": "view", "view_id": "V1"},
        "trigger_id": "12.34.ab",
        "view": {"id": "V1", "type": "home"},
        "actions": [{"action_id": name, "type": "button", "value": value, "action_ts": "1700000200.000100"}],
    } | changed


def sent(question: Any, answer: Any, metadata: Any = "ja 3", **changed: Any) -> dict[str, Any]:
    """What Slack tells when the dialog is sent."""
    values = {"question": {"words": {"value": question}}, "answer": {"words": {"value": answer}}}
    view = {"id": "V2", "callback_id": "gap_answer", "private_metadata": metadata, "state": {"values": values}}
    return {"type": "view_submission", "user": {"id": "U1"}, "team": {"id": TEAM}, "view": view} | changed


def taken(payload: dict[str, Any]) -> Action | Command | None:
    parser = (
        DIALOGS["gap_answer"] if payload["type"] == "view_submission" else BUTTONS[payload["actions"][0]["action_id"]]
    )
    found = parser(payload)
    return found[0] if found else None


def texts(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("gaps", [0, 1, 30])
def test_a_page_is_within_what_slack_takes(language: str, gaps: int) -> None:
    view = home_view(page(language, gaps, more=5, unsorted=2))

    View(**view).validate_json()
    assert len(view["blocks"]) <= 100
    assert all(len(block["text"]["text"]) <= 3_000 for block in view["blocks"] if block["type"] == "section")
    assert all(len(block["text"]["text"]) <= 150 for block in view["blocks"] if block["type"] == "header")
    assert len({block["block_id"] for block in view["blocks"] if "block_id" in block}) == gaps


def test_more_gaps_than_a_page_has_room_for_are_cut() -> None:
    assert len(home_view(page(gaps=80))["blocks"]) == 100


def test_who_is_no_administrator_sees_no_gap() -> None:
    view = home_view(Page("ja", "お尋ねください。", (), None))

    assert "gap" not in texts(view)
    assert "home_forget" in texts(view)


def test_an_erasure_and_a_drop_are_asked_back_by_slack_itself() -> None:
    buttons = [e for b in home_view(page(gaps=1))["blocks"] if b["type"] == "actions" for e in b["elements"]]

    assert {button["action_id"]: "confirm" in button for button in buttons} == {
        "home_forget": True,
        "gap_open": False,
        "gap_drop": True,
    }


def test_an_answered_gap_has_no_button_to_answer_it() -> None:
    assert "gap_open" not in texts(home_view(page(gaps=1, is_answered=True)))


def test_what_was_asked_is_shown_as_words_and_never_as_a_mention() -> None:
    view = home_view(Page("ja", "", (), AdminPart("", (GAP,), 0, 0)))

    assert [b["text"]["type"] for b in view["blocks"] if "<!channel>" in texts({"blocks": [b]})] == ["plain_text"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_dialog_is_within_what_slack_takes(language: str) -> None:
    long = PageGap(999_999_999, "", ("長" * 500,), is_answered=False)
    view = answer_view(long, language)

    View(**view).validate_json()
    question, answer = (block["element"] for block in view["blocks"])
    assert len(question["initial_value"]) == question["max_length"] == MAX_QUESTION_CHARS
    assert answer["max_length"] == MAX_ANSWER_CHARS
    assert all(len(view[name]["text"]) <= 24 for name in ("title", "submit", "close"))


def test_an_opened_home_is_a_wish_for_the_page_and_the_messages_tab_is_not() -> None:
    event = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home", "event_ts": "1700000000.000100"}
    found = parse_home_tab(envelope(event))

    assert found is not None
    command = found[0]
    assert (command.name, command.conversation_id, command.user_id) == ("home", f"slack:{TEAM}:U1", "slack:U1")
    assert parse_home_tab(envelope(event | {"tab": "messages"})) is None
    assert parse_home_tab(envelope(event | {"user": {"id": "U1"}})) is None
    assert parse_home_tab(envelope(event, team_id=None, authorizations=[])) is None


def test_the_button_to_forget_is_the_order_to_forget() -> None:
    command = taken(pressed("home_forget", "en"))

    assert isinstance(command, Command)
    assert (command.name, command.user_id, command.language) == ("forget", "slack:U1", "en")
    assert command.reply_to["channel"] == "U1"


@pytest.mark.parametrize("name", ["gap_open", "gap_drop"])
def test_a_button_of_a_gap_tells_its_number_and_who_pressed(name: str) -> None:
    action = taken(pressed(name, "ja 3", user="U9"))

    assert isinstance(action, Action)
    assert (action.name, action.value, action.user_id, action.language) == (name, "3", "slack:U9", "ja")
    assert action.reply_to["trigger_id"] == "12.34.ab"


def test_the_answer_comes_with_the_number_that_the_dialog_carried() -> None:
    action = taken(sent(" 駐車場は？ ", "裏です。\n二台。"))

    assert isinstance(action, Action)
    assert GapAnswer.read(action.value) == GapAnswer(3, "駐車場は？", "裏です。\n二台。")


@pytest.mark.parametrize(
    ("question", "answer", "wrong"),
    [
        ("", "答え", {"question"}),
        ("# ", "答え", {"question"}),
        ("長" * 201, "答え", {"question"}),
        ("質問", " \u200b\n", {"answer"}),
        (None, None, {"question", "answer"}),
        (3, [], {"question", "answer"}),
    ],
)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_wrong_is_told_at_its_field(question: Any, answer: Any, wrong: set[str], language: str) -> None:
    with pytest.raises(FormRefused) as refused:
        taken(sent(question, answer, f"{language} 3"))

    told = json.loads(refused.value.to_json())
    assert told["response_action"] == "errors"
    assert told["errors"].keys() == wrong


@pytest.mark.parametrize(
    "payload",
    [
        pressed("gap_open", "ja"),
        pressed("gap_open", "fr 3"),
        pressed("gap_open", "ja -3"),
        pressed("gap_drop", "ja 3" + "0" * 20),
        pressed("gap_drop", "ja 3", user="*"),
        pressed("gap_drop", "ja 3", team=None),
        pressed("home_forget", "ja", user={"id": 3}),
        pressed("home_forget", ""),
        sent("質問", "答え", "ja"),
        sent("質問", "答え", None),
        sent("質問", "答え", "ja ３"),
        sent("質問", "答え", team={"id": "*"}),
        sent("質問", "答え", view={"id": "V2", "private_metadata": []}),
    ],
)
def test_what_slack_would_not_send_is_nothing(payload: dict[str, Any]) -> None:
    assert taken(payload) is None


@pytest.mark.parametrize("text", ["", "[", "[1]", '["1", "", ""]', "[1, 2, 3]", "{}", '[1, "a", null]'])
def test_what_is_no_answer_is_read_as_none(text: str) -> None:
    assert GapAnswer.read(text) is None

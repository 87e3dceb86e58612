"""What the page posts becomes a message or an order, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bot.console.events import from_button, from_post
from bot.errors import BadRequest
from bot.messages import Command, Message

ID = "5f0e1c2ab3d44e55"


def test_a_post_is_a_message_of_its_session() -> None:
    message = from_post({"id": ID, "text": " 経費の締め日は？\n"}, "s1", 100.0)

    assert message == Message(
        id=f"console:s1:{ID}",
        platform="console",
        conversation_id="console:s1",
        user_id="console:s1",
        text="経費の締め日は？",
        sent_at=100.0,
        reply_to={"session": "s1"},
    )


@pytest.mark.parametrize(
    ("text", "name", "language"), [("リセット", "reset", "ja"), ("stop!", "stop", "en"), ("忘れて。", "forget", "ja")]
)
def test_a_word_that_is_an_order_is_a_command(text: str, name: str, language: str) -> None:
    command = from_post({"id": ID, "text": text}, "s1", 100.0)

    assert isinstance(command, Command)
    assert (command.name, command.language, command.conversation_id) == (name, language, "console:s1")


def test_a_question_about_an_order_is_a_message() -> None:
    assert isinstance(from_post({"id": ID, "text": "リセットの方法は？"}, "s1", 100.0), Message)


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"id": ID},
        {"text": "a"},
        {"id": ID, "text": ""},
        {"id": ID, "text": " \n\u3000"},
        {"id": ID, "text": 5},
        {"id": ID, "text": ["a"]},
        {"id": ID, "text": "あ" * 8001},
        {"id": ID, "text": "half a pair \ud800"},
        {"id": 5, "text": "a"},
        {"id": "short", "text": "a"},
        {"id": "x" * 65, "text": "a"},
        {"id": "with space", "text": "a"},
        {"id": "console:other:id", "text": "a"},
        {"id": ID + "\n", "text": "a"},
    ],
)
def test_anything_else_is_refused(posted: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refusal:
        from_post(posted, "s1", 100.0)

    assert refusal.value.status == 400


def test_the_longest_text_is_taken() -> None:
    assert len(from_post({"id": ID, "text": "あ" * 8000}, "s1", 100.0).text) == 8000  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["reset", "stop", "forget"])
def test_a_button_is_an_order(name: str) -> None:
    command = from_button({"name": name}, "s1", "en", 100.0)

    assert command == Command("console", "console:s1", "console:s1", name, "", "en", 100.0, {"session": "s1"})


@pytest.mark.parametrize("name", ["reindex", "", None, ["stop"], {"stop": 1}])
def test_what_no_button_says_is_refused(name: object) -> None:
    with pytest.raises(BadRequest):
        from_button({"name": name}, "s1", "ja", 100.0)

"""Files that people send on LINE: who gets their content, and what is said where nobody does."""

from __future__ import annotations

import logging

import pytest

from bot.errors import DeliveryDeferred, FileRefused
from bot.line.content import LineFiles
from bot.messages import Attachment
from tests.fakes.line import FakeLine, Fault, Response
from tests.fakes.line_content import FakeContent, Sent
from tests.fakes.slack_files import Elsewhere

MOST = 5_000_000
WORDS = "来客用の駐車場は地下二階です。".encode()


@pytest.fixture
def content(line: FakeLine) -> FakeContent:
    fake = FakeContent()
    line.further.append(fake)
    return fake


@pytest.fixture
def files(line: FakeLine) -> LineFiles:
    return LineFiles(line.url, line.access_token, timeout_s=0.5)


def attachment(sent: Sent, size_bytes: int = 0) -> Attachment:
    return Attachment(sent.message_id, sent.name, "", size_bytes, {})


def refusal(files: LineFiles, sent: Sent, most: int = MOST) -> str:
    with pytest.raises(FileRefused) as refused:
        files.fetch(attachment(sent), most)
    return refused.value.why


def test_a_file_is_fetched_with_the_channels_token(content: FakeContent, files: LineFiles) -> None:
    fetched = files.fetch(attachment(content.send("駐車場.txt", WORDS)), MOST)

    assert (fetched.name, fetched.content, fetched.link) == ("駐車場.txt", WORDS, "")


def test_another_token_gets_nothing(line: FakeLine, content: FakeContent) -> None:
    assert refusal(LineFiles(line.url, "another"), content.send("a.txt", WORDS)) == "not_permitted"


@pytest.mark.parametrize("kind", ["text/html", "image/png", "application/json"])
def test_the_type_that_line_names_changes_nothing(content: FakeContent, files: LineFiles, kind: str) -> None:
    sent = content.send("a.txt", WORDS)
    sent.answers = Response(200, WORDS, kind)

    assert files.fetch(attachment(sent), MOST).mimetype == ""


def test_a_file_that_was_unsent_meanwhile_is_gone(content: FakeContent, files: LineFiles) -> None:
    sent = content.send("a.txt", WORDS)
    sent.unsent = True

    assert refusal(files, sent) == "gone"


def test_a_file_that_line_does_not_keep_any_more_is_gone(content: FakeContent, files: LineFiles) -> None:
    sent = content.send("a.txt", WORDS)
    content.sent.clear()

    assert refusal(files, sent) == "gone"


@pytest.mark.parametrize(
    "message_id", ["../../../v2/bot/info", "1/../2", "1?x=1", "1#", "", "%2e%2e", "鍵", "\n", "9" * 400]
)
def test_an_id_that_is_none_leads_nowhere_else(content: FakeContent, files: LineFiles, message_id: str) -> None:
    sent = Sent("a.txt", WORDS, message_id)

    assert refusal(files, sent) == "gone"


@pytest.mark.parametrize("answers", [Fault.FORBIDDEN, Response(401), Response(418)])
def test_what_line_does_not_permit_is_said(content: FakeContent, files: LineFiles, answers: Response | Fault) -> None:
    sent = content.send("a.txt", WORDS)
    sent.answers = answers

    assert refusal(files, sent) == "not_permitted"


def test_a_redirect_is_not_followed(content: FakeContent, files: LineFiles) -> None:
    with Elsewhere() as elsewhere:
        sent = content.send("a.txt", WORDS)
        sent.answers = Response(302, headers={"location": f"{elsewhere.url}/file"})

        assert (refusal(files, sent), elsewhere.authorizations) == ("not_permitted", [])


def test_a_file_that_line_is_still_preparing_is_asked_for_again(content: FakeContent, files: LineFiles) -> None:
    sent = content.send("a.txt", WORDS)
    sent.preparing = 1

    with pytest.raises(DeliveryDeferred):
        files.fetch(attachment(sent), MOST)
    assert files.fetch(attachment(sent), MOST).content == WORDS


@pytest.mark.parametrize(
    "trouble",
    [
        *(Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.NOT_JSON, Fault.RESET_BEFORE_ACCEPTING),
        *(Fault.SLOW, Fault.DRIPPING, Response(408), Response(503)),
        Response(200, WORDS, headers={"content-length": "1000"}),
    ],
)
def test_a_line_that_is_troubled_is_asked_again(
    content: FakeContent, files: LineFiles, trouble: Response | Fault
) -> None:
    sent = content.send("a.txt", WORDS)
    sent.answers = trouble

    with pytest.raises(DeliveryDeferred):
        files.fetch(attachment(sent), MOST)


def test_a_line_that_is_away_is_asked_again(content: FakeContent, line: FakeLine, files: LineFiles) -> None:
    sent = content.send("a.txt", WORDS)
    line.goes_down()
    try:
        with pytest.raises(DeliveryDeferred):
            files.fetch(attachment(sent), MOST)
    finally:
        line.comes_back()


def test_a_file_that_is_said_to_be_larger_is_not_asked_for(content: FakeContent, files: LineFiles) -> None:
    sent = content.send("a.txt", WORDS)

    with pytest.raises(FileRefused, match="too_large"):
        files.fetch(attachment(sent, size_bytes=MOST + 1), MOST)
    assert sent.asked == 0


def test_what_is_larger_than_it_says_is_too_large(content: FakeContent, files: LineFiles) -> None:
    assert refusal(files, content.send("a.txt", b"x" * 1_001), most=1_000) == "too_large"


def test_a_file_of_just_the_size_is_had(content: FakeContent, files: LineFiles) -> None:
    assert len(files.fetch(attachment(content.send("a.txt", b"x" * 1_000)), 1_000).content) == 1_000


def test_an_empty_file_is_one(content: FakeContent, files: LineFiles) -> None:
    assert files.fetch(attachment(content.send("a.txt", b"")), MOST).content == b""


def test_the_log_has_lines_id_of_the_call_and_no_name(
    content: FakeContent, files: LineFiles, caplog: pytest.LogCaptureFixture
) -> None:
    sent = content.send("給与.txt", WORDS)
    with caplog.at_level(logging.INFO):
        files.fetch(attachment(sent), MOST)

    (record,) = [record for record in caplog.records if record.message == "called LINE"]
    assert len(record.__dict__["line_request_id"]) == 32
    assert sent.message_id not in str(record.__dict__)
    assert "給与" not in caplog.text

"""Files on Slack: what an event tells of them, and that the token reaches nobody but Slack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.capabilities import FetchedFile
from bot.errors import DeliveryDeferred, FileRefused
from bot.messages import Attachment, Message, UnreadableRecord
from bot.slack import files as slack_files
from bot.slack.events import parse
from bot.slack.files import SlackFiles, attachments, more_files
from bot.slack.web import slack_client
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.slack_events import message_im
from tests.fakes.slack_files import Elsewhere, Hosted, drop

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"
MOST = 5_000_000
WORDS = "来客用の駐車場は地下二階です。".encode()


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def files(slack: FakeSlack) -> SlackFiles:
    return SlackFiles(slack_client(TOKEN, slack.api_url))


def hosted(slack: FakeSlack, content: bytes = WORDS, name: str = "parking.txt", **told: Any) -> Hosted:
    return slack.workspace.files.add(slack.url, name, content, **told)


def attachment(file: Hosted) -> Attachment:
    (found,) = attachments({"files": [file.told]})
    return found


def fetch(files: SlackFiles, file: Hosted, most: int = MOST) -> FetchedFile:
    return files.fetch(attachment(file), most)


def refusal(files: SlackFiles, file: Hosted, most: int = MOST) -> str:
    with pytest.raises(FileRefused) as refused:
        fetch(files, file, most)
    return refused.value.why


def message_of(envelope: dict[str, Any]) -> Message:
    delivery = parse(envelope)
    assert delivery is not None
    assert isinstance(delivery.event, Message)
    return delivery.event


def test_a_message_carries_the_files_that_came_with_it() -> None:
    message = message_of(json.loads((SAMPLES / "message_file_share_mention.json").read_text("utf-8")))

    (file,) = message.attachments
    assert (file.id, file.name, file.mimetype, file.size_bytes) == ("F0S43PZDF", "規程.pdf", "application/pdf", 31123)
    assert Message.from_json(message.to_json()) == message


def test_files_without_a_word_are_a_message_and_no_call_for_help(slack: FakeSlack) -> None:
    message = message_of(drop(slack, "D1", hosted(slack)))

    assert message.text == ""
    assert [file.name for file in message.attachments] == ["parking.txt"]


def test_a_mention_with_files_alone_is_a_message(slack: FakeSlack) -> None:
    assert len(message_of(drop(slack, "C1", hosted(slack))).attachments) == 1


def test_a_message_of_before_there_were_files_is_read() -> None:
    old = json.loads(message_of(message_im("経費は？")).to_json())
    del old["attachments"], old["more_files"]

    assert Message.from_json(json.dumps(old)).attachments == ()


@pytest.mark.parametrize("stored", [None, 1, "x", ["x"], [{"id": "F1"}], {"id": "F1"}])
def test_a_message_whose_files_are_of_no_known_shape_is_unreadable(stored: object) -> None:
    message = json.loads(message_of(message_im("経費は？")).to_json()) | {"attachments": stored}

    with pytest.raises(UnreadableRecord):
        Message.from_json(json.dumps(message))


def test_of_more_files_than_are_read_it_is_known_how_many(slack: FakeSlack) -> None:
    message = message_of(drop(slack, "D1", *(hosted(slack) for _ in range(8))))

    assert (len(message.attachments), message.more_files) == (5, 3)


@pytest.mark.parametrize(
    "told", [None, 7, "F1", {}, [], {"id": 7}, {"id": "../F1"}, {"id": "F1" * 99}, {"name": "a.txt"}]
)
def test_what_is_no_file_is_passed_over(told: object) -> None:
    assert attachments({"files": [told]}) == ()


@pytest.mark.parametrize("files", [None, "files", {"id": "F1"}, 3])
def test_what_is_no_list_of_files_is_none(files: object) -> None:
    assert (attachments({"files": files}), more_files({"files": files})) == ((), 0)


@pytest.mark.parametrize(("size", "known"), [(-1, 0), ("5", 0), (2**80, 0), (None, 0), (5.5, 0), (12, 12)])
def test_a_size_that_is_none_is_not_known(slack: FakeSlack, size: object, known: int) -> None:
    assert attachment(hosted(slack, size=size)).size_bytes == known


def test_a_name_is_on_one_line_without_what_cannot_be_seen(slack: FakeSlack) -> None:
    assert attachment(hosted(slack, name="給与\n\u202e規程\x00\ud800.pdf")).name == "給与 規程.pdf"


def test_a_name_without_end_keeps_its_ending(slack: FakeSlack) -> None:
    name = attachment(hosted(slack, name="長" * 1000 + ".pdf")).name

    assert (len(name), name[-4:]) == (Attachment.MAX_NAME_CHARS, ".pdf")


def test_a_file_is_fetched_with_the_bots_token(slack: FakeSlack, files: SlackFiles) -> None:
    fetched = fetch(files, hosted(slack))

    assert (fetched.content, fetched.name) == (WORDS, "parking.txt")
    assert fetched.link == "https://mado.slack.com/files/U1/F0001/file"


def test_another_token_gets_nothing(slack: FakeSlack) -> None:
    assert refusal(SlackFiles(slack_client("xoxb-other", slack.api_url)), hosted(slack)) == "not_permitted"


@pytest.mark.parametrize(
    "address",
    [
        "{elsewhere}/file",
        "http://files.slack.com/file",
        "https://files.slack.com.example.com/file",
        "https://files.slack.com@{host}/file",
        "https://files.slack.com\\@{host}/file",
        "https://slack.com/file",
        "file:///etc/passwd",
        "{elsewhere}#@files.slack.com/",
        "https://files.slack.com:8443/file",
        "https://files.slack.com:65536/file",
        "",
        7,
    ],
)
def test_the_token_goes_to_no_other_host(slack: FakeSlack, files: SlackFiles, address: Any) -> None:
    with Elsewhere() as elsewhere:
        if isinstance(address, str):
            address = address.format(elsewhere=elsewhere.url, host=elsewhere.url.removeprefix("http://"))
        why = refusal(files, hosted(slack, url_private_download=address, url_private=address))

        assert (why, elsewhere.authorizations) == ("elsewhere", [])


def test_a_redirect_is_not_followed(slack: FakeSlack, files: SlackFiles) -> None:
    with Elsewhere() as elsewhere:
        file = hosted(slack)
        file.trouble, file.leads_to = "redirect", f"{elsewhere.url}/file"

        assert (refusal(files, file), elsewhere.authorizations) == ("not_permitted", [])


def test_what_lies_on_another_companys_drive_is_not_asked_for(slack: FakeSlack, files: SlackFiles) -> None:
    file = hosted(slack, mode="external", is_external=True)

    assert (refusal(files, file), file.asked) == ("elsewhere", 0)


def test_a_sign_in_page_is_no_file(slack: FakeSlack, files: SlackFiles) -> None:
    slack.workspace.files.scoped = False

    assert refusal(files, hosted(slack)) == "not_permitted"


def test_a_page_under_another_type_is_no_file_either(slack: FakeSlack, files: SlackFiles) -> None:
    assert refusal(files, hosted(slack, b"\n<!DOCTYPE html><title>Sign in</title>")) == "not_permitted"


def test_a_file_that_was_deleted_meanwhile_is_gone(slack: FakeSlack, files: SlackFiles) -> None:
    file = hosted(slack)
    file.deleted = True

    assert refusal(files, file) == "gone"


@pytest.mark.parametrize("mode", ["tombstone", "hidden_by_limit"])
def test_what_slack_hides_is_gone(slack: FakeSlack, files: SlackFiles, mode: str) -> None:
    file = hosted(slack)
    file.told["mode"] = mode

    assert refusal(files, file) == "gone"


def test_a_file_of_another_company_is_looked_up(slack: FakeSlack, files: SlackFiles) -> None:
    file = hosted(slack)
    stub = {"id": file.told["id"], "mode": "file_access", "file_access": "check_file_info"}
    (shared,) = attachments({"files": [stub]})

    fetched = files.fetch(shared, MOST)

    assert (fetched.name, fetched.mimetype, fetched.content) == ("parking.txt", "text/plain", WORDS)


@pytest.mark.parametrize(("scoped", "deleted", "why"), [(False, False, "not_permitted"), (True, True, "gone")])
def test_a_file_that_cannot_be_looked_up_is_refused(
    slack: FakeSlack, files: SlackFiles, scoped: bool, deleted: bool, why: str
) -> None:
    file = hosted(slack, file_access="check_file_info")
    slack.workspace.files.scoped, file.deleted = scoped, deleted

    assert refusal(files, file) == why


def test_what_is_larger_than_it_says_is_not_read_to_its_end(slack: FakeSlack, files: SlackFiles) -> None:
    assert refusal(files, hosted(slack, b"x" * 5_000, size=5), most=1_000) == "too_large"


def test_a_body_without_end_is_too_large(slack: FakeSlack, files: SlackFiles) -> None:
    file = hosted(slack)
    file.trouble = "endless"

    assert refusal(files, file, most=200_000) == "too_large"


def test_a_body_that_ends_early_is_asked_for_again(slack: FakeSlack, files: SlackFiles) -> None:
    file = hosted(slack)
    file.trouble = "cut"

    with pytest.raises(DeliveryDeferred):
        fetch(files, file)


@pytest.mark.parametrize("trouble", ["500", "429"])
def test_a_slack_that_is_troubled_is_asked_again(slack: FakeSlack, files: SlackFiles, trouble: Any) -> None:
    file = hosted(slack)
    file.trouble = trouble

    with pytest.raises(DeliveryDeferred):
        fetch(files, file)


def test_a_slack_that_hangs_is_left_in_time(
    slack: FakeSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_files, "TIMEOUT_S", 0.3)
    file = hosted(slack)
    file.trouble = "hangs"

    with pytest.raises(DeliveryDeferred):
        fetch(files, file)


@pytest.mark.parametrize(
    "link", ["https://evil.example.com/files/x", "javascript:alert(1)", "https://a.slack.com/files/<x>", 3]
)
def test_a_link_that_is_not_slacks_is_none(slack: FakeSlack, files: SlackFiles, link: object) -> None:
    assert fetch(files, hosted(slack, permalink=link)).link == ""

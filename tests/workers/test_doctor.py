"""`madoguchi doctor` and `line setup` in the terminal: what they print, how they end, and that no service runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.slack.scopes import SCOPES
from tests.fakes.line import FakeLine
from tests.fakes.line_account import FakeAccount
from tests.fakes.slack import TOKEN, FakeSlack
from workers.cli import main


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeSlack]:
    """A Slack that is configured, and no service."""
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "PUBLIC_URL", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "data"))
    with FakeSlack() as fake:
        fake.scopes = ",".join(SCOPES)
        monkeypatch.setenv("SLACK_API_URL", fake.api_url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
        monkeypatch.setenv("SLACK_SIGNING_SECRET", "sign-very-secret")
        yield fake


@pytest.mark.usefixtures("slack")
def test_where_nothing_is_missing_it_ends_well_though_no_service_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "slack"]) == 0

    out = capsys.readouterr().out
    assert "ok    SLACK_BOT_TOKEN works" in out
    assert "?     the service does not run" in out
    assert "BAD" not in out


def test_a_missing_scope_ends_badly_and_is_told_without_a_secret(
    slack: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.scopes = "chat:write"

    assert main(["doctor", "slack"]) == 1

    out, err = capsys.readouterr()
    assert f"BAD   scope im:history is missing: {SCOPES['im:history']}" in out
    assert TOKEN not in out + err
    assert "very-secret" not in out + err


@pytest.mark.usefixtures("slack")
def test_half_of_slack_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN")

    assert main(["doctor", "slack"]) == 2
    assert "SLACK_BOT_TOKEN missing" in capsys.readouterr().err


@pytest.mark.usefixtures("slack")
def test_without_slack_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.delenv("SLACK_SIGNING_SECRET")

    assert main(["doctor", "slack"]) == 1
    assert "Slack is off" in capsys.readouterr().err


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(endpoint="https://old.example.jp/line/webhook")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, account: FakeAccount) -> Iterator[FakeLine]:
    """A LINE that is configured, and no service."""
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "ADMIN_USERS", "LINE_ACCESS", "LINE_PUSH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("PUBLIC_URL", "https://desk.example.invalid")
    monkeypatch.setenv("LINE_CHANNEL_SECRET", "sign-very-secret")
    with FakeLine(access_token="token-very-secret") as fake:
        fake.further.append(account)
        monkeypatch.setenv("LINE_CHANNEL_ACCESS_TOKEN", fake.access_token)
        monkeypatch.setenv("LINE_API_URL", fake.url)
        monkeypatch.setenv("LINE_DATA_API_URL", fake.url)
        yield fake


@pytest.mark.usefixtures("line")
def test_lines_setup_says_what_it_did_and_ends_badly_while_something_is_left(
    account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["line", "setup"]) == 1

    out, err = capsys.readouterr()
    assert "done  LINE's webhook address is set to https://desk.example.invalid/line/webhook" in out
    assert "BAD   a test event of LINE's came to nothing" in out
    assert len(account.menus) == 2
    assert "very-secret" not in out + err


@pytest.mark.usefixtures("line")
def test_lines_setup_tried_dry_changes_nothing(account: FakeAccount, capsys: pytest.CaptureFixture[str]) -> None:
    main(["line", "setup", "--dry-run"])

    assert "would make rich menu madoguchi-ja-" in capsys.readouterr().out
    assert account.endpoint == "https://old.example.jp/line/webhook"
    assert account.menus == {}


@pytest.mark.usefixtures("line")
def test_lines_doctor_needs_no_running_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "line"]) == 1

    out, err = capsys.readouterr()
    assert "ok    LINE_CHANNEL_ACCESS_TOKEN works" in out
    assert "?     the service does not run" in out
    assert "very-secret" not in out + err


@pytest.mark.usefixtures("line")
@pytest.mark.parametrize("command", [["doctor", "line"], ["line", "setup"]])
def test_half_of_line_and_none_of_it_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.delenv("LINE_CHANNEL_SECRET")
    assert main(command) == 2
    assert "LINE_CHANNEL_SECRET missing" in capsys.readouterr().err

    monkeypatch.delenv("LINE_CHANNEL_ACCESS_TOKEN")
    assert main(command) == 1
    assert "LINE is off" in capsys.readouterr().err

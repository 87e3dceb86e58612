"""`madoguchi doctor slack` in the terminal: what it prints, how it ends, and that it needs no running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.slack.scopes import SCOPES
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

"""The documentation of the settings is the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from bot.errors import SettingsIncomplete
from bot.settings import MAX_SOCKET_PATH_BYTES, BotSettings, embedded_socket
from knowledge.settings import KnowledgeSettings
from workers.policy import Policies, PolicyInvalid
from workers.settings import WorkerSettings

ROOT = Path(__file__).parent.parent
CLASSES: tuple[type[BaseSettings], ...] = (BotSettings, WorkerSettings, KnowledgeSettings)


def documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def defaults() -> dict[str, str]:
    found = {}
    for settings in CLASSES:
        for name, field in settings.model_fields.items():
            default = field.default
            found[name.upper()] = default.get_secret_value() if isinstance(default, SecretStr) else _written(default)
    return found


def _written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_env_example_names_every_setting_with_its_default() -> None:
    assert documented() == defaults()


@pytest.mark.parametrize("settings", CLASSES)
def test_env_example_can_be_used_as_it_is(settings: type[BaseSettings]) -> None:
    assert settings(_env_file=ROOT / ".env.example") == settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"slack_bot_token": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
        ({"slack_signing_secret": "s"}, "SLACK_BOT_TOKEN"),
        ({"slack_app_token": "xapp-1"}, "SLACK_BOT_TOKEN"),
    ],
)
def test_half_of_slack_is_an_error_that_names_the_other_half(given: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsIncomplete, match=missing):
        _ = BotSettings(_env_file=None, **given).slack_on  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ways_in", "webhook", "socket"),
    [
        ({"slack_signing_secret": "s"}, True, False),
        ({"slack_app_token": "xapp-1"}, False, True),
        ({"slack_signing_secret": "s", "slack_app_token": "xapp-1"}, True, True),
    ],
)
def test_slack_is_on_with_either_way_in(ways_in: dict[str, str], webhook: bool, socket: bool) -> None:
    settings = BotSettings(_env_file=None, slack_bot_token="xoxb-1", **ways_in)  # type: ignore[arg-type]

    assert (settings.slack_on, settings.slack_webhook_on, settings.slack_socket_on) == (True, webhook, socket)


def test_half_of_line_is_an_error_that_names_the_other_half() -> None:
    with pytest.raises(SettingsIncomplete, match="LINE_CHANNEL_ACCESS_TOKEN"):
        _ = BotSettings(_env_file=None, line_channel_secret=SecretStr("s")).line_on  # type: ignore[call-arg]


@pytest.mark.parametrize("given", [{"port": "0"}, {"slack_api_url": "slack.com/api"}, {"line_push": "sometimes"}])
def test_a_setting_that_makes_no_sense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        BotSettings(_env_file=None, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["desk.example.jp", "https://", "https:///a", "https://a b", "https://a/?x=1", "https://a#b", "ftp://a"]
)
def test_an_address_that_no_link_can_begin_with_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        BotSettings(_env_file=None, public_url=address)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "address", ["https://desk.example.jp", "https://desk.example.jp/", "http://10.0.0.2:8000/desk"]
)
def test_a_public_address_ends_with_one_slash(address: str) -> None:
    settings = BotSettings(_env_file=None, public_url=address)  # type: ignore[call-arg]

    assert settings.public_url == address.rstrip("/") + "/"


@pytest.mark.parametrize(
    "names", ["U4af4980629aa4f1f8e3b2c1d5e6f7a8b", "line:U123", "line:X" + "0" * 32, "slack:U1", "line:U" + "A" * 32]
)
def test_who_cannot_be_on_line_is_not_let_in_by_name(names: str) -> None:
    with pytest.raises(ValidationError, match=r"line_allowed[\s\S]*is no id of LINE"):
        BotSettings(_env_file=None, line_allowed=f"line:C{'0' * 32}, {names}")  # type: ignore[call-arg]


def test_whom_line_allowed_names_may_stand_between_spaces() -> None:
    person, group = f"line:U{'0' * 32}", f"line:C{'1' * 32}"
    settings = BotSettings(_env_file=None, line_allowed=f" {person} ,{group},")  # type: ignore[call-arg]

    assert settings.line_allowed_ids == {person, group}


def test_secrets_do_not_show_in_a_log() -> None:
    settings = BotSettings(_env_file=None, slack_bot_token=SecretStr("xoxb-very-secret"))  # type: ignore[call-arg]

    assert "very-secret" not in repr(settings)


def test_a_long_data_path_gives_a_socket_that_the_system_can_open(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-folder-name"] * 8)

    assert len(bytes(embedded_socket(deep))) <= MAX_SOCKET_PATH_BYTES
    assert embedded_socket(deep) != embedded_socket(deep / "other")


def test_the_shipped_madoguchi_toml_says_what_holds_without_it() -> None:
    shipped = Policies.read(ROOT / "madoguchi.toml").of(frozenset())

    assert shipped == Policies.read(ROOT / "no such file").of(frozenset())


def test_a_channel_differs_only_in_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text('[answers]\ncontact = "総務"\n[channels."slack:C1"]\noutside = "general"\n', encoding="utf-8")

    policies = Policies.read(file)

    there = policies.of(frozenset({"public", "slack:C1"}))
    assert (there.general, there.contact) == (True, "総務")
    assert not policies.of(frozenset({"public", "slack:C2"})).general


def test_what_a_channel_hears_and_from_whom_is_no_policy(tmp_path: Path) -> None:
    file = tmp_path / "madoguchi.toml"
    settings = '[channels."slack:C1"]\nlisten = "all"\nallowed_users = ["slack:U1"]\nsources = ["規程", "FAQ"]\n'
    file.write_text(settings, encoding="utf-8")

    policies = Policies.read(file)

    assert policies.of(frozenset({"slack:C1"})).sources == ("規程", "FAQ")
    assert policies.unknown_sources({"規程", "旅費"}) == ("FAQ",)


@pytest.mark.parametrize(
    "content",
    [
        '[answers]\nlisten = "all"',
        '[channels."slack:C1"]\nlisten_to = "all"',
        '[channels."slack:C1"]\nsources = "規程"',
        '[answers]\nsuggested_prompts = ["1", "2", "3", "4", "5"]',
        f'[answers]\nsuggested_prompts = ["{"あ" * 76}"]',
        '[answers]\nsuggested_prompts = [""]',
    ],
)
def test_a_setting_that_is_none_or_is_misplaced_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(PolicyInvalid, match=r"madoguchi\.toml"):
        Policies.read(file)


@pytest.mark.parametrize(
    "content", ["[answers", "[answers]\noutside = 3", "[answers]\nspelt_wrong = 1", "channels = 1", "answers = 1"]
)
def test_a_madoguchi_toml_that_cannot_be_followed_names_itself(tmp_path: Path, content: str) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(PolicyInvalid, match=r"madoguchi\.toml"):
        Policies.read(file)

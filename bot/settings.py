"""The settings of the edges, from the environment and `.env`; built in the entry points only."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsIncomplete
from bot.line.ids import LINE_ID

NO_SECRET = SecretStr("")
_PUBLIC = re.compile(r"https?://[^\s/?#<>|]+(/[^\s?#<>|]*)?")


def _base_address(url: str) -> str:
    """A base address with its scheme and one slash at the end."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/") + "/"


def _public_address(url: str) -> str:
    """A base address that others can be made from, or none."""
    if url and not _PUBLIC.fullmatch(url):
        raise ValueError("must be like https://desk.example.jp, with a path at most")
    return _base_address(url) if url else ""


def _line_ids(names: str) -> str:
    """People, groups and rooms of LINE, separated by commas."""
    for name in _listed(names):
        if not LINE_ID.fullmatch(name):
            raise ValueError(f"{name!r} is no id of LINE, which is line:U, line:C or line:R and 32 digits 0-9 a-f")
    return names


def _listed(names: str) -> frozenset[str]:
    return frozenset(filter(None, (name.strip() for name in names.split(","))))


BaseAddress = Annotated[str, AfterValidator(_base_address)]
PublicAddress = Annotated[str, AfterValidator(_public_address)]
LineIds = Annotated[str, AfterValidator(_line_ids)]


class BotSettings(BaseSettings):
    """Everything that the web process and the senders read. A platform without secrets is off."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    slack_bot_token: SecretStr = NO_SECRET
    slack_signing_secret: SecretStr = NO_SECRET
    slack_app_token: SecretStr = NO_SECRET
    """An app-level token (`xapp-…`): Slack is listened to over a WebSocket of ours, in place of or beside webhooks."""
    slack_api_url: BaseAddress = "https://slack.com/api/"

    line_channel_secret: SecretStr = NO_SECRET
    line_channel_access_token: SecretStr = NO_SECRET
    line_api_url: BaseAddress = "https://api.line.me/"
    line_data_api_url: BaseAddress = "https://api-data.line.me/"
    """LINE has files, and the pictures of menus, on a host of their own."""
    line_access: Literal["pairing", "allowlist", "open"] = "pairing"
    line_allowed: LineIds = ""
    """Who is let in beside the administrators, as `line:U…`, `line:C…`, `line:R…`."""
    line_call_words: str = "窓口"
    """What calls the bot at the beginning of a text in a group, separated by commas; a comma alone: nothing does."""
    line_push: Literal["never", "quota", "always"] = "never"
    line_push_reserve: int = Field(default=20, ge=0, le=1_000_000)
    """Messages of the month that LINE_PUSH=quota leaves for others."""

    console_token: SecretStr = NO_SECRET
    admin_users: str = ""
    person_messages_per_minute: int = Field(default=30, ge=0, le=10_000)
    """Beyond it a person gets a notice in place of answers. 0: no limit."""
    votes_may_train: bool = False
    """The button under an answer asks who presses it to lend question and answer for training."""
    public_url: PublicAddress = ""
    """Where people reach the web process; empty: they do not, and answers link to no pages of cited passages."""
    redis_url: str = ""
    data_path: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    @property
    def slack_on(self) -> bool:
        """Whether Slack is configured: with a bot token and a way in, the signing secret or the app-level token.

        Raises:
            SettingsIncomplete: only a part of it is.
        """
        way_in = self.slack_signing_secret or self.slack_app_token
        return _all_or_none(
            SLACK_BOT_TOKEN=self.slack_bot_token,
            **{"SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN)": way_in},
        )

    @property
    def slack_webhook_on(self) -> bool:
        """Whether Slack may call `/slack/events`; raises as `slack_on` does."""
        return self.slack_on and len(self.slack_signing_secret) > 0

    @property
    def slack_socket_on(self) -> bool:
        """Whether Slack is listened to over a WebSocket (Socket Mode); raises as `slack_on` does."""
        return self.slack_on and len(self.slack_app_token) > 0

    @property
    def line_on(self) -> bool:
        """Whether LINE is configured.

        Raises:
            SettingsIncomplete: only a part of it is.
        """
        return _all_or_none(
            LINE_CHANNEL_SECRET=self.line_channel_secret,
            LINE_CHANNEL_ACCESS_TOKEN=self.line_channel_access_token,
        )

    @property
    def admins(self) -> frozenset[str]:
        """The people who may administer, as `slack:U…` and `line:U…`."""
        return _listed(self.admin_users)

    @property
    def line_allowed_ids(self) -> frozenset[str]:
        """The people, groups and rooms of LINE_ALLOWED."""
        return _listed(self.line_allowed)

    @property
    def store_url(self) -> str:
        """REDIS_URL, else the socket of the embedded store under DATA_PATH."""
        return self.redis_url or f"unix://{embedded_socket(self.data_path)}"


MAX_SOCKET_PATH_BYTES = 100
"""Unix socket paths end at 108 bytes on Linux and at 104 on macOS (sys/un.h)."""


def embedded_socket(data_path: Path) -> Path:
    """Where the embedded store listens: under DATA_PATH, or, where that is too long, under the temporary folder."""
    socket = data_path.resolve() / "store" / "store.sock"
    if len(bytes(socket)) <= MAX_SOCKET_PATH_BYTES:
        return socket
    name = hashlib.sha256(bytes(socket)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"madoguchi-{os.getuid()}-{name}" / "store.sock"


def _all_or_none(**secrets: SecretStr) -> bool:
    missing = [name for name, secret in secrets.items() if not secret.get_secret_value()]
    if missing and len(missing) < len(secrets):
        raise SettingsIncomplete(f"half configured: {', '.join(missing)} missing")
    return not missing

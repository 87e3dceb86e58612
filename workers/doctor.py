"""`madoguchi doctor` and `madoguchi line setup`: what keeps a platform from working, also with the service stopped."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from bot.access import Access
from bot.findings import Finding
from bot.line import doctor as line_doctor
from bot.line.account import LineAccount
from bot.line.menus_there import MenusThere
from bot.line.sender import line_api
from bot.line.setup import set_up
from bot.settings import BotSettings
from bot.sightings import Sightings
from bot.slack.doctor import examine
from bot.slack.web import slack_client
from bot.store import connect
from workers.settings import STORE_TIMEOUT_S
from workers.terminal import print_line

_MARKS = {"ok": "ok", "bad": "BAD", "unknown": "?", "done": "done", "would": "would"}


def slack(_: argparse.Namespace) -> int:
    """Examine the Slack app; 1 when something keeps it from working."""
    settings = BotSettings()
    if not settings.slack_on:
        print(
            "Slack is off: SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN, are not set", file=sys.stderr
        )
        return 1
    client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    sightings = Sightings(connect(settings.store_url, timeout_s=STORE_TIMEOUT_S), "slack")
    return _told(examine(settings, client, sightings))


def line(_: argparse.Namespace) -> int:
    """Examine the LINE channel; 1 when something keeps it from working."""
    settings = BotSettings()
    if not settings.line_on:
        return _line_is_off()
    account, menus = _line(settings)
    store = connect(settings.store_url, timeout_s=STORE_TIMEOUT_S)
    access = Access.of(settings, store)
    return _told(line_doctor.examine(settings, account, menus, Sightings(store, "line"), access))


def set_up_line(chosen: argparse.Namespace) -> int:
    """Set up the LINE channel as far as its API allows; 1 when something is left to be done before it works."""
    settings = BotSettings()
    if not settings.line_on:
        return _line_is_off()
    account, menus = _line(settings)
    return _told(set_up(settings, account, menus, dry_run=chosen.dry_run))


def _line(settings: BotSettings) -> tuple[LineAccount, MenusThere]:
    token = settings.line_channel_access_token.get_secret_value()
    api = line_api(settings.line_api_url, token)
    return LineAccount(api), MenusThere(api, line_api(settings.line_data_api_url, token))


def _line_is_off() -> int:
    print("LINE is off: LINE_CHANNEL_SECRET and LINE_CHANNEL_ACCESS_TOKEN are not set", file=sys.stderr)
    return 1


def _told(findings: Iterable[Finding]) -> int:
    """Print each as it is found; 1 when one is bad."""
    states = set()
    for finding in findings:
        print_line(f"{_MARKS[finding.state]:5} {finding.text}")
        states.add(finding.state)
    return 1 if "bad" in states else 0

"""`madoguchi doctor`: what keeps a platform from working, in plain words, also while the service is stopped."""

from __future__ import annotations

import argparse
import sys

from bot.settings import BotSettings
from bot.sightings import Sightings
from bot.slack.doctor import examine
from bot.slack.web import slack_client
from bot.store import connect
from workers.settings import STORE_TIMEOUT_S
from workers.terminal import print_line

_MARKS = {"ok": "ok", "bad": "BAD", "unknown": "?"}


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
    states = set()
    for finding in examine(settings, client, sightings):
        print_line(f"{_MARKS[finding.state]:4} {finding.text}")
        states.add(finding.state)
    return 1 if "bad" in states else 0

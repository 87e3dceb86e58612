"""The ways out of every platform that is configured."""

from __future__ import annotations

import redis

from bot.access import Access
from bot.console.sender import ConsoleSender
from bot.line.api import LineApi
from bot.line.content import LineFiles
from bot.line.quota import Always, Never, Pushing, Quota
from bot.line.sender import LineSender, line_api
from bot.platform import Sender
from bot.settings import BotSettings
from bot.slack.limiter import Limiter
from bot.slack.sender import SlackSender
from bot.slack.web import slack_client


def senders(settings: BotSettings, store: redis.Redis, *, threads: int) -> dict[str, Sender]:
    """A sender by the name of its platform.

    Args:
        threads: how many threads send; a platform that does not answer holds half of them at most.

    Raises:
        SettingsIncomplete: a platform is half configured.
    """
    at_once = max(1, threads // 2)
    ways: dict[str, Sender] = {"console": ConsoleSender(store, may_train=settings.votes_may_train)}
    if settings.slack_on:
        token = settings.slack_bot_token.get_secret_value()
        client = slack_client(token, settings.slack_api_url, at_once, limiter=Limiter(store, token))
        ways["slack"] = SlackSender(client, store, may_train=settings.votes_may_train)
    if settings.line_on:
        ways["line"] = line_sender(settings, store, at_once)
    return ways


def line_sender(settings: BotSettings, store: redis.Redis, at_once: int) -> LineSender:
    """LINE's sender, which can also hand out what it kept; it makes `at_once` calls at most at the same time."""
    token = settings.line_channel_access_token.get_secret_value()
    api = line_api(settings.line_api_url, token, at_once=at_once)
    return LineSender(
        api,
        store,
        pushing=pushing(settings, api, store),
        files=LineFiles(settings.line_data_api_url, token),
        access=Access.of(settings, store),
        may_train=settings.votes_may_train,
    )


def pushing(settings: BotSettings, api: LineApi, store: redis.Redis) -> Pushing:
    """What LINE_PUSH allows."""
    match settings.line_push:
        case "never":
            return Never()
        case "quota":
            return Quota(api, store, settings.line_push_reserve)
        case "always":
            return Always()

"""What keeps the app from working in Slack, found out without its settings page: a bot token may not read that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bot.errors import DeliveryError, StoreUnavailable
from bot.findings import Finding, ago, clock_skew_s, unsigned_call
from bot.settings import BotSettings
from bot.sightings import Sightings
from bot.slack.scopes import EVENTS, EXPECTED, SCOPES
from bot.slack.web import SlackClient, call

MOST_SKEW_S = 300
"""Slack's signatures end after so long (docs.slack.dev, verifying requests)."""
_SAYS = {
    "invalid_auth": "it is none of Slack's: copy it once more from Install App",
    "not_authed": "it is none of Slack's: copy it once more from Install App",
    "account_inactive": "the app was uninstalled: install it, and copy the new token",
    "token_revoked": "it was revoked: install the app again, and copy the new token",
    "not_allowed_token_type": "it is a token of another kind (the app-level one begins with xapp-)",
    "missing_scope": "it lacks the scope connections:write: make a new one under Basic Information",
}


def examine(settings: BotSettings, client: SlackClient, sightings: Sightings) -> Iterator[Finding]:
    """Look at everything, one after the other; nothing is changed anywhere."""
    yield from _token(client)
    if settings.slack_socket_on:
        yield _app_token(client, settings.slack_app_token.get_secret_value())
    if settings.slack_webhook_on:
        yield _address(settings.public_url)
    yield from _events(sightings)


def _token(client: SlackClient) -> Iterator[Finding]:
    try:
        answer = call(client.auth_test)
    except DeliveryError as error:
        yield Finding("bad", f"SLACK_BOT_TOKEN does not work: {_reason(error)}")
        return
    yield Finding("ok", f"SLACK_BOT_TOKEN works, in {answer.get('url', '?')}")
    yield from _scopes(answer.headers)
    yield _clock(answer.headers)


def _scopes(headers: Any) -> Iterator[Finding]:
    told = headers.get("X-Oauth-Scopes")
    if told is None:
        yield Finding("unknown", "Slack did not say which scopes the token has")
        return
    granted = {scope.strip() for scope in told.split(",")}
    missing = [scope for scope in SCOPES if scope not in granted]
    for scope in missing:
        yield Finding("bad", f"scope {scope} is missing: {SCOPES[scope]}")
    if missing:
        yield Finding("bad", "add them under OAuth & Permissions (docs/slack-manifest.yaml has all), then reinstall")
    else:
        yield Finding("ok", f"the token has all {len(SCOPES)} scopes")


def _clock(headers: Any) -> Finding:
    skew_s = clock_skew_s(headers.get("Date"))
    if skew_s is None:
        return Finding("unknown", "Slack did not say what time it is")
    if abs(skew_s) > MOST_SKEW_S:
        return Finding("bad", f"this machine's clock is {skew_s:+d} s off: no webhook's signature is believed")
    return Finding("ok", f"this machine's clock agrees with Slack's within {max(1, abs(skew_s))} s")


def _app_token(client: SlackClient, token: str) -> Finding:
    try:
        call(client.apps_connections_open, app_token=token)
    except DeliveryError as error:
        return Finding("bad", f"SLACK_APP_TOKEN opens no connection (Socket Mode): {_reason(error)}")
    return Finding("ok", "SLACK_APP_TOKEN opens connections (Socket Mode)")


def _address(public_url: str) -> Finding:
    if not public_url:
        return Finding("unknown", "PUBLIC_URL is not set: whether Slack can reach this service was not tried")
    return unsigned_call(f"{public_url}slack/events")


def _events(sightings: Sightings) -> Iterator[Finding]:
    try:
        seen = sightings.all()
    except StoreUnavailable:
        yield Finding("unknown", "the service does not run: which events have come cannot be told")
        return
    for kind in EXPECTED:
        what = f" ({EVENTS[kind]})" if kind in EVENTS else ""
        if kind in seen:
            yield Finding("ok", f"{kind} has come, last {ago(time.time() - seen[kind])} ago")
        else:
            yield Finding("unknown", f"{kind} has never come{what}: try it, or look under {_page(kind)}")


def _page(kind: str) -> str:
    pages = {"interaction": "Interactivity & Shortcuts", "command": "Slash Commands"}
    return pages.get(kind, "Event Subscriptions")


def _reason(error: DeliveryError) -> str:
    name = str(error)
    return f"{_SAYS[name]} ({name})" if name in _SAYS else name

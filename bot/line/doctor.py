"""What keeps the bot from working on LINE, found out without LINE's console; nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from bot.access import Access
from bot.errors import DeliveryError, StoreUnavailable
from bot.findings import REACH_WITHIN_S, Finding, ago, clock_skew_s, unsigned_call
from bot.line import channel
from bot.line.account import LineAccount, Webhook
from bot.line.events import TOKEN_LAST_CHANCE_S
from bot.line.ids import LINE_ID
from bot.line.menu import menus
from bot.line.menus_there import MenusThere
from bot.line.sightings import EXPECTED
from bot.settings import BotSettings
from bot.sightings import Sightings

MOST_SKEW_S = 300
"""Less than TOKEN_LAST_CHANCE_S: a clock that is that much ahead takes every reply token for a dead one."""


def examine(
    settings: BotSettings, account: LineAccount, there: MenusThere, sightings: Sightings, access: Access
) -> Iterator[Finding]:
    """Look at everything, one after the other."""
    token = channel.token(account)
    yield token
    yield _clock(settings.line_api_url)
    if token.state == "ok":
        yield from _webhook(account, channel.wanted_address(settings))
        yield _menu(there)
        yield channel.quota(account, settings)
    if address := channel.wanted_address(settings):
        yield unsigned_call(address)
    yield from _admins(settings)
    yield from _in_the_store(settings, sightings, access)
    yield from channel.by_hand()


def _clock(api_url: str) -> Finding:
    """Whether this machine's clock agrees with LINE's, which its answer to a call without a token tells, too."""
    try:
        skew_s = clock_skew_s(httpx.get(f"{api_url}v2/bot/info", timeout=REACH_WITHIN_S).headers.get("Date"))
    except httpx.HTTPError:
        skew_s = None
    if skew_s is None:
        return Finding("unknown", "LINE did not say what time it is")
    if abs(skew_s) > MOST_SKEW_S:
        late = f"; {TOKEN_LAST_CHANCE_S // 60} minutes ahead, no answer would be free any more" if skew_s > 0 else ""
        return Finding("bad", f"this machine's clock is {skew_s:+d} s off: messages are put in a wrong order{late}")
    return Finding("ok", f"this machine's clock agrees with LINE's within {max(1, abs(skew_s))} s")


def _webhook(account: LineAccount, wanted: str) -> Iterator[Finding]:
    try:
        now = account.webhook()
    except DeliveryError as error:
        yield Finding("unknown", f"LINE does not tell the webhook's address: {channel.reason(error)}")
        return
    if now is None:
        yield Finding("bad", "LINE has no webhook address: run `madoguchi line setup`")
        return
    yield _address(now, wanted)
    yield channel.use_webhook(now)
    yield channel.trial(account, wanted or now.address)


def _address(now: Webhook, wanted: str) -> Finding:
    if not wanted:
        return Finding("unknown", f"LINE's webhook address is {now.address}; PUBLIC_URL is not set to compare it with")
    if now.address == wanted:
        return Finding("ok", f"LINE's webhook address is {wanted}")
    told = f"LINE's webhook address is {now.address} in the place of {wanted}"
    return Finding("bad", f"{told}: run `madoguchi line setup`, or mend PUBLIC_URL")


def _menu(there: MenusThere) -> Finding:
    try:
        standing = there.look()
    except DeliveryError as error:
        return Finding("unknown", f"LINE does not tell of its rich menus: {channel.reason(error)}")
    ids = [standing.id_of(menu) for menu in menus()]
    if all(ids) and standing.default == ids[0]:
        return Finding("ok", "the rich menu is there, in both languages, and everybody sees it")
    return Finding("unknown", "the rich menu is not there, not all of it, or another is shown: `madoguchi line setup`")


def _in_the_store(settings: BotSettings, sightings: Sightings, access: Access) -> Iterator[Finding]:
    try:
        seen, admitted = sightings.all(), access.admitted()
    except StoreUnavailable:
        yield Finding("unknown", "the service does not run: which events have come, and who is let in, cannot be told")
        return
    yield _let_in(settings, len(admitted))
    for kind, what in EXPECTED.items():
        if kind in seen:
            yield Finding("ok", f"{kind} has come, last {ago(time.time() - seen[kind])} ago")
        else:
            yield Finding("unknown", f"{kind} has never come ({what})")


def _admins(settings: BotSettings) -> Iterator[Finding]:
    """Administrators whom LINE would never name so, and who thus are none."""
    for who in sorted(settings.admins):
        if not who.startswith("slack:") and not LINE_ID.fullmatch(who):
            yield Finding("bad", f"ADMIN_USERS: {who} is nobody's ID; on LINE it is line:U and 32 digits 0-9 a-f")


def _let_in(settings: BotSettings, admitted: int) -> Finding:
    if settings.line_access == "open":
        return Finding("ok", "LINE_ACCESS=open: everybody is answered, from public documents only")
    admins = sum(bool(LINE_ID.fullmatch(who)) for who in settings.admins)
    told = f"LINE_ACCESS={settings.line_access}: {admitted} people and groups are let in, and {admins} administrators"
    if admitted or admins:
        return Finding("ok", told)
    how = "invite` prints a code" if settings.line_access == "pairing" else "allow ID` lets somebody in"
    return Finding("unknown", f"{told}: nobody is answered yet. `madoguchi line {how}")

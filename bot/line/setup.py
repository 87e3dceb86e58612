"""`madoguchi line setup`: puts right what can be put right through LINE's API, and says what has to be done by hand."""

from __future__ import annotations

from collections.abc import Iterator

from bot.errors import DeliveryError
from bot.findings import Finding
from bot.line import channel
from bot.line.account import LineAccount, Webhook
from bot.line.api import NotTaken
from bot.line.menu import menus
from bot.line.menus_there import MenusThere, put_up
from bot.settings import BotSettings


def set_up(settings: BotSettings, account: LineAccount, there: MenusThere, *, dry_run: bool) -> Iterator[Finding]:
    """Set the webhook's address and the rich menus, where they are not as they should be, and tell of everything else.

    With `dry_run` nothing is changed, and what would be is told.
    """
    token = channel.token(account)
    yield token
    if token.state != "ok":
        return
    yield from _webhook(account, channel.wanted_address(settings), dry_run=dry_run)
    yield from put_up(there, menus(), dry_run=dry_run)
    yield channel.quota(account, settings)
    yield from channel.by_hand()


def _webhook(account: LineAccount, wanted: str, *, dry_run: bool) -> Iterator[Finding]:
    try:
        address = _address(account, account.webhook(), wanted, dry_run=dry_run)
        yield address
        now = account.webhook()
    except NotTaken:
        yield channel.not_taken(wanted)
        return
    except DeliveryError as error:
        yield Finding("bad", f"the webhook's address could not be set: {channel.reason(error)}")
        return
    if now:
        yield channel.use_webhook(now)
    if address.state != "bad" and (tried := wanted or (now.address if now else "")):
        yield channel.trial(account, tried)


def _address(account: LineAccount, now: Webhook | None, wanted: str, *, dry_run: bool) -> Finding:
    before = f"before: {now.address}" if now and now.address else "there was none"
    if not wanted:
        return Finding("unknown", f"PUBLIC_URL is not set: LINE's webhook address is left alone ({before})")
    if now and now.address == wanted:
        return Finding("ok", f"LINE's webhook address is {wanted}")
    if not wanted.startswith("https://"):
        return Finding("bad", f"PUBLIC_URL must be https for LINE; its webhook address is left alone ({before})")
    if dry_run:
        return Finding("would", f"set LINE's webhook address to {wanted} ({before})")
    account.set_webhook(wanted)
    return Finding("done", f"LINE's webhook address is set to {wanted} ({before})")

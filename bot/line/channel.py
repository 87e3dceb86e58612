"""Whether the channel is set up as it has to be, in words for who runs the bot; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from bot.errors import DeliveryDeferred, DeliveryError, DeliveryUnknown
from bot.findings import Finding
from bot.line.account import WEBHOOK_PATH, LineAccount, Trial, Webhook
from bot.line.api import NotTaken
from bot.settings import BotSettings

CONSOLE = "LINE Developers Console, Messaging API"
MANAGER = "Official Account Manager, Settings, Response settings"
_REASONS = {
    "COULD_NOT_CONNECT": "LINE could not connect: is the address right, and the chain of certificates complete?",
    "REQUEST_TIMEOUT": "no answer came in time: does the service run behind it?",
    "UNCLASSIFIED": "LINE does not say why",
}
_STATUSES = {
    401: "it answered 401: LINE_CHANNEL_SECRET is not this channel's",
    503: "it answered 503: the store of the service does not answer",
}


def wanted_address(settings: BotSettings) -> str:
    """Where events should go; nothing where PUBLIC_URL is not set."""
    return f"{settings.public_url}{WEBHOOK_PATH}" if settings.public_url else ""


def token(account: LineAccount) -> Finding:
    """Whether the access token works, and for whom."""
    try:
        bot = account.bot()
    except DeliveryError as error:
        return Finding("bad", f"LINE_CHANNEL_ACCESS_TOKEN does not work: {reason(error)}")
    return Finding("ok", f"LINE_CHANNEL_ACCESS_TOKEN works, for {bot.name} ({bot.basic_id}), Chat {_chat(bot.chat)}")


def _chat(on: bool) -> str:
    return "on (somebody may answer by hand, too)" if on else "off (the bot alone answers)"


def use_webhook(webhook: Webhook) -> Finding:
    """Whether LINE sends events at all, which cannot be switched through its API."""
    if webhook.active:
        return Finding("ok", "Use webhook is on")
    return Finding("bad", f"Use webhook is off, so that nothing comes: turn it on ({CONSOLE})")


def trial(account: LineAccount, address: str) -> Finding:
    """What comes of a test event that LINE sends to the address."""
    try:
        tried = account.try_webhook(address)
    except NotTaken:
        return not_taken(address)
    except DeliveryDeferred as error:
        return Finding("unknown", f"LINE did not try {address} ({error}): it does so 60 times an hour at most")
    except DeliveryError as error:
        return Finding("unknown", f"LINE did not try {address}: {reason(error)}")
    if tried.well:
        return Finding("ok", f"a test event of LINE's has reached {address} and was answered")
    return Finding("bad", f"a test event of LINE's came to nothing at {address}: {_why(tried)}")


def not_taken(address: str) -> Finding:
    """LINE refused the address itself."""
    return Finding("bad", f"LINE does not take {address}: it has to be https, at a host that the DNS knows")


def _why(tried: Trial) -> str:
    if tried.status in _STATUSES:
        return _STATUSES[tried.status]
    if tried.status > 0:
        return f"it answered {tried.status}"
    return f"{_REASONS.get(tried.reason, tried.reason)} ({tried.detail})"


def quota(account: LineAccount, settings: BotSettings) -> Finding:
    """How many of the month's messages are used, and whether that matters."""
    try:
        spent = account.spent()
    except DeliveryError as error:
        return Finding("unknown", f"LINE does not tell how many messages are used: {reason(error)}")
    of = "no limit" if spent.limit is None else f"{spent.limit}"
    told = f"{spent.used} messages of this month's quota are used ({of}); LINE_PUSH={settings.line_push}"
    left = None if spent.limit is None else spent.limit - spent.used
    return _pushes(told, left, settings)


def _pushes(told: str, left: int | None, settings: BotSettings) -> Finding:
    """What becomes of late answers with so many messages left; None: as many as one pays for."""
    match settings.line_push:
        case "never":
            return Finding("ok", f"{told}: answers use none, they are all free")
        case "quota" if left is not None and left <= settings.line_push_reserve:
            kept = f"no more than the reserve of {settings.line_push_reserve} is left"
            return Finding("ok", f"{told}: {kept}, so that late answers wait for a button or the next message")
        case "always" if left is not None and left <= 0:
            return Finding("bad", f"{told}: it is used up, and late answers wait for a button or the next message")
        case _:
            return Finding("ok", f"{told}: late answers are pushed, and count")


def by_hand() -> Iterator[Finding]:
    """What LINE tells nobody through its API, so that somebody has to look."""
    yield Finding("unknown", f"Auto-response messages should be off ({MANAGER}); its API does not tell")
    yield Finding(
        "unknown", f"Webhook redelivery should be on, for what comes while this is down ({CONSOLE}); likewise"
    )
    yield Finding("unknown", f"Allow bot to join group chats must be on for groups ({CONSOLE}); likewise")


def reason(error: DeliveryError) -> str:
    """Why LINE did not do something, as far as that is known."""
    said = str(error)
    if said == "status 401":
        return "LINE does not know it: issue another under Messaging API (status 401)"
    if isinstance(error, DeliveryDeferred | DeliveryUnknown):
        return f"LINE is not to be reached, or has enough for now ({said})"
    return said

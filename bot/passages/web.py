"""The route to the pages of cited passages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import redis
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import LinkEnded, LinkUnknown, StoreUnavailable
from bot.passages import page
from bot.passages.links import PATH
from bot.passages.shelf import Shelf

THREADS = 2
"""For all readers together: who opens many pages holds up neither webhooks nor the console."""
LIMIT_S = 2.0
"""Then a reader is told to come again, whatever the store does and however many read."""

PREVIEWS = ("slackbot", "line-poker", "facebookexternalhit", "twitterbot", "discordbot", "whatsapp", "telegrambot")
"""What fetches a page in order to show it beside a link to it: a platform's servers get nothing of a document."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {page.STYLE_HASH}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address is the right to read
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def passage_route(store: redis.Redis) -> Route:
    """The route to every cited passage: its link is the right to read it, for as long as the link lives."""
    return Route(f"{PATH}{{token:path}}", _endpoint(Shelf(store)))


def _endpoint(shelf: Shelf) -> Callable[[Request], Awaitable[Response]]:
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passages")

    async def endpoint(request: Request) -> Response:
        if _is_preview(request.headers.get("user-agent", "")):
            return PlainTextResponse("no previews", 403, HEADERS)
        token, loop = request.path_params["token"], asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LIMIT_S):
                status, shown = await loop.run_in_executor(threads, _opened, shelf, token)
        except (StoreUnavailable, TimeoutError):
            return HTMLResponse(page.unavailable(), 503, HEADERS | {"Retry-After": "1"})
        return HTMLResponse(shown, status, HEADERS)

    return endpoint


def _opened(shelf: Shelf, token: str) -> tuple[int, str]:
    """The status and the page of a token.

    Raises:
        StoreUnavailable
    """
    try:
        return 200, page.passage(*shelf.open(token))
    except LinkUnknown:
        return 404, page.unknown()
    except LinkEnded:
        return 410, page.ended()


def _is_preview(agent: str) -> bool:
    return any(name in agent.lower() for name in PREVIEWS)

"""The peer of `make bench-webhook`: a bare slack-bolt app under uvicorn whose listener does nothing.

    python -m tests.bench.webhook_peer PORT

It verifies Slack's signature and answers; nothing is kept, so it is the floor of what a Slack app in Python takes.
"""

from __future__ import annotations

import sys

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.faults.desk import SLACK_SECRET


def main() -> None:
    """Serve until SIGTERM."""
    bolt = App(signing_secret=SLACK_SECRET, authorize=_authorize, process_before_response=True)
    bolt.event("message")(_do_nothing)
    handler = SlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        answer: Response = await handler.handle(request)
        return answer

    routes = [Route("/slack/events", events, methods=["POST"]), Route("/metrics", _metrics)]
    uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="warning", access_log=False)


def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Without asking auth.test: only the webhook itself is measured."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _do_nothing() -> None:
    pass


async def _metrics(_: Request) -> Response:
    """The processor time of this process, as ours tells it."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


if __name__ == "__main__":
    main()

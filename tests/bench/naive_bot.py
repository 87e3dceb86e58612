"""The peer of `make bench-faults`: a bot as the tutorials of slack-bolt and line-bot-sdk have it, and no store.

It answers 200 and then writes the answer in a thread. The answer takes as long as the scripted model's and repeats the
number of its message. `python -m tests.bench.naive_bot`, with the environment of the desk.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import uvicorn
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, ReplyMessageRequest, TextMessage
from linebot.v3.webhook import WebhookParser
from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.faults.numbered import answer_to, seconds_per_piece

client = WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
slack = App(signing_secret=os.environ["SLACK_SIGNING_SECRET"], client=client)
line = MessagingApi(
    ApiClient(
        Configuration(host=os.environ["LINE_API_URL"].rstrip("/"), access_token=os.environ["LINE_CHANNEL_ACCESS_TOKEN"])
    )
)
parser = WebhookParser(os.environ["LINE_CHANNEL_SECRET"])


def answer(text: str) -> str:
    """The model's answer, after the time that it takes."""
    words = answer_to(text)
    time.sleep(len(words) * seconds_per_piece(text))
    return words


@slack.event("app_mention")  # type: ignore[untyped-decorator]
def mentioned(event: dict[str, Any]) -> None:
    """Answer in the thread."""
    thread_ts = event.get("thread_ts") or event["ts"]
    client.chat_postMessage(channel=event["channel"], text=answer(event["text"]), thread_ts=thread_ts)


@slack.event("message")  # type: ignore[untyped-decorator]
def written(event: dict[str, Any]) -> None:
    """Answer a direct message; what is said in channels comes as a mention too."""
    if event["channel_type"] == "im":
        client.chat_postMessage(channel=event["channel"], text=answer(event["text"]), thread_ts=event["ts"])


def reply(event: Any) -> None:
    """Answer on LINE."""
    text = answer(event.message.text)
    line.reply_message(ReplyMessageRequest(replyToken=event.reply_token, messages=[TextMessage(text=text)]))


async def on_line(request: Request) -> Response:
    """LINE's webhook."""
    body = (await request.body()).decode()
    for event in parser.parse(body, request.headers["x-line-signature"]):
        threading.Thread(target=reply, args=(event,), daemon=True).start()
    return PlainTextResponse("OK")


async def on_slack(request: Request) -> Response:
    """Slack's events."""
    response: Response = await SlackRequestHandler(slack).handle(request)
    return response


app = Starlette(
    routes=[Route("/slack/events", on_slack, methods=["POST"]), Route("/line/webhook", on_line, methods=["POST"])]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")

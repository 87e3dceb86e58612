"""A desk on Slack with its web process, worker and clerk, and people who ask, command and press."""

from __future__ import annotations

import itertools
import json
from typing import Any

import redis

from bot.inbox import Inbox
from bot.platform import WebhookResponse
from bot.slack.front_door import SlackFrontDoor
from knowledge.retrieval import Retriever
from tests.fakes.model import ScriptedGenerator
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_events import TEAM, pressed
from tests.workers.desk import from_slack, make_clerk, make_desk, slack_sender
from tests.workers.making import NoHints, accept
from workers.acting import act
from workers.controls import Controls
from workers.policy import Policies, Policy
from workers.serving import answer_next

JSON = dict[str, Any]
QUESTION = "経費の締め日はいつですか？"
LOST = "社長の好きな食べ物は何ですか？"

_presses = itertools.count(100)


class SlackDesk:
    """Everything between a person on Slack and the documents, carried out at once."""

    def __init__(
        self,
        store: redis.Redis,
        slack: FakeSlack,
        retriever: Retriever,
        generator: ScriptedGenerator,
        *,
        policy: Policy | None = None,
    ) -> None:
        self.store = store
        self.slack = slack
        self.sender = slack_sender(slack, store)
        policies = Policies(policy or Policy(), {})
        self.desk = make_desk(store, retriever, generator, senders={"slack": self.sender}, policy=policies)
        self.clerk = make_clerk(store, {"slack": self.sender})
        self.door = SlackFrontDoor("secret", Inbox(store, NoHints()))

    def ask(self, text: str = QUESTION, *, user: str = "U1") -> JSON:
        """A mention in the channel; the bot's message with the answer."""
        message = from_slack(self.slack, text, user=user)
        accept(self.store, message)
        answer_next(message.conversation_id, self.desk)
        return self.slack.workspace.channels["C1"].messages[-1]

    def ask_in_thread(self, answer: JSON, text: str, *, user: str = "U1") -> None:
        """A further mention, in the thread of an answer."""
        message = from_slack(self.slack, text, user=user, thread_ts=answer["thread_ts"])
        accept(self.store, message)
        answer_next(message.conversation_id, self.desk)

    def command(self, text: str = QUESTION, *, user: str = "U1", channel: str = "C1") -> WebhookResponse:
        """A slash command; afterwards it is answered."""
        interactions = self.slack.workspace.interactions
        form = {"command": "/madoguchi", "team_id": TEAM, "channel_id": channel, "user_id": user, "text": text}
        form["trigger_id"] = interactions.trigger(user)
        form["response_url"] = interactions.response_url(self.slack.url, user, channel)
        answered = self.door.take(form)
        self.carry_out()
        answer_next(f"slack:{TEAM}:{channel}:/{user}", self.desk)
        return answered

    def press(self, message: JSON, name: str, *, user: str = "U1", value: str = "") -> WebhookResponse:
        """A press of a button under a message in a channel, or under one that only its reader sees."""
        payload = self.payload(message, name, user=user, value=value)
        answered = self.door.take(payload)
        self.carry_out()
        return answered

    def payload(self, message: JSON, name: str, *, user: str = "U1", value: str = "") -> JSON:
        """What Slack tells of the press."""
        button = {"type": "button", "action_id": name, "value": value or buttons(message)[name]}
        button["action_ts"] = f"1700000{next(_presses)}.000100"
        channel = message.get("channel", "C1")
        payload = pressed(message, button, channel=channel, user=user) | {"trigger_id": self.trigger(user)}
        if "bot_id" not in message:
            del payload["message"]
            payload["container"]["is_ephemeral"] = True
            answers = self.slack.workspace.interactions.response_url(self.slack.url, user, channel, message)
            payload["response_url"] = answers
        return payload

    def trigger(self, user: str) -> str:
        return self.slack.workspace.interactions.trigger(user)

    def carry_out(self) -> list[str]:
        """Let the clerk see to everything that is due; how each went."""
        controls = Controls(self.store)
        due = [str(name) for name in self.store.zrange("controls:due", 0, -1)]
        return [controls.carry_out(name, lambda of, event: act(of, event, self.clerk)) for name in due]

    def seen(self, user: str = "U1") -> list[str]:
        """What this person reads and nobody else."""
        return self.slack.workspace.interactions.seen_by(user)

    def alone(self) -> JSON:
        """The newest message that only one person sees."""
        return self.slack.workspace.interactions.alone[-1]


def buttons(message: JSON) -> dict[str, str]:
    """What can be pressed under a message, with what it carries; votes as `up` and `down`."""
    found = {}
    for element in (e for block in message["blocks"] for e in block.get("elements", ()) if isinstance(e, dict)):
        match element:
            case {"type": "button", "action_id": name, "value": value}:
                found[name] = value
            case {"type": "feedback_buttons", "positive_button": up, "negative_button": down}:
                found |= {"up": up["value"], "down": down["value"]}
    return found


def sent_view(view: JSON, words: str, *, user: str = "U1", view_id: str = "V1") -> JSON:
    """What Slack tells when a dialog is sent with these words in its only field."""
    (asks,) = view["blocks"]
    values = {asks["block_id"]: {asks["element"]["action_id"]: {"type": "plain_text_input", "value": words}}}
    told = {**view, "id": view_id, "team_id": TEAM, "state": {"values": values}}
    return {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": user}, "view": told}


def as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

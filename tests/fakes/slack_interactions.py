"""The fake's part for what people press: dialogs, permalinks, a channel's history, and response URLs.

A trigger opens one dialog within three seconds, a response URL answers five times within half an hour, both by a clock
that a test can move (`passed_s`).
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.slack_blocks import refusal_of_blocks, shown
from tests.fakes.slack_channel import JSON, Channel, Refused, decoded, only, page_of, without_metadata

if TYPE_CHECKING:
    from tests.fakes.slack_workspace import Workspace

TRIGGER_S, RESPONSE_S, RESPONSES = 3.0, 1800.0, 5
RESPONSE = {"text", "blocks", "response_type", "replace_original", "delete_original", "parse", "link_names"}
VIEW = {"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "clear_on_close"}


@dataclass
class ResponseUrl:
    """For whom it answers, in which channel, and in the place of what (nothing for a command's)."""

    user: str
    channel: str
    replaces: JSON | None
    issued_at: float
    used: int = 0


class Interactions:
    """What people's presses and commands open; `views` are the dialogs that were opened, by whose trigger."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ids = itertools.count(1)
        self._triggers: dict[str, tuple[str, float]] = {}
        self._urls: dict[str, ResponseUrl] = {}
        self.passed_s = 0.0
        self.views: list[tuple[str, JSON]] = []
        self.homes: dict[str, JSON] = {}
        """What every person's Home shows."""
        self.alone: list[JSON] = []
        """What one person sees, as messages with their `user`."""
        self.shared: set[str] = set()
        """Channels that another company reads."""

    def trigger(self, user: str = "U1") -> str:
        """A new trigger_id of a press or a command."""
        name = f"{next(self._ids)}.2.trigger"
        self._triggers[name] = (user, self._now())
        return name

    def response_url(self, base: str, user: str = "U1", channel: str = "C1", replaces: JSON | None = None) -> str:
        """A new response URL below `base`, the fake's own address."""
        name = f"r{next(self._ids)}"
        self._urls[name] = ResponseUrl(user, channel, replaces, self._now())
        return f"{base}/_respond/{name}"

    def respond(self, name: str, said: JSON | None) -> tuple[int, JSON]:
        """What Slack answers to a call of a response URL: the status and the body."""
        url = self._urls.get(name)
        if url is None or self._now() - url.issued_at > RESPONSE_S:
            return 404, {"ok": False, "error": "expired_url"}
        if url.used >= RESPONSES:
            return 404, {"ok": False, "error": "used_url"}
        if said is None or said.keys() - RESPONSE or not said.get("text") or said.get("response_type") != "ephemeral":
            return 400, {"ok": False, "error": "invalid_payload"}
        if said.get("blocks") and (reason := refusal_of_blocks(said["blocks"])):
            return 400, {"ok": False, "error": reason}
        url.used += 1
        if said.get("replace_original") and url.replaces is not None:
            url.replaces.pop("blocks", None)
            url.replaces |= {"text": said["text"], **({"blocks": said["blocks"]} if said.get("blocks") else {})}
        else:
            self.show(url.user, url.channel, said)
        return 200, {"ok": True}

    def show(self, user: str, channel: str, said: JSON) -> JSON:
        """Show a message to one person alone."""
        message = {"user": user, "channel": channel, "text": said["text"], "blocks": said.get("blocks") or []}
        self.alone.append(message | {"ts": self._workspace.next_ts()})
        self._workspace.whispers.append((user, shown(message)))
        return self.alone[-1]

    def seen_by(self, user: str) -> list[str]:
        """What this person reads and nobody else."""
        return [shown(message) for message in self.alone if message["user"] == user]

    def views_open(self, arguments: JSON) -> JSON:
        only(arguments, "trigger_id", "view")
        trigger = self._triggers.get(arguments["trigger_id"])
        if trigger is None:
            raise Refused("invalid_trigger_id")
        user, issued_at = trigger
        if self._now() - issued_at > TRIGGER_S:
            raise Refused("expired_trigger_id")
        view = decoded(arguments["view"], "invalid_arguments")
        if not _good_view(view):
            raise Refused("invalid_arguments")
        del self._triggers[arguments["trigger_id"]]
        self._triggers[arguments["trigger_id"]] = (user, float("-inf"))  # exchanged: it opens nothing more
        self.views.append((user, view))
        return {"view": view | {"id": f"V{len(self.views)}"}}

    def views_publish(self, arguments: JSON) -> JSON:
        only(arguments, "user_id", "view", "hash")
        if arguments["user_id"] not in self._workspace.users:
            raise Refused("user_not_found")
        view = decoded(arguments["view"], "invalid_arguments")
        if not _good_home(view):
            raise Refused("invalid_arguments")
        self.homes[arguments["user_id"]] = view
        return {"view": view | {"id": f"VH{arguments['user_id']}"}}

    def home_of(self, user: str) -> str:
        """Everything that stands in a person's Home, and the names of its buttons."""
        return json.dumps(self.homes[user]["blocks"], ensure_ascii=False)

    def permalink(self, arguments: JSON) -> JSON:
        only(arguments, "channel", "message_ts")
        place = self._place(arguments["channel"])
        if place.message(arguments["message_ts"]) is None:
            raise Refused("message_not_found")
        ts = arguments["message_ts"].replace(".", "")
        return {"channel": place.id, "permalink": f"https://mado.slack.com/archives/{place.id}/p{ts}"}

    def history(self, arguments: JSON) -> JSON:
        """What stands in the channel itself, the newest first, without replies in threads."""
        only(arguments, "channel", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata")
        place = self._place(arguments["channel"])
        if not place.has_bot:
            raise Refused("not_in_channel")
        oldest = float(arguments.get("oldest") or 0)
        roots = [m for m in place.messages if m.get("thread_ts", m["ts"]) == m["ts"] and float(m["ts"]) > oldest]
        page = page_of(roots[::-1], arguments)
        if str(arguments.get("include_all_metadata", "0")).lower() in ("1", "true"):
            return page
        return page | {"messages": [without_metadata(message) for message in page["messages"]]}

    def info(self, arguments: JSON) -> JSON:
        only(arguments, "channel", "include_locale", "include_num_members")
        place = self._place(arguments["channel"])
        shared = place.id in self.shared
        facts = {"id": place.id, "is_im": place.kind == "im", "is_channel": place.kind == "channel"}
        return {"channel": facts | {"is_ext_shared": shared, "is_shared": shared, "is_member": place.has_bot}}

    def _place(self, channel: str) -> Channel:
        if channel not in self._workspace.channels:
            raise Refused("channel_not_found")
        return self._workspace.channels[channel]

    def _now(self) -> float:
        return time.monotonic() + self.passed_s


def _good_view(view: Any) -> bool:
    """A dialog as docs.slack.dev has it, of the inputs and texts that are used here."""
    if not isinstance(view, dict) or view.get("type") != "modal" or view.keys() - VIEW:
        return False
    short = all(_plain(view.get(name), 24) for name in ("title", "submit", "close"))
    known = len(view.get("private_metadata", "")) <= 3_000 and 0 < len(view.get("callback_id", "")) <= 255
    blocks = view.get("blocks")
    return short and known and isinstance(blocks, list) and 1 <= len(blocks) <= 100 and all(map(_good_part, blocks))


def _good_home(view: Any) -> bool:
    """A Home as docs.slack.dev has it, of the blocks that are used here; no two blocks have one id."""
    if not isinstance(view, dict) or view.keys() - {"type", "blocks"} or view.get("type") != "home":
        return False
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 100 or not all(map(_good_home_block, blocks)):
        return False
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    return len(set(ids)) == len(ids)


def _good_home_block(block: JSON) -> bool:
    match block:
        case {"type": "header", "text": text}:
            return _plain(text, 150)
        case {"type": "section", "text": text}:
            return _plain(text, 3_000)
        case {"type": "actions", "elements": [*elements]}:
            return 1 <= len(elements) <= 25 and all(map(_good_home_button, elements))
        case {"type": "divider"}:
            return True
        case _:
            return False


def _good_home_button(button: JSON) -> bool:
    confirm = button.get("confirm")
    limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    asks_back = confirm is None or all(_plain(confirm.get(name), most) for name, most in limits.items())
    named = 0 < len(button.get("action_id", "")) <= 255 and 0 < len(button.get("value", "")) <= 2_000
    return button.get("type") == "button" and named and _plain(button.get("text"), 75) and asks_back


def _good_part(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") != "input":
        return refusal_of_blocks([block]) is None
    element, hint = block.get("element"), block.get("hint", {"type": "plain_text", "text": "-"})
    if not isinstance(element, dict) or element.get("type") != "plain_text_input":
        return False
    fits = 0 < element.get("max_length", 3_000) <= 3_000 and 0 < len(element.get("action_id", "")) <= 255
    return fits and _plain(block.get("label"), 2_000) and _plain(hint, 2_000)


def _plain(text: Any, limit: int) -> bool:
    return isinstance(text, dict) and text.get("type") == "plain_text" and 0 < len(text.get("text", "")) <= limit

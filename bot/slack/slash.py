"""The slash command: a question whose answer only its giver sees, an order, or help. Pure.

Slack has no message of a command: what is said with it is known by the command's `trigger_id`. Its conversation is the
person's own in that channel (`slack:T1:C1:/U1`), so that nobody else's words join it and nobody else reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.messages import Command, JSONObject, Message
from bot.slack.markup import plain_text
from bot.slack.shapes import channel_type_of, id_of, matching, words
from bot.words import admin_order, language, order

COMMAND: Final = "/madoguchi"
TAKEN_ORDER: Final = (
    "受け付けました。返事は窓口との DM に届きます。\nTaken. The answer comes to your direct messages with me."
)
NOT_ADMIN: Final = "このコマンドは管理者だけが使えます。\nOnly administrators may use this command."
NOT_ALLOWED: Final = (
    "申し訳ありません。このチャンネルで窓口を使えるのは、決められた方だけです。\n"
    "I am sorry, in this channel only some people may use the desk."
)
TAKEN: Final = {
    "ja": "資料を調べています。答えは、あなただけに見える形でここに届きます。",
    "en": "Looking through the documents. The answer comes here, for your eyes only.",
}
HELP: Final = (
    f"`{COMMAND} 質問` と書くと、資料から答えます。答えはあなただけに見え、ボタンでみんなに見せることもできます。\n"
    f"`{COMMAND} 忘れて` であなたとの会話を消します。\n"
    f"Write `{COMMAND} question` for an answer from the documents that only you see; a button shows it to everybody.\n"
    f"`{COMMAND} forget` erases your conversations with me."
)
ADMIN_HELP: Final = "管理者のことばは DM でお送りします。\nThe words of administrators come to your direct messages."

_ADDRESS = re.compile(r"https?://[^\s<>\"|]{1,1000}")
_TRIGGER = re.compile(r"[0-9A-Za-z._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Given:
    """What was given with a command.

    Args:
        said: what its giver reads at once; nothing where the event is answered at once.
        event: what is asked or ordered; None when all is said.
        id: an id that every further delivery of it has too.
        place: the channel whose own rules hold for it (`slack:C1`); empty for what has to do with none.
    """

    said: str
    event: Message | Command | None = None
    id: str = ""
    place: str = ""


def parse_command(form: JSONObject, at: float, admins: frozenset[str] = frozenset()) -> Given | None:
    """What a slash command is; None when it is of no shape that Slack sends.

    Args:
        at: when it came, seconds since the epoch; Slack does not tell.
        admins: who may administer, as `slack:U…`. An administrator's order by anybody else is no question: its giver is
            told so.
    """
    giver = _giver(form)
    if giver is None:
        return None
    text = plain_text(words(form), frozenset())[: Message.MAX_TEXT_CHARS]
    user_id = f"slack:{giver['user']}"
    told, name = admin_order(text), order(text)
    if user_id in admins and told:
        return _administered(told, text, giver, at)
    if not text or name == "help":
        return Given(HELP)
    if name is None and told:
        return Given(NOT_ADMIN)
    return _asked(name, text, giver, at)


def _administered(told: str, text: str, giver: dict[str, str], at: float) -> Given:
    """An administrator's order. It is answered in a direct message: what was skipped is no channel's business."""
    team, user = giver["team"], giver["user"]
    command = Command(
        platform="slack",
        conversation_id=f"slack:{team}:{user}",
        user_id=f"slack:{user}",
        name="admin",
        argument=told,
        language=language(text),
        sent_at=at,
        reply_to={"team": team, "channel": user, "channel_type": "im", "thread_ts": "", "user": user},
    )
    said = f"{HELP}\n{ADMIN_HELP}" if told == "help" else TAKEN_ORDER
    return Given(said, command, f"slack:command:{giver['trigger']}")


def _asked(name: str | None, text: str, giver: dict[str, str], at: float) -> Given:
    """A question, or an order that anybody may give (stop, reset, forget)."""
    conversation_id = f"slack:{giver['team']}:{giver['channel']}:/{giver['user']}"
    user_id, delivery_id = f"slack:{giver['user']}", f"slack:command:{giver['trigger']}"
    place = f"slack:{giver['channel']}"
    if name:
        command = Command("slack", conversation_id, user_id, name, "", language(text), at, _reply_to(giver))
        return Given("", command, delivery_id)  # also to who may not ask there
    message_id = f"{conversation_id}:{giver['trigger']}"
    message = Message(message_id, "slack", conversation_id, user_id, text, at, _reply_to(giver))
    return Given(TAKEN[language(text)], message, delivery_id, place)


def _giver(form: JSONObject) -> dict[str, str] | None:
    """Who gave it, and where; None when something of that is missing."""
    giver = {name: id_of(form.get(f"{name}_id")) for name in ("team", "channel", "user")}
    giver["trigger"] = matching(_TRIGGER, form.get("trigger_id"))
    if not all(giver.values()):
        return None
    return giver | {"response_url": matching(_ADDRESS, form.get("response_url"))}


def _reply_to(giver: dict[str, str]) -> dict[str, Any]:
    """Where an answer goes. Whether another company reads the channel is not told: the sender finds it out."""
    return {
        "team": giver["team"],
        "channel": giver["channel"],
        "channel_type": channel_type_of(giver["channel"]),
        "ext_shared": True,
        "private": True,
        "response_url": giver["response_url"],
        "thread_ts": "",
        "ts": "",
        "user": giver["user"],
    }

"""App Home: what Slack tells when it is opened and when its buttons and its dialog are used. Pure.

Whoever may use a button is decided where it is acted on: what comes back from a view can be made up.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.home import GAP_ANSWERED, GAP_DROPPED, GAP_OPENED, MAX_QUESTION_CHARS, OPENED, GapAnswer
from bot.messages import Action, Command, JSONObject
from bot.sanitise import visible
from bot.slack.forms import FormRefused
from bot.slack.home_view import ANSWER_FIELD, FORGET, QUESTION_FIELD, WORDS_OF_DIALOG, WRITTEN
from bot.slack.shapes import id_of, matching, part, team_of, ts_of, words

_TRIGGER = re.compile(r"[0-9A-Za-z._-]{1,128}")
_CARRIED = re.compile(r"(ja|en)(?: ([0-9]{1,9}))?")


def parse_home_tab(envelope: JSONObject) -> tuple[Command, str] | None:
    """The wish for the page that an opened Home tab is."""
    event = part(envelope, "event")
    team, user, event_id = team_of(envelope), id_of(event.get("user")), id_of(envelope.get("event_id"))
    if event.get("tab") != "home" or not (team and user and event_id):
        return None
    opened_at = float(ts_of(event.get("event_ts")) or time.time())
    place = f"slack:{team}:{user}"
    command = Command("slack", place, f"slack:{user}", OPENED, "", "", opened_at, _where(team, user))
    return command, f"slack:{event_id}"


def parse_forget(payload: JSONObject) -> tuple[Command, str] | None:
    """The order to forget that the page's button is."""
    pressed = _pressed(payload)
    if pressed is None:
        return None
    team, user, language, _, at = pressed
    place = f"slack:{team}:{user}"
    command = Command("slack", place, f"slack:{user}", "forget", "", language, float(at), _where(team, user))
    return command, f"slack:home-forget:{user}:{at}"


def parse_gap_opened(payload: JSONObject) -> tuple[Action, str] | None:
    """The wish for the dialog in which a gap is answered."""
    return _about_gap(payload, GAP_OPENED)


def parse_gap_dropped(payload: JSONObject) -> tuple[Action, str] | None:
    """The wish to drop a gap."""
    return _about_gap(payload, GAP_DROPPED)


def parse_gap_answered(payload: JSONObject) -> tuple[Action, str] | None:
    """The answer that was written in the dialog.

    Raises:
        FormRefused: there is nothing to be seen in a field, or too much.
    """
    view = part(payload, "view")
    team, user = id_of(part(payload, "team").get("id")), id_of(part(payload, "user").get("id"))
    view_id, carried = id_of(view.get("id")), _CARRIED.fullmatch(words(view, "private_metadata"))
    if carried is None or not carried[2] or not (team and user and view_id):
        return None
    values, language = part(part(view, "state"), "values"), carried[1]
    answer = GapAnswer(int(carried[2]), *(_written(values, field) for field in (QUESTION_FIELD, ANSWER_FIELD)))
    _check(answer, language)
    action = Action(
        platform="slack",
        conversation_id=f"slack:{team}:{user}",
        user_id=f"slack:{user}",
        name=GAP_ANSWERED,
        value=answer.to_text(),
        sent_at=time.time(),
        reply_to=_where(team, user),
        language=language,
    )
    return action, f"slack:{GAP_ANSWERED}:{view_id}:{user}"


def _about_gap(payload: JSONObject, name: str) -> tuple[Action, str] | None:
    pressed = _pressed(payload)
    if pressed is None or not pressed[3]:
        return None
    team, user, language, number, at = pressed
    where = {**_where(team, user), "trigger_id": matching(_TRIGGER, payload.get("trigger_id"))}
    action = Action("slack", f"slack:{team}:{user}", f"slack:{user}", name, number, float(at), where, language)
    return action, f"slack:{name}:{number}:{user}:{at}"


def _pressed(payload: JSONObject) -> tuple[str, str, str, str, str] | None:
    """Team, person, language, number of the gap (or none) and time of a press on a button of the page."""
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    team, user = id_of(part(payload, "team").get("id")), id_of(part(payload, "user").get("id"))
    at, carried = ts_of(first.get("action_ts")), _CARRIED.fullmatch(words(first, "value"))
    return (team, user, carried[1], carried[2] or "", at) if carried and team and user and at else None


def _written(values: JSONObject, field: str) -> str:
    """What stands in a field, without what cannot be seen."""
    return visible(words(part(part(values, field), WRITTEN), "value").encode("utf-8", "ignore").decode()).strip()


def _check(answer: GapAnswer, language: str) -> None:
    said = WORDS_OF_DIALOG[language]
    errors = {}
    question = " ".join(answer.question.split()).lstrip("# ")
    if not question:
        errors[QUESTION_FIELD] = said["empty"]
    elif len(question) > MAX_QUESTION_CHARS:
        errors[QUESTION_FIELD] = said["too_long"].format(most=MAX_QUESTION_CHARS)
    if not answer.answer:
        errors[ANSWER_FIELD] = said["empty"]
    if errors:
        raise FormRefused(errors)


def _where(team: str, user: str) -> dict[str, Any]:
    """A person's id as channel is their conversation with the bot."""
    own = {"channel": user, "channel_type": "im", "ext_shared": False}
    return {"team": team, **own, "thread_ts": "", "ts": "", "user": user}


BUTTONS: Mapping[str, Callable[[JSONObject], tuple[Command | Action, str] | None]] = {
    FORGET: parse_forget,
    GAP_OPENED: parse_gap_opened,
    GAP_DROPPED: parse_gap_dropped,
}
"""The page's buttons, by their `action_id`."""
DIALOGS = {GAP_ANSWERED: parse_gap_answered}
"""What is opened from the page, by the view's `callback_id`."""

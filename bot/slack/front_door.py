"""Slack's way in: our own guard, then slack-bolt, whose listeners only accept into the inbox."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError

from bot.errors import BadRequest, StoreUnavailable
from bot.guard import check_size, json_object
from bot.inbox import Accepted, Inbox
from bot.messages import Action, Command, Control, Edit, Message
from bot.places import Places
from bot.platform import WebhookRequest, WebhookResponse
from bot.sightings import Sightings
from bot.slack.asking_about import ASK_ABOUT
from bot.slack.events import Delivery, parse
from bot.slack.forms import FormRefused
from bot.slack.happenings import EVENTS, parse_happening
from bot.slack.interactions import parse_interaction
from bot.slack.listening import Listening, not_allowed
from bot.slack.sightings import kind_of
from bot.slack.signing import verify
from bot.slack.slash import COMMAND, NOT_ALLOWED, parse_command

log = logging.getLogger(__name__)

MAX_FORM_FIELDS = 100
EVERYWHERE = Places({})
_ANY = re.compile("")


class SlackFrontDoor:
    """Takes Slack's events, commands and interactions; see `FrontDoor`.

    Args:
        signing_secret: None where nothing comes by webhook.
        places: who may use the bot where, and what it hears there.
    """

    def __init__(
        self,
        signing_secret: str | None,
        inbox: Inbox,
        admins: frozenset[str] = frozenset(),
        places: Places = EVERYWHERE,
    ) -> None:
        if signing_secret == "":
            raise ValueError("an empty signing secret would let everybody in")
        self._secret = signing_secret
        self._inbox = inbox
        self._admins = admins
        self._places = places
        self._sightings = Sightings(inbox.store, "slack")
        self._listening = Listening(inbox.store, places)
        self._app = _bolt_app()
        for kind in ("app_mention", "message"):
            self._app.event(kind)(self._take)
        for kind in EVENTS:
            self._app.event(kind)(self._take_happening)
        self._app.command(COMMAND)(self._take_command)
        for listen in (self._app.action, self._app.view, self._app.message_shortcut):
            listen(_ANY)(self._take_interaction)

    def handle(self, request: WebhookRequest) -> WebhookResponse:
        """Verify, accept, answer; `x-slack-retry-num` changes nothing, the store knows what it has seen."""
        try:
            check_size(request.body)
            if self._secret is None:
                raise BadRequest(401, "no webhooks here")
            verify(self._secret, request.headers, request.body, time.time())
            payload = read_body(request.headers, request.body)
        except BadRequest as refused:
            return _refused(refused)
        return self.take(payload)

    def take(self, payload: dict[str, Any]) -> WebhookResponse:
        """Accept and answer a payload that is known to be Slack's, by its signature or the connection it came on."""
        try:
            answer = self._dispatch(payload)
        except BadRequest as refused:
            return _refused(refused)
        if answer.status == 200:
            self._sightings.note(kind_of(payload))
        media_type = answer.first_headers().get("content-type", "text/plain; charset=utf-8")
        return WebhookResponse(answer.status, answer.body, media_type)

    def _dispatch(self, payload: dict[str, Any]) -> BoltResponse:
        """Bolt's answer to a payload given as its Socket Mode client gives it, so that it parses nothing again.

        Raises:
            BadRequest: 400, Bolt (or its way of reporting that) stumbled over the payload's shape.
        """
        try:
            return self._app.dispatch(BoltRequest(body=payload, mode="socket_mode"))
        except Exception as error:
            raise BadRequest(400, "not a payload of Slack") from error

    def _take(self, body: dict[str, Any]) -> BoltResponse:
        """Bolt's listener: what was said is acknowledged when it is durable, or nothing to us."""
        delivery = parse(body, self._admins)
        try:
            return BoltResponse(status=200) if delivery is None else self._take_delivery(delivery)
        except StoreUnavailable:
            return _come_again()

    def _take_delivery(self, delivery: Delivery) -> BoltResponse:
        """Decide whether it is for us, and accept it if so.

        Raises:
            StoreUnavailable
        """
        event, heard = delivery.event, delivery.heard
        if heard is None or (isinstance(event, Edit) and self._listening.knows(event.message_id)):
            return self._accepted(event, delivery.id)
        if isinstance(event, Message | Command):
            match self._listening.verdict(heard, order=isinstance(event, Command)):
                case "take":
                    return self._accepted(event, delivery.id)
                case "refuse":
                    return self._accepted(*not_allowed(event, heard))
        return BoltResponse(status=200)

    def _take_happening(self, body: dict[str, Any]) -> BoltResponse:
        """Bolt's listener: what happened is acknowledged when it is durable, or nothing to us."""
        happened = parse_happening(body)
        return BoltResponse(status=200) if happened is None else self._accepted(*happened)

    def _take_interaction(self, body: dict[str, Any]) -> BoltResponse:
        """Bolt's listener: what was pressed or sent is acknowledged when it is durable, or none of ours."""
        try:
            taken = parse_interaction(body)
        except FormRefused as refusal:
            return BoltResponse(status=200, body=refusal.to_json(), headers={"content-type": ["application/json"]})
        if taken is None or self._is_shut_out(taken[0]):
            return BoltResponse(status=200)
        return self._accepted(*taken)

    def _is_shut_out(self, event: Message | Control) -> bool:
        """Whether somebody asks about a message in a channel where they may not use the bot."""
        if not isinstance(event, Action) or event.name != ASK_ABOUT:
            return False
        return not self._places.of(f"slack:{event.reply_to['channel']}").admits(event.user_id)

    def _accepted(self, event: Message | Control, delivery_id: str) -> BoltResponse:
        """200 once it is durable; 503 to be sent it again."""
        try:
            if isinstance(event, Message):
                outcome = self._inbox.accept(event, delivery_id)
            else:
                outcome = self._inbox.control(event, delivery_id)
        except StoreUnavailable:
            return _come_again()
        return BoltResponse(status=503 if outcome is Accepted.FULL else 200)

    def _take_command(self, body: dict[str, Any]) -> BoltResponse:
        """Bolt's listener: a slash command is durable before its giver reads that it was taken."""
        given = parse_command(body, time.time(), self._admins)
        if given is None:
            return BoltResponse(status=400)
        if given.place and given.event and not self._places.of(given.place).admits(given.event.user_id):
            return _for_their_eyes(NOT_ALLOWED)
        taken = self._accepted(given.event, given.id) if given.event else BoltResponse(status=200)
        return _for_their_eyes(given.said) if given.said and taken.status == 200 else taken


def _come_again() -> BoltResponse:
    """Without the store nothing is durable: Slack delivers it again."""
    log.warning("store unavailable", extra={"platform": "slack"})
    return BoltResponse(status=503)


def _refused(refusal: BadRequest) -> WebhookResponse:
    cause = type(refusal.__cause__).__name__
    log.warning("refused", extra={"platform": "slack", "reason": refusal.reason, "cause": cause})
    return WebhookResponse(refusal.status, refusal.reason)


def read_body(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The payload: a JSON object (events), the object in a form's `payload` (interactions), or a form (commands).

    Raises:
        BadRequest: 400.
    """
    if not headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return json_object(body)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise BadRequest(400, "not a form") from error
    fields = dict(pairs)
    if "payload" in fields:
        return json_object(fields["payload"].encode("utf-8"))
    if not fields.keys() & {"command", "ssl_check"}:
        raise BadRequest(400, "neither payload nor command")
    return fields


def _for_their_eyes(text: str) -> BoltResponse:
    """An answer to a slash command that only its giver sees."""
    said = json.dumps({"response_type": "ephemeral", "text": text}, ensure_ascii=False)
    return BoltResponse(status=200, body=said, headers={"content-type": ["application/json"]})


def _bolt_app() -> App:
    """Bolt without network: it authorizes from the request alone and answers after the listener has run."""
    quiet = logging.getLogger("bot.slack.bolt")
    quiet.setLevel(logging.ERROR)  # Bolt's warnings and debugging lines quote payloads
    app = App(
        name="bot.slack.bolt",
        logger=quiet,
        authorize=_authorize,
        process_before_response=True,  # else Bolt answers 200 before anything is durable
        raise_error_for_unhandled_request=True,
        request_verification_enabled=False,  # done, over the raw bytes
        ignoring_self_events_enabled=False,  # `parse` knows
        attaching_conversation_kwargs_enabled=False,
    )
    app.error(_outcome)
    return app


def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Every signed request is ours; Bolt's own way asks auth.test and loses the event when that fails."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _outcome(error: Exception) -> BoltResponse:
    """The answer in place of Bolt's 404; every other error goes on to our caller in place of Bolt's 500."""
    if isinstance(error, BoltUnhandledRequestError):
        return BoltResponse(status=200)  # a kind without a listener; Slack would send it again three times
    raise error

"""One answer on its way: by the free reply token while it lives, then a push where allowed, else kept for the next."""

from __future__ import annotations

import dataclasses
import logging
import time
import uuid
from typing import Any, Literal

from linebot.v3.messaging import ButtonsTemplate, PostbackAction, TemplateMessage, TextMessage

from bot.checkpoints import checkpoint
from bot.errors import DeliveryError, DeliveryFailed, DeliveryUnknown
from bot.line.api import MAX_MESSAGES, LineApi, QuotaUsedUp, TokenGone
from bot.line.kept import KeptAnswer, KeptAnswers
from bot.line.phrases import phrases
from bot.line.postback import Postback
from bot.line.reply_token import ReplyToken
from bot.line.text import parts, plain
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target

log = logging.getLogger(__name__)

NOTICE_BEFORE_S = 8
"""So long before the token dies it is spent on a notice: one call may take as long."""

LOADING_S = 60
LOADING_AGAIN_S = 50

RETRY_KEYS = uuid.UUID("5b0c4f0e-2a56-4f0c-9f53-0f8f2f1f3a7d")
"""The namespace of our retry keys; the same group of parts of the same answer always has the same key."""

Push = Literal["never", "always"]


class LineReply:
    """One answer on its way to LINE; see `ReplyStream`.

    Facts in the journal: `text`, `parts` (the words that may have been shown stand, whatever is written later),
    `reply`, `notice` (what the token was tried for, see ReplyToken), `pushed` (groups of parts), `outcome`; `round`
    counts the answers that were asked for after the first was shown, so that no push is taken for another's.
    """

    def __init__(self, target: Target, journal: Journal, *, api: LineApi, kept: KeptAnswers, push: Push) -> None:
        self._target = target
        self._journal = journal
        self._api = api
        self._kept = kept
        self._push_allowed = push == "always"
        self._chat_id: str = target.reply_to["chat_id"]
        self._token = ReplyToken(target.reply_to, target.conversation_id, journal=journal, api=api, kept=kept)
        self._loading_until = 0.0
        self._notice_settled = False

    def waiting(self, notice: str) -> None:
        """The loading animation, which only 1:1 chats have; it ends with the next message."""
        now = time.monotonic()
        if self._target.reply_to["chat_type"] != "user" or now < self._loading_until:
            return
        self._loading_until = now + LOADING_AGAIN_S
        self._journal.check()
        try:
            self._api.show_loading(self._chat_id, LOADING_S)
        except DeliveryError as error:
            log.info("loading not shown", extra={"platform": "line", "reason": str(error)})

    def preview(self, extract: Reply) -> None:
        """Nothing: what was shown cannot be replaced, and the token works once."""

    def update(self, text_so_far: str) -> None:
        """Nothing: LINE has no streaming, and the token works once."""

    def due(self, now: float) -> None:
        """Spend a token that is about to die on the notice that the answer comes later, so nobody sits in silence."""
        if now < self._token.expires_at - NOTICE_BEFORE_S or self._notice_settled or not self._token.alive(now):
            return
        facts = self._journal.read()
        self._notice_settled = any(facts.get(fact) for fact in ("reply", "notice", "outcome"))
        if self._notice_settled:
            return
        self._notice_settled = True  # one try: what LINE refuses now it would refuse again
        try:
            self._token.deliver("notice", [], lambda _: [self._notice()])
            log.info("notice shown", extra={"platform": "line"})
        except DeliveryError as error:
            log.info("notice not shown", extra={"platform": "line", "reason": str(error)})

    def finish(self, reply: Reply) -> Delivered:
        """Show the answer by token; with the token gone push it, or keep it for the conversation's next token."""
        answer = self._answer(reply)
        outcome = self._journal.read().get("outcome")
        if outcome is None:
            outcome = self._deliver(answer)
            self._journal.write(outcome=outcome)
            log.info("delivered", extra={"platform": "line", "parts": len(answer.parts), "outcome": outcome})
        return Delivered(self._journal.read()["text"], kept=outcome == "kept")

    def fail(self, apology: str) -> Delivered:
        """Show the apology; words that may have been shown already stand in its place."""
        return self.finish(Reply(apology))

    def _answer(self, reply: Reply) -> KeptAnswer:
        """The answer's parts: as an earlier try has, or may have, shown them, else as they are now."""
        facts = self._journal.read()
        if facts.get("reply") in (None, "gone") and "pushed" not in facts and "outcome" not in facts:
            cut = parts(reply, self._target.language)
            if not cut:
                raise DeliveryFailed("nothing to show")
            self._journal.write(text=plain(reply.text), parts=cut)
            facts = {"parts": cut}
        return KeptAnswer(
            message_id=self._target.message_id,
            user_id=f"line:{self._target.reply_to.get('user_id') or self._chat_id}",
            language=self._target.language,
            parts=facts["parts"],
            introduction="",
        )

    def _deliver(self, answer: KeptAnswer) -> Literal["shown", "kept"]:
        """Get the answer to its reader by the first way that is open."""
        try:
            left = self._token.deliver("reply", [answer])
            untouched = (len(rest.parts) == len(answer.parts) for rest in left if rest.message_id == answer.message_id)
            return "kept" if any(untouched) else "shown"
        except DeliveryUnknown:
            return "kept"  # and marked as one that may have been shown; a push could show it twice
        except TokenGone:
            return self._push(answer) if self._push_allowed else self._keep(answer, "late")

    def _push(self, answer: KeptAnswer) -> Literal["shown", "kept"]:
        facts = self._journal.read()
        first, again = facts.get("pushed", 0), facts.get("round", 0)
        self._journal.write(pushed=first)
        for group in range(first, -(-len(answer.parts) // MAX_MESSAGES)):
            here = answer.parts[group * MAX_MESSAGES : (group + 1) * MAX_MESSAGES]
            name = f"{answer.message_id}:{group}:{again}" if again else f"{answer.message_id}:{group}"
            key = str(uuid.uuid5(RETRY_KEYS, name))
            checkpoint("sending")
            self._journal.check()
            try:
                self._api.push(self._chat_id, [TextMessage(text=text) for text in here], key)
                checkpoint("sent")
            except QuotaUsedUp:
                rest = dataclasses.replace(answer, parts=answer.parts[group * MAX_MESSAGES :])
                return self._keep(rest, "rest" if group else "late")
            self._journal.write(pushed=group + 1)
        return "shown"

    def _keep(self, answer: KeptAnswer, introduction: Literal["late", "rest"]) -> Literal["shown", "kept"]:
        self._journal.check()
        self._kept.keep(self._target.conversation_id, answer.introduced(introduction))
        return "shown" if introduction == "rest" else "kept"

    def _notice(self) -> Any:
        """The notice, with a button that brings a fresh token where nothing can be pushed."""
        words = phrases(self._target.language)
        if self._push_allowed:
            return TextMessage(text=words.wait_for_push)
        pressed = Postback("collect", self._target.conversation_id, self._target.message_id, self._target.language)
        button = PostbackAction(label=words.button, data=pressed.data(), displayText=words.button)
        return TemplateMessage(
            altText=words.wait_for_button, template=ButtonsTemplate(text=words.wait_for_button, actions=[button])
        )

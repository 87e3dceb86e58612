"""One answer on its way: by the free reply token while it lives, then a tap's, a push, or the next message's token."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from bot.checkpoints import checkpoint
from bot.errors import DeliveryError, DeliveryFailed, DeliveryUnknown
from bot.line.api import MAX_MESSAGES, QuotaUsedUp, TokenGone
from bot.line.card import card
from bot.line.collecting import hand_over, token_of_tap
from bot.line.kept import KeptAnswer
from bot.line.loading import Loading
from bot.line.phrases import Introduction, phrases
from bot.line.progress import Progress, what_follows
from bot.line.reading import ReadMark
from bot.line.reply_token import ReplyToken
from bot.line.text import plain, source_lines, split
from bot.line.ways import Ways, show
from bot.messages import Reply
from bot.platform import Delivered, Journal, Target

log = logging.getLogger(__name__)

NOTICE_BEFORE_S = 8
"""So long before a token dies it is spent on what there is by then: one call may take as long."""

TAPS_EVERY_S = 2.0

RETRY_KEYS = uuid.UUID("5b0c4f0e-2a56-4f0c-9f53-0f8f2f1f3a7d")
"""The namespace of our retry keys; the same group of parts of the same answer always has the same key."""


class LineReply:
    """One answer on its way to LINE; see `ReplyStream`.

    Facts in the journal: `text`, `showing` (the words that may have been shown stand, whatever is written later),
    `reply`, `notice` (what the token was tried for, see ReplyToken), `beginning` (what of the answer is shown once a
    `notice` was `sent`), `has_extract` (what a document says is shown), `pushed` (groups of messages), `outcome`;
    `round` counts the answers that were asked for after the first was shown, so that no push is taken for another's.
    """

    def __init__(self, target: Target, journal: Journal, ways: Ways) -> None:
        self._target = target
        self._journal = journal
        self._ways = ways
        self._chat_id: str = target.reply_to["chat_id"]
        self._in_1_to_1 = target.reply_to["chat_type"] == "user"
        self._token = ReplyToken(target.reply_to, target.conversation_id, journal=journal, ways=ways)
        self._so_far, self._extract, self._notice = "", "", ""
        self._read_mark = ReadMark(target.reply_to, journal, api=ways.api, store=ways.store)
        self._loading = Loading(target.reply_to, journal, ways.api)
        self._notice_settled = False
        self._look_for_taps_at = 0.0

    def working(self, *_: str) -> None:
        """Show by the loading animation that somebody works on it, and that it was read."""
        self._show_loading()
        self._read_mark.show()

    def waiting(self, notice: str) -> None:
        """Remember how long it takes, for when the token is spent on that; until then the animation shows it."""
        self._notice = notice
        self._show_loading()

    def preview(self, extract: Reply) -> None:
        """Remember what a document says, for when there is no more to show when the token is spent."""
        self._extract = extract.text

    def update(self, text_so_far: str) -> None:
        """Remember the answer so far, for when it is not finished when the token is spent."""
        self._so_far = text_so_far

    def due(self, now: float) -> None:
        """Spend a token that is about to die, the question's or a tap's, on what there is by now."""
        if self._token.is_dying(now, NOTICE_BEFORE_S) and not self._notice_settled:
            self._notice_settled = True  # one try: what LINE refuses now it would refuse again
            if not self._journal.read().keys() & {"reply", "notice", "outcome"}:
                self._show_progress(self._token)
        elif now >= self._look_for_taps_at:
            self._look_for_taps_at = now + TAPS_EVERY_S
            if (until := self._ways.taps.expires_at(self._target.conversation_id)) and until - now <= NOTICE_BEFORE_S:
                self._show_progress_to_tap()

    def finish(self, reply: Reply) -> Delivered:
        """Show the answer by a token that lives; else push it, or keep it for the conversation's next token."""
        answer = self._answer(reply)
        outcome = self._journal.read().get("outcome")
        if outcome is None:
            outcome = self._deliver(answer)
            self._journal.write(outcome=outcome)
            log.info("delivered", extra={"platform": "line", "parts": len(answer.parts), "outcome": outcome})
            self._read_mark.show()  # of what was answered without any work
        return Delivered(self._journal.read()["text"], kept=outcome == "kept")

    def fail(self, apology: str) -> Delivered:
        """Show the apology; words that may have been shown already stand in its place."""
        return self.finish(Reply(apology))

    def _show_loading(self) -> None:
        """Show that somebody works on it, where what comes of it will be seen without a tap."""
        if self._in_1_to_1 and not self._loading.is_shown() and (self._is_to_be_spent() or self._may_push()):
            self._loading.show()

    def _is_to_be_spent(self) -> bool:
        """Whether the question's own token is still to bring something."""
        return self._token.alive(time.time()) and not self._journal.read().get("notice")

    def _show_progress_to_tap(self) -> None:
        """Spend the tap that waits, if nobody else does."""
        if tapped := self._ways.taps.take(self._target.conversation_id):
            self._show_progress(token_of_tap(tapped, self._target.conversation_id, self._ways))

    def _show_progress(self, token: ReplyToken) -> None:
        """Spend a token on how far the answer is, so that nobody sits in silence."""
        facts = self._journal.read()
        extract = "" if facts.get("has_extract") else self._extract
        progress = Progress(self._so_far, extract, self._notice, before=_shown_before(facts))
        messages = progress.messages(self._target, by_push=self._may_push(), quote_token=self._quote_token)
        if token is self._token:
            self._journal.write(beginning=progress.beginning)
        try:
            token.deliver("notice", [], lambda _: messages)
            log.info("progress shown", extra={"platform": "line", "has_begun": bool(progress.beginning)})
        except DeliveryError as error:
            log.info("progress not shown", extra={"platform": "line", "reason": str(error)})
            return
        if token is not self._token:
            self._journal.write(beginning=progress.beginning, notice="sent")
        self._journal.write(has_extract=bool(facts.get("has_extract") or self._extract))

    def _answer(self, reply: Reply) -> KeptAnswer:
        """What is to be shown of the answer: as an earlier try has, or may have, shown it, else as it is now."""
        facts = self._journal.read()
        untried = facts.get("reply") in (None, "gone") and not facts.keys() & {"pushed", "outcome"}
        if untried or "showing" not in facts:
            answer = self._cut(reply, _shown_before(facts))
            self._journal.write(text=plain(reply.text), showing=answer.to_json())
            return answer
        return KeptAnswer.from_json(facts["showing"])

    def _cut(self, reply: Reply, before: str) -> KeptAnswer:
        """The answer, or what follows after the beginning that is shown, as LINE shows it."""
        whole, language = plain(reply.text), self._target.language
        follows = what_follows(whole, before)
        sources = source_lines(reply.text, reply.citations, language)
        introduction: Introduction = "" if not before else "anew" if follows is None else "rest"
        words = whole if follows is None else follows or (phrases(language).nothing_more if before else "")
        if not words:
            raise DeliveryFailed("nothing to show")
        below = card(reply, self._target, may_train=self._ways.may_train)
        return KeptAnswer(
            message_id=self._target.message_id,
            user_id=f"line:{self._target.reply_to.get('user_id') or self._chat_id}",
            language=language,
            parts=split(words if below else "\n\n".join(filter(None, (words, sources)))),
            introduction=introduction,
            card=below,
            sources=sources,
            quote_token=self._quote_token,
        )

    def _deliver(self, answer: KeptAnswer) -> Literal["shown", "kept"]:
        """Get the answer to its reader by the first way that is open."""
        try:
            left = self._token.deliver("reply", [answer])
            return "kept" if any(rest.size == answer.size for rest in left) else "shown"
        except DeliveryUnknown:
            return "kept"  # and marked as one that may have been shown; a push could show it twice
        except TokenGone:
            return self._deliver_late(answer)

    def _deliver_late(self, answer: KeptAnswer) -> Literal["shown", "kept"]:
        """Without a token of its own: by a tap's, which is free, else by a push, else with what comes next."""
        conversation_id = self._target.conversation_id
        facts = self._journal.read()
        # A push that was begun may have been shown: its key settles that, whatever is left of the quota.
        if "pushed" in facts or (self._may_push() and not self._ways.taps.expires_at(conversation_id)):
            return self._push(answer)
        return self._keep(answer.introduced(answer.introduction or "late"), 0)

    def _push(self, answer: KeptAnswer) -> Literal["shown", "kept"]:
        facts = self._journal.read()
        first, again = facts.get("pushed", 0), facts.get("round", 0)
        self._journal.write(pushed=first)
        for group in range(first, -(-answer.size // MAX_MESSAGES)):
            begin, end = group * MAX_MESSAGES, (group + 1) * MAX_MESSAGES
            name = f"{answer.message_id}:{group}:{again}" if again else f"{answer.message_id}:{group}"
            try:
                self._push_group(answer.messages()[begin:end], answer.plain_messages()[begin:end], name)
            except QuotaUsedUp:
                rest = answer.after(begin) if group else answer.introduced(answer.introduction or "late")
                return "shown" if self._keep(rest, group) == "shown" or group else "kept"
            self._journal.write(pushed=group + 1)
        return "shown"

    def _push_group(self, messages: list[Any], plain_ones: list[Any], name: str) -> None:
        """Push some messages, each kind under a key of its own, since LINE takes a key for one body only.

        Raises:
            QuotaUsedUp, DeliveryFailed, DeliveryDeferred, LockLost
        """

        def push(some: Sequence[Any]) -> None:
            key = name if some is messages else f"{name}:plain"
            self._ways.push(self._target.reply_to, some, str(uuid.uuid5(RETRY_KEYS, key)))

        checkpoint("sending")
        self._journal.check()
        show(push, messages, plain_ones)
        checkpoint("sent")

    def _keep(self, answer: KeptAnswer, group: int) -> Literal["shown", "kept"]:
        """Keep the answer, from this group of its messages on, and hand it over where a tap waits for it."""
        conversation_id, again = self._target.conversation_id, self._journal.read().get("round", 0)
        self._journal.check()
        self._ways.kept.keep(conversation_id, answer, f"{answer.message_id}:{group}:{again}")
        tapped = self._ways.taps.take(conversation_id)  # only now: a tap that comes later finds what is kept
        try:
            return "shown" if tapped and hand_over(tapped, conversation_id, self._ways) else "kept"
        except DeliveryError as error:  # the button is there still
            log.info("not handed over", extra={"platform": "line", "reason": str(error)})
            return "kept"

    def _may_push(self) -> bool:
        return self._ways.pushing.allows(self._chat_id, self._target.reply_to["chat_type"])

    @property
    def _quote_token(self) -> str:
        """What quotes the question, where it is not plain which one is answered."""
        return "" if self._in_1_to_1 else self._target.reply_to.get("quote_token") or ""


def _shown_before(facts: Any) -> str:
    """What of the answer is shown already."""
    shown: str = facts.get("beginning", "") if facts.get("notice") == "sent" else ""
    return shown

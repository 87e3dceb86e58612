"""LINE's way out: the streams of answers, who reads them, and what a button fetches."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis
from linebot.v3.messaging import TextMessage

from bot.access import Access
from bot.calls import AT_ONCE, TIMEOUT_S, Calls
from bot.capabilities import FetchedFile, Outcome
from bot.errors import DeliveryFailed
from bot.line.api import LineApi
from bot.line.collecting import hand_over
from bot.line.content import LineFiles
from bot.line.kept import KeptAnswers
from bot.line.loading import show_loading
from bot.line.phrases import phrases
from bot.line.profiles import Profiles
from bot.line.quota import Pushing
from bot.line.reply import NOTICE_BEFORE_S, LineReply
from bot.line.sent import SentMessages
from bot.line.tap import Taps
from bot.line.ways import Ways
from bot.messages import Attachment, Reply
from bot.platform import Journal, Target

log = logging.getLogger(__name__)


class LineSender:
    """Sends answers to LINE; see `Sender`."""

    def __init__(
        self,
        api: LineApi,
        store: redis.Redis,
        *,
        pushing: Pushing,
        files: LineFiles,
        access: Access,
        may_train: bool = False,
    ) -> None:
        self._ways = Ways(
            *(store, api, KeptAnswers(store), Taps(store), SentMessages(store)), pushing=pushing, may_train=may_train
        )
        self._files = files
        self._profiles = Profiles(api, store)
        self._access = access

    def open(self, target: Target, journal: Journal) -> LineReply:
        """The stream for one answer. What was kept for who is let in no longer is dropped: its token would carry it."""
        if not self.admits(target.conversation_id):
            self._ways.kept.drop(target.conversation_id, lambda _: True)
        return LineReply(target, journal, self._ways)

    def audience(self, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Labels of what the readers may see: members' documents only where everybody had to be let in."""
        place = f"line:{reply_to['chat_id']}"
        return frozenset({"public", place} if self._access.is_open else {"public", "members", place})

    def admits(self, conversation_id: str) -> bool:
        """Whether the person or group is let in now; see `Admits`."""
        return self._access.admits(conversation_id)

    def due_at(self, reply_to: Mapping[str, Any]) -> float | None:
        """Shortly before the reply token dies, or, after that, the one of a tap that waits."""
        own = float(reply_to["expires_at"]) if reply_to.get("reply_token") else 0.0
        if own > time.time():
            return own - NOTICE_BEFORE_S
        tapped = self._ways.taps.expires_at(f"line:{reply_to['chat_id']}")
        return tapped - NOTICE_BEFORE_S if tapped else None

    def confirm(self, target: Target, text: str, journal: Journal) -> None:
        """Confirm an order on its own reply token."""
        self.open(target, journal).finish(Reply(text))

    def erase(self, conversation_id: str, *, user_id: str = "", message_ids: Sequence[str] = ()) -> None:
        """Drop the kept answers to these messages, or all that is kept of a person: answers, name, language."""
        if user_id:
            self._profiles.forget(user_id)
        self._ways.kept.drop(conversation_id, lambda kept: kept.user_id == user_id or kept.message_id in message_ids)

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """What somebody sent; see `FetchesFiles`."""
        return self._files.fetch(attachment, most_bytes)

    def language_for(self, user_id: str, spoken: str) -> str:
        """What to speak to a person; see `KnowsLanguages`."""
        return self._profiles.language(user_id, spoken)

    def choose_language(self, user_id: str, language: str) -> None:
        """Speak it to the person from now on; see `KnowsLanguages`."""
        self._profiles.wish(user_id, language)

    def name_of(self, who: str) -> str:
        """What a person or a group is called; see `KnowsNames`."""
        return self._profiles.of(who).name

    def kept(self) -> Iterator[tuple[str, str]]:
        """What waits for a reply token, but for what was withdrawn already."""
        return ((where, kept.message_id) for where, kept in self._ways.kept.all() if kept != kept.withdrawn)

    def drop(self, conversation_id: str, *, but_for: str) -> None:
        """Let no answer wait in this conversation any more, but for the one to this message."""
        self._ways.kept.drop(conversation_id, lambda kept: kept.message_id != but_for)

    def withdraw(self, conversation_id: str, message_id: str) -> None:
        """Have the waiting answer to this message say that it holds no more."""
        for kept in self._ways.kept.of(conversation_id):
            if kept.message_id == message_id:
                self._ways.kept.withdraw(conversation_id, kept)

    def collect(self, reply_to: Mapping[str, Any], conversation_id: str, language: str, *, asked_for: Outcome) -> None:
        """Show on a fresh token (a button was pressed) what is kept for the conversation, or what became of it.

        Of an answer that is still to come the token waits for it. May be repeated with the same token.

        Raises:
            DeliveryDeferred, DeliveryFailed: nothing was shown, all of it is still kept.
        """
        if asked_for == "coming" and not self._ways.kept.of(conversation_id):
            self._ways.taps.wait(conversation_id, reply_to)
            show_loading(reply_to, self._ways.api)
            if not self._ways.kept.of(conversation_id) or not self._ways.taps.take(conversation_id):
                return  # it waits, or who finished the answer meanwhile spends it
        words = phrases(language)
        nothing = {"coming": words.working, "shown": words.shown_above, "gone": words.gone}[asked_for]
        told = [TextMessage(text=nothing)]
        hand_over(reply_to, conversation_id, self._ways, lambda anything: [] if anything else told)

    def thank(self, reply_to: Mapping[str, Any], conversation_id: str, text: str) -> None:
        """Tell who has just pressed a button; see `ThanksVoters`. What is kept comes with it."""
        try:
            hand_over(reply_to, conversation_id, self._ways, lambda _: [TextMessage(text=text)])
        except DeliveryFailed as error:  # the vote counts without it
            log.info("voter not thanked", extra={"platform": "line", "reason": str(error)})


def line_api(url: str, access_token: str, *, timeout_s: float = TIMEOUT_S, at_once: int = AT_ONCE) -> LineApi:
    """LINE's API, with `at_once` calls at most at the same time."""
    return LineApi(url, access_token, Calls(at_once), timeout_s)

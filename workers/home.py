"""The clerk's part of App Home: what stands on a person's page, and what its buttons and its dialog do."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping

from bot.capabilities import HasHome
from bot.home import GAP_ANSWERED, GAP_DROPPED, GAP_OPENED, AdminPart, GapAnswer, Page, PageGap
from bot.messages import Action, Command
from workers.administering import answer as tell
from workers.administering import index_status
from workers.gaps.entries import GapRefused, entry
from workers.gaps.gap import Topic
from workers.gaps.gaps import Gaps
from workers.gaps.texts import MOST_WORDINGS, WORDING_CHARS, head
from workers.phrases import SUGGESTIONS, phrase
from workers.services import Clerk

log = logging.getLogger(__name__)

MOST_TOPICS = 30
"""On a page, which has room for a hundred blocks; the terminal lists all."""


def show_home(_: str, event: Command | Action, clerk: Clerk) -> None:
    """Show who opened it their page as it is now."""
    sender = clerk.senders[event.platform]
    if isinstance(sender, HasHome):
        language = event.language or sender.language_of(event.reply_to)
        sender.show_home(event.reply_to, page(event.user_id, language, clerk))


def page(user_id: str, language: str, clerk: Clerk) -> Page:
    """A person's page."""
    wished = clerk.policy.of(frozenset({user_id})).suggested_prompts
    admin = _admin_part(language, clerk) if user_id in clerk.access.admins else None
    return Page(language, phrase("help", language), tuple(wished or SUGGESTIONS[language]), admin)


def open_gap(control_id: str, event: Action, clerk: Clerk) -> None:
    """Open the dialog in which an administrator answers a gap."""
    topic, sender = _topic(event, event.value, clerk), clerk.senders[event.platform]
    if topic is not None and not topic.is_answered and isinstance(sender, HasHome):
        sender.ask_for_answer(event.reply_to, _as_shown(topic, event.language), event.language)
    else:
        show_home(control_id, event, clerk)


def answer_gap(control_id: str, event: Action, clerk: Clerk) -> None:
    """Take what an administrator wrote, as `madoguchi gaps answer` does: who asked is told when the index has it."""
    written = GapAnswer.read(event.value)
    topic = _topic(event, str(written.number), clerk) if written else None
    if written is not None and _may(event, clerk):
        refusal = "gap_gone" if topic is None else _refusal(control_id, written, topic, event, clerk)
        if refusal:
            tell(phrase(refusal, event.language), control_id, event, clerk)
    show_home(control_id, event, clerk)


def drop_gap(control_id: str, event: Action, clerk: Clerk) -> None:
    """Drop a gap for good; an answer that it has is published all the same."""
    topic = _topic(event, event.value, clerk)
    if topic is not None:
        Gaps(clerk.store).drop(topic.gaps)
    show_home(control_id, event, clerk)


def _refusal(control_id: str, written: GapAnswer, topic: Topic, event: Action, clerk: Clerk) -> str:
    """The phrase that says why it was not taken; nothing when it was, also by an earlier try of this event."""
    gaps = Gaps(clerk.store)
    day = time.strftime("%Y-%m-%d", time.localtime(event.sent_at))
    name = f"{day}-{hashlib.sha256(control_id.encode()).hexdigest()[:12]}"
    try:
        given = entry(name, written.question, written.answer, topic.audience)
    except GapRefused as error:  # the dialog had let it through
        log.warning("answer refused", extra={"reason": str(error)})
        return "gap_refused"
    if gaps.answer(topic.number, given):
        log.info("gap answered", extra={"topic": topic.number})
        return ""
    standing = gaps.answers().get(topic.number)
    return "" if standing is not None and standing.name == name else "gap_taken"


def _topic(event: Action, number: str, clerk: Clerk) -> Topic | None:
    """The topic of this number, for an administrator; None for everybody else, and when it is gone."""
    if not _may(event, clerk) or not number.isascii() or not number.isdecimal():
        return None
    return Gaps(clerk.store).topic(int(number))


def _may(event: Action, clerk: Clerk) -> bool:
    """Whether it is an administrator; anybody can send what looks like a press of a button that they do not see."""
    admin = event.user_id in clerk.access.admins
    if not admin:
        log.warning("refused", extra={"platform": event.platform, "action": event.name})
    return admin


def _admin_part(language: str, clerk: Clerk) -> AdminPart:
    gaps = Gaps(clerk.store)
    topics = gaps.topics()
    shown = tuple(_as_shown(topic, language) for topic in topics[:MOST_TOPICS])
    return AdminPart(index_status(language, clerk), shown, len(topics) - len(shown), gaps.unsorted())


def _as_shown(topic: Topic, language: str) -> PageGap:
    wordings = tuple(question[:WORDING_CHARS] for question in topic.questions[:MOST_WORDINGS])
    return PageGap(topic.number, head(topic, language), wordings, topic.is_answered)


ACTIONS: Mapping[str, Callable[[str, Action, Clerk], None]] = {
    GAP_OPENED: open_gap,
    GAP_ANSWERED: answer_gap,
    GAP_DROPPED: drop_gap,
}

"""Offering: what can be done with an answer where it is read, and what it tells of how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.capabilities import HandsOff, Shares
from bot.offers import HAND_OFF, SHARE, WHY
from bot.sanitise import sanitise
from knowledge.documents import Passage
from workers.answer import Answer
from workers.citing import shown_title
from workers.inquiry import Inquiry
from workers.provenance import Provenance, Seen
from workers.services import Desk, Found


def offered(made: Answer, found: Found, inquiry: Inquiry, desk: Desk) -> Answer:
    """The answer with what can be done with it, and what it was made from; as it is when it is not remembered."""
    if not made.turns:
        return made
    reply = replace(made.reply, offers=offers(made, inquiry, desk))
    return replace(made, reply=reply, provenance=provenance(made, found, inquiry, desk))


def offers(made: Answer, inquiry: Inquiry, desk: Desk) -> tuple[str, ...]:
    """What can be done with an answer that is remembered."""
    newest = inquiry.batch.newest
    sender, may = desk.senders[newest.platform], [WHY]
    if isinstance(sender, HandsOff) and inquiry.policy.hand_off.startswith(f"{newest.platform}:"):
        may.append(HAND_OFF)
    if isinstance(sender, Shares) and made.reply.citations and sender.can_share(newest.reply_to):
        may.append(SHARE)
    return tuple(may)


def provenance(made: Answer, found: Found, inquiry: Inquiry, desk: Desk) -> Provenance:
    """What an answer that is remembered was made from."""
    searching_ms, waiting_ms, writing_ms = inquiry.course.times_ms()
    return Provenance(
        message_ids=tuple(inquiry.batch.ids),
        conversation_id=inquiry.batch.conversation_id,
        user_id=inquiry.batch.newest.user_id,
        seen=_seen(found.passages or found.nearest, made),
        generation=found.generation,
        model=desk.model if inquiry.course.has_written or made.is_cached else "",
        is_cached=made.is_cached,
        left_out=inquiry.course.left_out,
        searching_ms=searching_ms,
        waiting_ms=waiting_ms,
        writing_ms=writing_ms,
        hand_off=inquiry.policy.hand_off,
    )


def _seen(passages: Iterable[Passage], made: Answer) -> tuple[Seen, ...]:
    """The passages as they were found, those that the answer cites with the pages that were made for its readers."""
    ids = (quoted.chunk_id for quoted in made.turns[-1].passages)
    pages = dict(zip(ids, (source.page for source in made.reply.citations), strict=False))
    return tuple(_as_seen(passage, pages) for passage in passages)


def _as_seen(passage: Passage, pages: Mapping[str, str]) -> Seen:
    chunk = passage.chunk
    in_index = bool(chunk.audience)
    return Seen(
        chunk_id=chunk.id,
        title=shown_title(chunk) if in_index else "",
        heading=" ".join(sanitise(" > ".join(chunk.heading_path)).split()) if in_index else "",
        score=round(float(passage.score), 3),
        uri=chunk.uri if in_index else "",
        page=pages.get(chunk.id, ""),
        audience=tuple(sorted(chunk.audience)),
        is_cited=chunk.id in pages,
    )

"""Explaining: what an answer was made from, told to who asked and to nobody else."""

from __future__ import annotations

import redis

from bot.capabilities import Whispers
from bot.messages import Action
from workers.finishing import wait_until_finished
from workers.phrases import phrase
from workers.provenance import Provenance, Provenances
from workers.services import Clerk


def explain(_: str, event: Action, clerk: Clerk) -> None:
    """Tell who pressed what the answer to the message `value` was made from."""
    sender = clerk.senders[event.platform]
    if not isinstance(sender, Whispers):
        return
    record, refusal = own(event, clerk.store)
    if record is None:
        sender.whisper(event.reply_to, phrase(refusal, event.language))
    else:
        seen = [one.citation(number) for number, one in enumerate(record.seen, 1)]
        sender.whisper(event.reply_to, words(record, event.language), [one for one in seen if one.address])


def own(event: Action, store: redis.Redis) -> tuple[Provenance | None, str]:
    """What the answer to the message `value` was made from, if who pressed has asked; else the phrase that refuses.

    Raises:
        DeliveryDeferred: the answer is seen, and not remembered yet.
    """
    record = Provenances(store).get(event.value, event.conversation_id)
    if record is None:
        wait_until_finished(event.conversation_id, event.value, store)
        return None, "answer_gone"
    return (record, "") if record.user_id == event.user_id else (None, "only_for_asker")


def words(record: Provenance, language: str) -> str:
    """All that is known of it, a line each."""
    lines = [phrase("why_found" if any(one.is_cited for one in record.seen) else "why_near", language)]
    for number, one in enumerate(record.seen, 1):
        title = one.title or phrase("why_own_file", language)
        place = f"{title} > {one.heading}" if one.heading else title
        name = "why_cited" if one.is_cited else "why_passage"
        lines.append(phrase(name, language, number=number, place=place, score=f"{one.score:.2f}"))
    if not record.seen:
        lines = [phrase("why_nothing", language)]
    lines.append(phrase("why_index", language, generation=record.generation))
    lines.append(_writer(record, language))
    if record.left_out:
        lines.append(phrase("why_left_out", language, count=record.left_out))
    lines.append(_times(record, language))
    return "\n".join(lines)


def _writer(record: Provenance, language: str) -> str:
    if record.is_cached:
        return phrase("why_cached", language, model=record.model)
    return phrase("why_model", language, model=record.model) if record.model else phrase("why_no_model", language)


def _times(record: Provenance, language: str) -> str:
    seconds = {name: f"{getattr(record, f'{name}_ms') / 1000:.1f}" for name in ("searching", "waiting", "writing")}
    return phrase("why_times" if record.model and not record.is_cached else "why_search_time", language, **seconds)

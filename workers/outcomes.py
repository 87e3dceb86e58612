"""What came of answers and is kept beside their conversations: votes, cached answers, what they were made from."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from workers.answer_cache import AnswerCache
from workers.provenance import Provenances
from workers.votes.votes import Votes


def erase_outcomes(store: redis.Redis, *, person: str = "", message_ids: Sequence[str] = ()) -> bool:
    """Erase what came of answers to a person, or to these messages; whether somebody had voted on one.

    After the turns are erased or reworded: without these none of it is kept any more.

    Raises:
        StoreUnavailable
    """
    voted_on = Votes(store).erase(person=person, message_ids=message_ids)
    AnswerCache(store).erase(person=person, message_ids=message_ids)
    Provenances(store).erase(person=person, message_ids=message_ids)
    return bool(voted_on)

"""Batches: what a worker holds while it answers a conversation, under a lock with a fencing token.

The lock has a short life and is renewed by a thread while the batch is held; whoever loses it must not send anything
more. Every step that changes the store is one Lua script that checks the token.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from bot.errors import LockLost, StoreUnavailable
from bot.inbox import ROOM
from bot.messages import Message, UnreadableRecord
from bot.store import SEEN_S, script, store_errors, text
from workers.batch import Batch, BatchJournal
from workers.conversation import Turn
from workers.erasure import REWRITE
from workers.gaps.gap import Gap, gap_keys

log = logging.getLogger(__name__)

LOCK_LIFE_S = 15.0
"""Longer than any one call to a platform (8 s): each is made with a lock that was renewed just before."""
RENEW_EVERY_S = 4.0
HUNG_AFTER_S = 120.0
"""Who holds a batch looks up or writes down several times a minute, whatever it waits for. A thread that was silent for
so long hangs, and its lock is left to end. Far longer than a call to a platform, a search or a prompt may take."""
MOST_MESSAGES = 20
"""Messages of one person that one answer covers; more of them make the next batch."""
MOST_HELD_OF_ONE_PERSON = 2
"""Batches of one person that are answered at once, over all conversations: the model is everybody's."""
HELD_UP_PAUSE_S = 5.0
"""When a batch ends, the person's next one is called in; this is for when that call was lost."""
HELD_KNOWN_S = 2 * 3600
"""Longer than any batch is held."""
ALONE_FROM_ATTEMPT = 3
"""After two attempts that ended a process the batch runs with no other beside it."""
GIVE_UP_FROM_ATTEMPT = 4
UNREADABLE_PAUSE_S = 60.0
"""Messages that a newer version wrote wait for a worker of that version."""


class Batches:
    """Takes, holds, finishes and hands back batches."""

    def __init__(self, store: redis.Redis, turns_life_s: int) -> None:
        self._store = store
        self._turns_life_s = turns_life_s
        # Unique: after a restart in a container host and pid are what they were.
        self.owner = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(8)}"
        self._take = script(store, "workers", "take")
        self._finish = script(store, "workers", "finish")
        self._hand_back = script(store, "workers", "hand_back")
        self._renew = script(store, "workers", "renew")
        self._note = script(store, "workers", "note")

    def take(self, conversation_id: str, *, only_to_look: bool = False) -> Batch | None:
        """The conversation's next batch with its lock, or None.

        None: nothing waits, somebody else has it, or as many of the person's batches are held as may be.

        Args:
            only_to_look: neither an attempt to answer it nor held by its person's measure.
        """
        c = conversation_id
        with store_errors():
            taken = self._take(
                keys=[*_batch_keys(c), "fence", "ready", f"epoch:{c}", f"over:{c}"],
                args=[
                    *(self.owner, int(LOCK_LIFE_S * 1000), c, MOST_MESSAGES, ROOM, time.time()),
                    *(MOST_HELD_OF_ONE_PERSON, HELD_UP_PAUSE_S, HELD_KNOWN_S, "1" if only_to_look else "0"),
                ],
            )
        if not taken:
            return None
        token, attempt, epoch, over, lane, *payloads = taken
        try:
            messages = tuple(Message.from_json(payload) for payload in payloads)
        except UnreadableRecord as error:
            log.error("batch unreadable", extra={"reason": str(error)})
            self._give_back(c, token, after_s=UNREADABLE_PAUSE_S, forgive=not only_to_look)
            return None
        return Batch(token, int(attempt), epoch, over == "1", lane, messages, BatchJournal(self, c, token))

    def next_held_up(self, batch: Batch) -> str | None:
        """After a batch has ended: the conversation of the same person that waits for that the longest."""
        with store_errors():
            popped: list[Any] = self._store.zpopmin(f"held_up:{batch.lane}")
        return text(popped[0][0]) if popped else None

    @contextmanager
    def holding(self, batch: Batch) -> Iterator[None]:
        """Keep the lock alive inside the block, unless the block hangs."""
        done = threading.Event()
        renewing = threading.Thread(target=self._renew_until, args=(done, batch), name="renew", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def finish(
        self,
        batch: Batch,
        turns: Sequence[Turn],
        *,
        cut: int = 0,
        erases: bool = False,
        dead: str = "",
        apologised: bool = False,
        gap: Gap | None = None,
    ) -> int:
        """Remember the turns, mark the messages answered, release the lock; how many messages wait behind.

        Args:
            cut: how many of the oldest turns are dropped first.
            erases: they quote what this place may not read any more, and leave the store's file as well.
            dead: why this could not be answered; not empty: it goes to the dead letters, with its journal.
            apologised: the person has an apology, which counts as the answer.
            gap: the question, if the documents did not answer it.

        Raises:
            LockLost: nothing has changed; also when messages were erased of what was to be a dead letter.
        """
        c = batch.conversation_id
        with store_errors():
            waiting = self._finish(
                keys=[
                    *(*_batch_keys(c), "ready", f"turns:{c}", f"epoch:{c}", f"interrupt:{c}"),
                    *("dead", f"over:{c}", f"letters:{c}", REWRITE, *gap_keys(c)),
                ],
                args=[
                    *(batch.token, c, time.time(), self._turns_life_s, SEEN_S, batch.epoch, cut, int(erases)),
                    *(json.dumps(batch.ids), _dead_letter(dead, apologised) if dead else ""),
                    gap.to_json() if gap else "",
                    *(turn.to_json() for turn in turns),
                ],
            )
        if waiting < 0:
            raise LockLost(batch.token)
        return int(waiting)

    def hand_back(self, batch: Batch, *, after_s: float, forgive: bool) -> None:
        """Give the batch back unanswered, to be taken again after `after_s` seconds.

        Args:
            forgive: the attempt does not count towards giving up (the platform or the store was at fault).
        """
        self._give_back(batch.conversation_id, batch.token, after_s=after_s, forgive=forgive)

    def journal(self, conversation_id: str) -> Mapping[str, Any]:
        """What has been written into the journal of the conversation's batch."""
        with store_errors():
            facts = self._store.hgetall(f"batch:{conversation_id}")
        named = {text(name): value for name, value in facts.items()}
        return {n.removeprefix("journal:"): json.loads(v) for n, v in named.items() if n.startswith("journal:")}

    def note(self, conversation_id: str, token: str, facts: Mapping[str, Any]) -> None:
        """Write facts into the journal.

        Raises:
            LockLost
        """
        pairs = [part for name, value in facts.items() for part in (name, json.dumps(value, ensure_ascii=False))]
        with store_errors():
            held = self._note(keys=[f"lock:{conversation_id}", f"batch:{conversation_id}"], args=[token, *pairs])
        if not held:
            raise LockLost(token)

    def check(self, conversation_id: str, token: str) -> None:
        """Make sure that lock and batch are still ours, and stay so for LOCK_LIFE_S.

        Raises:
            LockLost: another worker took over, or messages of the batch were erased.
        """
        if not self._renewed(conversation_id, token):
            raise LockLost(token)

    def _give_back(self, c: str, token: str, *, after_s: float, forgive: bool) -> None:
        with store_errors():
            self._hand_back(
                keys=[f"lock:{c}", f"batch:{c}", f"attempts:{c}", "ready"],
                args=[token, c, time.time() + after_s, "1" if forgive else "0"],
            )

    def _renewed(self, c: str, token: str) -> bool:
        with store_errors():
            return bool(self._renew(keys=[f"lock:{c}", f"batch:{c}"], args=[token, int(LOCK_LIFE_S * 1000)]))

    def _renew_until(self, done: threading.Event, batch: Batch) -> None:
        while not done.wait(RENEW_EVERY_S):
            if batch.journal.silent_s > HUNG_AFTER_S:
                log.error("hangs, its lock is not renewed", extra={"platform": batch.newest.platform})
                return
            try:
                if not self._renewed(batch.conversation_id, batch.token):
                    return  # lost: the next check says so
            except StoreUnavailable:
                log.warning("lock not renewed", extra={"reason": "store unavailable"})


def _batch_keys(conversation_id: str) -> list[str]:
    return [f"{name}:{conversation_id}" for name in ("lock", "inbox", "messages", "batch", "attempts")]


def _dead_letter(reason: str, apologised: bool) -> str:
    """A dead letter without its messages: the store adds them, as they are then."""
    return json.dumps({"reason": reason, "at": time.time(), "apologised": apologised}, ensure_ascii=False)

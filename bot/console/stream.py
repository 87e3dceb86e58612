"""What the console's page shows, as a stream in the store: `stream:{conversation_id}`.

Each entry has a type, the id of the message it is about, and the event as JSON:

    question    a person's message, so that a reload and a second tab show the whole chat    text
    waiting     a sign of life                                                               text
    preview     what a document says, shown until something of the answer is there           text, citations
    restarted   another worker takes over: forget the text so far
    withdrawn   the question was erased: forget the text so far, if there is any
    reopened    another answer was asked for: forget the one that was shown
    text        the answer so far                                                            text
    done        the answer                                                                   text, citations, may_train
    failed      an apology in place of the answer                                            text
    voted       what the person thinks of the answer                                         value
    notice      the confirmation of an order                                                 text
    cleared     everything before is erased, here too

A message has one question and one of `done` and `failed`, whoever writes; both are settled in one step of the store.
What a later event makes worthless leaves the stream at once, so it holds little more than questions and answers.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import redis
import redis.asyncio

from bot.messages import Message, Reply
from bot.store import store_errors

MAX_ENTRIES = 2_000
KEPT_S = 7 * 24 * 3600
BLOCK_MS = 500
"""Shorter than the store's socket timeout (`bot.store.connect`), and as long as the end of a reader may take."""

Event = Mapping[str, Any]

_WRITE = """\
-- Add an event, unless what it says is said already; drop what it makes worthless.
-- KEYS stream   ARGV type, id, event, max entries, kept_s
-- Returns the event that stands: this one, or the one that was there before. Nothing when the message was erased.
local kind, id = ARGV[1], ARGV[2]
local once = { question = 'question', notice = 'notice' }
local worthless, is_done = {}, false
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-')) do
  local was, about, event, erased = entry[2][2], entry[2][4], entry[2][6], entry[2][8]
  if about == id then
    local settled = (was == 'done' or was == 'failed') and kind ~= 'question' and kind ~= 'voted'
    is_done = is_done or was == 'done'
    if (settled and kind ~= 'reopened') or once[kind] == was then return event end
    local over = was == 'waiting' or was == 'text' or was == 'voted' or (was == 'preview' and kind ~= 'waiting')
    if settled or (kind ~= 'question' and over) then
      worthless[#worthless + 1] = entry[1]
    end
  elseif was == 'cleared' and string.find(erased, ' ' .. id .. ' ', 1, true) then
    return false
  end
end
if kind == 'voted' and not is_done then return false end  -- the answer is not there any more
if kind == 'withdrawn' and #worthless == 0 then return false end
for _, at in ipairs(worthless) do redis.call('XDEL', KEYS[1], at) end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'type', kind, 'id', id, 'event', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return ARGV[3]
"""

_CLEAR = """\
-- Erase the stream and say so. The ids of unanswered questions stay, so that an answer that comes too late is known.
-- KEYS stream   ARGV event, kept_s
local unanswered, erased = {}, ' '
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  local was, about, earlier = entry[2][2], entry[2][4], entry[2][8]
  if was == 'cleared' then erased = earlier end
  if was == 'question' then unanswered[about] = true end
  if was == 'done' or was == 'failed' then unanswered[about] = nil end
end
for id in pairs(unanswered) do erased = erased .. id .. ' ' end
-- Not DEL: the ids of a trimmed stream go on rising, so a reader that is ahead cannot miss what follows.
redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
redis.call('XADD', KEYS[1], '*', 'type', 'cleared', 'id', '', 'event', ARGV[1], 'erased', erased)
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


class ChatStream:
    """Writes what the page shows. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis) -> None:
        self._write = store.register_script(_WRITE)
        self._clear = store.register_script(_CLEAR)

    def question(self, message: Message) -> None:
        """Show what a person said; once for each message."""
        self._add(message.conversation_id, "question", message.id, text=message.text, at=message.sent_at)

    def waiting(self, conversation_id: str, message_id: str, notice: str) -> None:
        """Show a sign of life in place of the answer."""
        self._add(conversation_id, "waiting", message_id, text=notice)

    def preview(self, conversation_id: str, message_id: str, extract: Reply) -> None:
        """Show what a document says in place of the answer, beside signs of life."""
        self._add(conversation_id, "preview", message_id, text=extract.text, citations=_cited(extract))

    def restarted(self, conversation_id: str, message_id: str) -> None:
        """Take back the text so far."""
        self._add(conversation_id, "restarted", message_id)

    def withdrawn(self, conversation_id: str, message_id: str) -> None:
        """Take back the text so far of an answer that will not come; nothing where there is none."""
        self._add(conversation_id, "withdrawn", message_id, type="restarted")

    def reopened(self, conversation_id: str, message_id: str) -> None:
        """Take back what the message was settled with; the page forgets it as it does when a worker takes over."""
        self._add(conversation_id, "reopened", message_id, type="restarted")

    def text(self, conversation_id: str, message_id: str, text_so_far: str) -> None:
        """Show the answer so far."""
        self._add(conversation_id, "text", message_id, text=text_so_far)

    def done(self, conversation_id: str, message_id: str, reply: Reply, *, may_train: bool = False) -> str:
        """Settle a message with its answer; the text that the page shows, which may be an earlier answer's.

        Args:
            may_train: the page asks who finds it helpful to lend it for training.
        """
        facts = {"text": reply.text, "citations": _cited(reply), "may_train": may_train}
        return self._settle(conversation_id, "done", message_id, **facts)

    def failed(self, conversation_id: str, message_id: str, apology: str) -> str:
        """Settle a message with an apology; the text that the page shows, which may be an earlier answer's."""
        return self._settle(conversation_id, "failed", message_id, text=apology)

    def voted(self, conversation_id: str, message_id: str, value: str) -> None:
        """Show what the person thinks of an answer that is shown; the newest vote stands."""
        self._add(conversation_id, "voted", message_id, value=value)

    def notice(self, conversation_id: str, order_id: str, text: str) -> None:
        """Confirm an order; once for each order."""
        self._add(conversation_id, "notice", order_id, text=text)

    def clear(self, conversation_id: str) -> None:
        """Erase everything that the page shows, and what is being answered too."""
        with store_errors():
            self._clear(keys=[_key(conversation_id)], args=[json.dumps({"type": "cleared", "id": ""}), KEPT_S])

    def _settle(self, conversation_id: str, kind: str, message_id: str, **facts: Any) -> str:
        standing = self._add(conversation_id, kind, message_id, **facts)
        return str(json.loads(standing)["text"]) if standing else ""

    def _add(self, conversation_id: str, kind: str, about: str, **facts: Any) -> str | None:
        event = json.dumps({"type": kind, "id": about, **facts}, ensure_ascii=False)
        with store_errors():
            standing = self._write(keys=[_key(conversation_id)], args=[kind, about, event, MAX_ENTRIES, KEPT_S])
        return str(standing) if standing else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a stream as read; `id` is the place after which to go on."""

    id: str
    event: Event


async def follow(client: redis.asyncio.Redis, conversation_id: str, after_id: str) -> AsyncIterator[Entry | None]:
    """Every event after `after_id` (`0`: from the beginning), for ever.

    None when nothing waits to be read, and again every BLOCK_MS: the caller's chance to do something else, or to leave.

    Raises:
        redis.RedisError
    """
    block_ms = None  # what is there already comes without waiting
    while True:
        entries = _entries(await client.xread({_key(conversation_id): after_id}, count=100, block=block_ms))
        for entry in entries:
            after_id = entry.id
            yield entry
        if not entries:
            yield None
            block_ms = BLOCK_MS


def follow_blocking(store: redis.Redis, conversation_id: str, after_id: str) -> Iterator[Entry | None]:
    """Like `follow`, for a caller without an event loop.

    Raises:
        StoreUnavailable
    """
    block_ms = None
    while True:
        with store_errors():
            entries = _entries(store.xread({_key(conversation_id): after_id}, count=100, block=block_ms))
        for entry in entries:
            after_id = entry.id
            yield entry
        if not entries:
            yield None
            block_ms = BLOCK_MS


def newest_entry(store: redis.Redis, conversation_id: str) -> str:
    """The id of the newest entry, after which to go on; `0` when there is none.

    Raises:
        StoreUnavailable
    """
    with store_errors():
        newest: Any = store.xrevrange(_key(conversation_id), count=1)
    return str(newest[0][0]) if newest else "0"


def _key(conversation_id: str) -> str:
    return f"stream:{conversation_id}"


def _cited(reply: Reply) -> list[dict[str, Any]]:
    return [asdict(citation) for citation in reply.citations]


def _entries(read: Any) -> list[Entry]:
    """The entries in an answer to XREAD of one stream."""
    return [Entry(entry_id, json.loads(fields["event"])) for _, found in read or () for entry_id, fields in found]

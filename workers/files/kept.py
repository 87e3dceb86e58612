"""The files that a conversation was shown, as passages in the store: for that conversation, and for its life only.

A passage's id names its file (`file:{key}:{number}`): so what quotes it is found when it has to go
(`workers/lua/erase.lua`, `workers/lua/finish.lua`), and it is never taken for a chunk of the documents.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import redis

from bot.errors import LockLost
from bot.messages import VERSION, Attachment, Message, Record, UnreadableRecord
from bot.store import script, store_errors, text
from knowledge.documents import Chunk
from knowledge.embedding import Vectors
from knowledge.own import OwnChunks
from workers.batch import Batch
from workers.files.keys import MARK, file_keys, key_for

MOST_FILES = 10
MOST_PASSAGES = 600
"""Of one conversation, about 2 MB; the oldest files make room for new ones."""
MOST_CONVERSATIONS = 200
"""With files; beyond it those go that were asked about longest ago."""


def key_of(message: Message, attachment: Attachment) -> str:
    """What names a file that came with a message; see `key_for`."""
    return key_for(message.conversation_id, message.id, attachment.id)


@dataclass(frozen=True, slots=True)
class KeptFile(Record):
    """One file that was read.

    Args:
        name: as people read it.
        message_id, user_id: which message it came with, and whose that was: it goes with either.
        at: when it was read, seconds since the epoch.
        passages: how many it has.
        whole: whether they are all of it.
        language: what it is written in, `ja` or `en`.
    """

    name: str
    message_id: str
    user_id: str
    at: float
    passages: int
    whole: bool
    language: str


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a file says: its passages with their vectors, a row each, and what people open to see it."""

    chunks: tuple[Chunk, ...]
    vectors: Vectors
    uri: str = ""

    def to_json(self, fingerprint: str) -> str:
        """All of it as one line of JSON; the vectors at half precision, which changes no cosine by a thousandth."""
        said = [[chunk.title, chunk.heading_path, chunk.text] for chunk in self.chunks]
        packed = base64.b64encode(self.vectors.astype(np.float16).tobytes()).decode()
        facts = {"v": VERSION, "fingerprint": fingerprint, "uri": self.uri, "chunks": said, "vectors": packed}
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, stored: str, key: str, fingerprint: str) -> Contents | None:
        """The contents that `to_json` wrote; None where another version did, or vectors are another embedder's."""
        try:
            facts = json.loads(stored)
            if facts["v"] > VERSION or facts["fingerprint"] != fingerprint:
                return None
            chunks = tuple(_chunks(facts, key))
            vectors = np.frombuffer(base64.b64decode(facts["vectors"]), np.float16).astype(np.float32)
            return cls(chunks, vectors.reshape(len(chunks), -1), facts["uri"])
        except (KeyError, TypeError, ValueError):
            return None


def _chunks(facts: Mapping[str, Any], key: str) -> Iterator[Chunk]:
    for number, (title, headings, said) in enumerate(facts["chunks"]):
        yield Chunk(
            id=f"{MARK}{key}:{number}",
            document_id=f"{MARK}{key}",
            title=title,
            uri=facts["uri"],
            heading_path=tuple(headings),
            text=said,
            audience=frozenset(),  # nobody finds it, who is not handed it with the conversation
        )


class Files:
    """The files of every conversation. Methods raise StoreUnavailable when the store does not answer."""

    def __init__(self, store: redis.Redis, life_s: int, fingerprint: str) -> None:
        """`life_s`: how long files live after the conversation was answered last; `fingerprint`: the embedder's."""
        self._store = store
        self._life_s = life_s
        self._fingerprint = fingerprint
        self._keep = script(store, "workers", "keep_file")

    def kept(self, conversation_id: str, key: str) -> KeptFile | None:
        """The file of this key, if it was read before and is kept."""
        with store_errors():
            stored = self._store.hget(f"files:{conversation_id}", key)
        try:
            return KeptFile.from_json(stored) if stored else None
        except UnreadableRecord:
            return None

    def keep(self, key: str, file: KeptFile, contents: Contents, batch: Batch) -> None:
        """Keep what a file says, as long as the batch is held and its conversation was not begun anew meanwhile.

        Raises:
            LockLost: another worker owns the conversation, or the file's message was erased.
        """
        c = batch.conversation_id
        with store_errors():
            outcome = self._keep(
                keys=[f"lock:{c}", f"messages:{c}", f"epoch:{c}", *file_keys(c)[:2], "files"],
                args=[
                    *(batch.token, file.message_id, batch.epoch, key, file.to_json()),
                    *(contents.to_json(self._fingerprint), self._life_s, c, time.time()),
                    *(MOST_FILES, MOST_PASSAGES, MOST_CONVERSATIONS),
                ],
            )
        if outcome < 0:
            raise LockLost(batch.token)

    def of(self, conversation_id: str, message_ids: Collection[str] = ()) -> OwnChunks:
        """The passages of all files that the conversation was shown; meant are those that came with these messages.

        A thread that a message of another conversation opened (a reply to a Slack DM) has that conversation's files.
        """
        read = [*self._of(self._origin(conversation_id), conversation_id), *self._of(conversation_id)]
        if not read:
            return OwnChunks()
        chunks = tuple(chunk for _, contents in read for chunk in contents.chunks)
        meant = [chunk.id for came_with, contents in read if came_with in message_ids for chunk in contents.chunks]
        return OwnChunks(chunks, np.concatenate([contents.vectors for _, contents in read]), frozenset(meant))

    def _origin(self, conversation_id: str) -> str:
        with store_errors():
            origin = self._store.get(f"about:{conversation_id}")
        return text(origin) if origin and origin != conversation_id else ""

    def _of(self, conversation_id: str, reader: str = "") -> list[tuple[str, Contents]]:
        """The files of a conversation, each with its message, oldest first; from now on they live their whole life."""
        if not conversation_id:
            return []
        files, passages, readers = file_keys(conversation_id)
        with store_errors():
            if not self._store.exists(files):
                return []
            with self._store.pipeline() as step:
                step.hgetall(files)
                step.hgetall(passages)
                if reader:
                    step.sadd(readers, reader)
                for key in (files, passages, readers):
                    step.expire(key, self._life_s)
                step.zadd("files", {conversation_id: time.time()}, xx=True)
                facts, contents, *_ = step.execute()
        return list(self._readable(facts, contents))

    def _readable(self, facts: Mapping[str, str], contents: Mapping[str, str]) -> Iterator[tuple[str, Contents]]:
        told = {key: json.loads(stored) for key, stored in facts.items()}
        for key in sorted(told, key=lambda key: float(told[key]["at"])):
            read = Contents.from_json(contents.get(key, ""), key, self._fingerprint)
            if read is not None and read.chunks:
                yield str(told[key]["message_id"]), read

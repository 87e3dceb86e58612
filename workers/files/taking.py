"""Taking in: the files that came with a batch are fetched, read and kept, and what became of each is told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from bot.capabilities import FetchedFile, FetchesFiles
from bot.checkpoints import checkpoint
from bot.errors import DeliveryDeferred, FileRefused
from bot.messages import Attachment, Message
from knowledge import own
from knowledge.decoding import Undecodable
from knowledge.documents import Document
from knowledge.embedding import Vectors
from knowledge.formats import Content, NoContent
from knowledge.own import OwnChunks, Split
from workers.files.kept import Contents, KeptFile, key_of
from workers.files.kinds import MOST_BYTES, NAMELESS, Unreadable, readable_name, shown_name, why
from workers.inquiry import Inquiry
from workers.phrases import phrase
from workers.services import Desk
from workers.waiting import is_wanted

log = logging.getLogger(__name__)

FETCH_TRIES = 3
"""A platform that hands out no files meanwhile is not waited for longer: who sent it is told, and can send it again."""
MOST_PASSAGES_OF_ONE = 300
AT_ONCE = 8
"""Passages that are embedded before somebody looks whether the answer is wanted still."""
TURN_S = 0.3

_reading = threading.Lock()
"""One file at a time: reading takes a core, and the others' answers want it too."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read: its name as shown, how many passages it has, whether they are all of it, its language."""

    name: str
    passages: int
    whole: bool
    language: str


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that was not read, and why (as `Unreadable` says)."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a conversation's files say, and what became of those that came with these messages."""

    own: OwnChunks
    files: tuple[ReadFile | UnreadFile, ...] = ()
    more: int = 0

    @property
    def unread(self) -> tuple[UnreadFile, ...]:
        """Those that were not read."""
        return tuple(file for file in self.files if isinstance(file, UnreadFile))


class _Unwanted(Exception):
    """Somebody said stop."""


def taken_in(inquiry: Inquiry, desk: Desk) -> Taken | None:
    """The conversation's files, with those that came with these messages; None when somebody said stop meanwhile.

    Done again after a crash it fetches again what was not kept yet, and nothing else.

    Raises:
        Interrupted: a message changed or the process ends.
        DeliveryDeferred: the platform hands out nothing now; after FETCH_TRIES that is told in the place of the file.
        LockLost
    """
    came_with = [(message, one) for message in inquiry.batch.messages for one in message.attachments]
    try:
        files = tuple(_outcome(message, one, inquiry, desk) for message, one in came_with)
    except _Unwanted:
        return None
    more = sum(message.more_files for message in inquiry.batch.messages)
    # Also what came with a question that was edited: it is asked again without telling of its files.
    return Taken(desk.files.of(inquiry.batch.conversation_id, inquiry.batch.ids), files, more)


def _outcome(message: Message, attachment: Attachment, inquiry: Inquiry, desk: Desk) -> ReadFile | UnreadFile:
    key = key_of(message, attachment)
    file = desk.files.kept(message.conversation_id, key)
    try:
        if file is None:
            inquiry.reply.waiting(phrase("file_reading", inquiry.asked_in, file=shown_name(attachment.name)))
            file = _kept(key, message, attachment, inquiry, desk)
    except Unreadable as refused:
        log.info("file not read", extra={"platform": message.platform, "reason": refused.why})
        return UnreadFile(shown_name(attachment.name), refused.why)
    return ReadFile(shown_name(file.name), file.passages, file.whole, file.language)


def _kept(key: str, message: Message, attachment: Attachment, inquiry: Inquiry, desk: Desk) -> KeptFile:
    """The file, fetched, read and kept.

    Raises:
        Unreadable, DeliveryDeferred, Interrupted, LockLost, _Unwanted
    """
    began = time.monotonic()
    fetched = _fetched(attachment, inquiry, desk)
    checkpoint("fetched")
    name = fetched.name or NAMELESS
    with _turn_to_read(inquiry):
        content = _read(readable_name(fetched.name, fetched.mimetype), fetched.content)
        split = _split(key, name, fetched.link, content, desk)
        vectors = _embedded(split, inquiry, desk)
    at = time.time()
    language = split.chunks[0].language
    file = KeptFile(name, message.id, message.user_id, at, len(split.chunks), split.whole, language)
    desk.files.keep(key, file, Contents(split.chunks, vectors, fetched.link), inquiry.batch)
    checkpoint("file kept")
    facts = {"bytes": len(fetched.content), "passages": file.passages}
    log.info("file read", extra={**facts, "elapsed_ms": round((time.monotonic() - began) * 1000)})
    return file


def _fetched(attachment: Attachment, inquiry: Inquiry, desk: Desk) -> FetchedFile:
    """The file's content; nothing is fetched of what is sure not to be read."""
    sender = desk.senders[inquiry.batch.newest.platform]
    if not isinstance(sender, FetchesFiles):
        raise Unreadable("elsewhere")
    if attachment.name or attachment.mimetype:  # of some files the message has the id alone
        readable_name(attachment.name, attachment.mimetype)
    if attachment.size_bytes > MOST_BYTES:
        raise Unreadable("too_large")
    _look(inquiry)
    try:
        return sender.fetch(attachment, MOST_BYTES)
    except FileRefused as refused:
        raise Unreadable(refused.why) from refused
    except DeliveryDeferred as deferred:
        if inquiry.batch.journal.read().get("tries", 0) + 1 < FETCH_TRIES:
            raise
        raise Unreadable("unreachable") from deferred


@contextmanager
def _turn_to_read(inquiry: Inquiry) -> Iterator[None]:
    """The right to read, for which is waited with an eye on what else happens."""
    while not _reading.acquire(timeout=TURN_S):
        _look(inquiry)
    try:
        yield
    finally:
        _reading.release()


def _read(name: str, content: bytes) -> Content:
    try:
        return own.read(name, content)
    except (NoContent, Undecodable) as error:
        raise Unreadable(why(str(error))) from error
    except RecursionError as error:
        raise Unreadable("damaged") from error


def _split(key: str, name: str, link: str, content: Content, desk: Desk) -> Split:
    document = Document(id=key, title=name, uri=link, text=content.text, audience=frozenset())
    split = desk.retriever.split(document, content.pages, MOST_PASSAGES_OF_ONE)
    if not split.chunks:
        raise Unreadable("empty")
    return split


def _embedded(split: Split, inquiry: Inquiry, desk: Desk) -> Vectors:
    few: list[Vectors] = []
    for start in range(0, len(split.chunks), AT_ONCE):
        _look(inquiry)
        few.append(desk.retriever.embed(split.chunks[start : start + AT_ONCE]))
    return np.concatenate(few)


def _look(inquiry: Inquiry) -> None:
    """Go on only while the answer is wanted.

    Raises:
        Interrupted, _Unwanted
    """
    inquiry.reply.due(time.time())
    if not is_wanted(inquiry.watch):
        raise _Unwanted

"""What is told of files: that they were read, and which were not, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.messages import Message
from bot.platform import Sender
from workers.answer import Answer
from workers.files.kinds import MOST_BYTES
from workers.files.taking import ReadFile, Taken
from workers.inquiry import Inquiry
from workers.phrases import phrase
from workers.speaking import language_for


def read_aloud(taken: Taken, inquiry: Inquiry, sender: Sender) -> str:
    """What became of each file, for who has sent them without a question; in the files' language without a word."""
    words = inquiry.asked_in if inquiry.text else _language(taken)
    language = language_for(inquiry.batch.newest.user_id, words, sender)
    read = [file for file in taken.files if isinstance(file, ReadFile)]
    lines = [*(_read(file, language) for file in read), *_not_read(taken, language)]
    return "\n".join([*lines, *([phrase("file_ask", language)] if read else [])])


def with_word_of_files(answer: Answer, taken: Taken, inquiry: Inquiry) -> Answer:
    """The answer to a question that files came with: below it which were not read, or not whole.

    What the documents lack is no gap in them where the question was about a file.
    """
    if not taken.files:
        return answer
    language = inquiry.voice.language
    partly = [_read(file, language) for file in taken.files if isinstance(file, ReadFile) and not file.whole]
    said = "\n".join([*partly, *_not_read(taken, language)])
    text = f"{answer.reply.text}\n\n{said}" if said else answer.reply.text
    return replace(answer, reply=replace(answer.reply, text=text), not_found=False)


def _read(file: ReadFile, language: str) -> str:
    return phrase("file_read" if file.whole else "file_read_partly", language, file=file.name, count=file.passages)


def _not_read(taken: Taken, language: str) -> Iterator[str]:
    for file in taken.unread:
        reason = phrase(f"file_{file.why}", language, megabytes=MOST_BYTES // 1_000_000)
        yield phrase("file_unread", language, file=file.name, reason=reason)
    if taken.more:
        yield phrase("file_more", language, count=taken.more, most=Message.MAX_ATTACHMENTS)


def _language(taken: Taken) -> str:
    return next((file.language for file in taken.files if isinstance(file, ReadFile)), "")

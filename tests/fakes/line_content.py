"""What people send on LINE besides text, as its host of media hands it out by the ids of their messages."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes import line_events
from tests.fakes.line import Fault, Response
from tests.fakes.line_validation import Refused

JSON = dict[str, Any]

_CONTENT = re.compile(r"/v2/bot/message/([^/?]+)/content")


@dataclass
class Sent:
    """A file that somebody has sent.

    Args:
        preparing: how many more calls find it still in preparation.
        answers: what is answered in the place of the content.
        asked: how often it was asked for.
    """

    name: str
    content: bytes
    message_id: str
    preparing: int = 0
    answers: Response | Fault | None = None
    unsent: bool = False
    asked: int = 0

    def event(self, source: Mapping[str, str] | None = None, *, reply_token: str, **fields: Any) -> JSON:
        """The webhook event that LINE sends of it; `fields` take the place of what the message says."""
        said = {"type": "file", "id": self.message_id, "fileName": self.name, "fileSize": len(self.content)}
        where = source or line_events.user()
        message = {**said, "markAsReadToken": "mLzXkQ1rT8", **fields}
        return line_events.event("message", where, replyToken=reply_token, message=message)


class FakeContent:
    """Endpoints of the files that were sent."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self._ids = itertools.count(int(time.time() * 1000))

    def send(self, name: str, content: str | bytes) -> Sent:
        """Somebody sends a file."""
        said = content.encode() if isinstance(content, str) else content
        sent = Sent(name, said, str(next(self._ids)))
        self.sent[sent.message_id] = sent
        return sent

    def answer(self, method: str, path: str, _: bytes, __: Mapping[str, str]) -> Response | None:
        """The content, byte by byte; see `Endpoints`."""
        asked = _CONTENT.fullmatch(path)
        if method != "GET" or asked is None:
            return None
        sent = self.sent.get(asked[1])
        if sent is None:
            raise Refused(404, "not found")
        sent.asked += 1
        if sent.unsent:
            raise Refused(410, "The content is gone")
        return _handed_out(sent)


def _handed_out(sent: Sent) -> Response:
    if isinstance(sent.answers, Fault):
        return Response(fault=sent.answers)
    if sent.answers:
        return sent.answers
    if sent.preparing:
        sent.preparing -= 1
        return Response(202, b"")
    return Response(200, sent.content, "application/octet-stream")

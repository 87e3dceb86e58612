"""Files that people send on LINE: their content, from the host that LINE has for it."""

from __future__ import annotations

from urllib.parse import quote
from urllib.request import Request

from bot.calls import TIMEOUT_S, Answer, Calls
from bot.capabilities import FetchedFile
from bot.errors import DeliveryDeferred, FileRefused
from bot.line.api import note_call
from bot.messages import Attachment

AT_ONCE = 4


class LineFiles:
    """Fetches files with the channel's access token, which goes to this host alone.

    Not by the SDK's client: its host cannot be set, and it would hold a file of whatever size in memory.
    """

    def __init__(self, data_api_url: str, access_token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """`timeout_s`: of one file; the reply token's last seconds pass meanwhile, so it is no longer than a call."""
        self._url = data_api_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._calls = Calls(AT_ONCE)
        self._timeout_s = timeout_s

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """The file's content; see `FetchesFiles`. LINE has it by its message's id, for a time that it leaves open."""
        if attachment.size_bytes > most_bytes:
            raise FileRefused("too_large")
        path = f"/v2/bot/message/{quote(attachment.id, safe='')}/content"
        request = Request(self._url + path, headers=self._headers)  # noqa: S310 - the scheme is the setting's
        answer = self._calls.get(request, most_bytes=most_bytes, timeout_s=self._timeout_s)
        note_call(path, answer)
        _check(answer)
        if len(answer.body) > most_bytes:
            raise FileRefused("too_large")
        return FetchedFile(attachment.name, attachment.mimetype, answer.body)


def _check(answer: Answer) -> None:
    """Nothing, if the answer is the file; a success without one (202) means that LINE is still preparing it.

    Raises:
        DeliveryDeferred, FileRefused
    """
    if answer.status in (202, 408, 429) or answer.status >= 500:
        raise DeliveryDeferred(f"HTTP {answer.status}", answer.retry_after_s)
    if answer.status in (400, 404, 410):
        raise FileRefused("gone")
    if answer.status != 200:
        raise FileRefused("not_permitted")

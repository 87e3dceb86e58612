"""Files that people attach on Slack: what an event says of them, and how their content is had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from bot.calls import Answer, Calls
from bot.capabilities import FetchedFile
from bot.errors import DeliveryDeferred, DeliveryFailed, DeliveryUnknown, FileRefused
from bot.messages import Attachment, JSONObject, Message
from bot.sanitise import visible
from bot.slack.web import SlackClient, call

TIMEOUT_S = 20.0
"""Of one file. Nothing changes on Slack by it, so it may take longer than a call that is made under the lock."""
AT_ONCE = 4
_ID = re.compile(r"[A-Z0-9]{1,64}")
_MIMETYPE = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,128}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?/[A-Za-z0-9._~%!$&'()*+,;=:@/?-]{0,1000}")
_PERMALINK = re.compile(r"https://[a-z0-9.-]{1,200}\.slack\.com/files/[A-Za-z0-9._~%/-]{1,600}")
_SLACKS_OWN = ("https", "files.slack.com", 443)
_NOWHERE = "https://nowhere.invalid/"
"""In place of an address that is not Slack's: of what lies on a drive elsewhere Slack has the address only."""
_STUB = "check_file_info"
_GONE = ("file_not_found", "file_deleted", "file_not_visible")
_GONE_MODES = ("tombstone", "hidden_by_limit")


def attachments(event: JSONObject) -> tuple[Attachment, ...]:
    """The files of a message event, those of a shape that Slack sends; the first `Message.MAX_ATTACHMENTS`."""
    return tuple(filter(None, map(_attachment, _files(event)[: Message.MAX_ATTACHMENTS])))


def more_files(event: JSONObject) -> int:
    """How many files a message event has besides."""
    return max(0, len(_files(event)) - Message.MAX_ATTACHMENTS)


class SlackFiles:
    """Fetches files with the bot's token, which goes to Slack's own host of files or to that of the API alone.

    The address in an event may be another company's drive, and an answer may send on to another address.
    """

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._calls = Calls(AT_ONCE)
        self._hosts = (_SLACKS_OWN, _origin(client.base_url))

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """The file's content; see `FetchesFiles`."""
        known = attachment if attachment.source["url"] else self._looked_up(attachment)
        if known.size_bytes > most_bytes:
            raise FileRefused("too_large")
        content = self._content(known.source["url"], most_bytes)
        return FetchedFile(known.name, known.mimetype, content, known.source["link"])

    def _looked_up(self, attachment: Attachment) -> Attachment:
        """What Slack says of a file of which the event had the id alone (Slack Connect)."""
        try:
            told = call(self._client.files_info, file=attachment.id).get("file")
        except DeliveryUnknown as error:
            raise DeliveryDeferred(str(error)) from error
        except DeliveryFailed as error:
            raise FileRefused("gone" if str(error) in _GONE else "not_permitted") from error
        known = _attachment(told) if isinstance(told, dict) else None
        if known is None or told.get("mode") in _GONE_MODES:
            raise FileRefused("gone")
        return known

    def _content(self, url: str, most_bytes: int) -> bytes:
        if _origin(url) not in self._hosts:
            raise FileRefused("elsewhere")
        request = Request(url, headers={"Authorization": f"Bearer {self._client.token}"})  # noqa: S310 - http(s) by _ADDRESS
        answer = self._calls.get(request, most_bytes=most_bytes, timeout_s=TIMEOUT_S)
        _check(answer)
        if len(answer.body) > most_bytes:
            raise FileRefused("too_large")
        return answer.body


def _check(answer: Answer) -> None:
    """Nothing, if the answer is the file.

    Without the scope `files:read` Slack does not refuse: it sends to its sign-in page, or answers with it.
    """
    if answer.status == 429 or answer.status >= 500:
        raise DeliveryDeferred(f"HTTP {answer.status}", answer.retry_after_s)
    if answer.status in (404, 410):
        raise FileRefused("gone")
    if answer.status != 200 or _is_a_page(answer):
        raise FileRefused("not_permitted")


def _is_a_page(answer: Answer) -> bool:
    begins = answer.body[:100].lstrip().lower()
    return answer.headers.get_content_type() == "text/html" or begins.startswith((b"<!doctype html", b"<html"))


def _files(event: JSONObject) -> Sequence[Any]:
    files = event.get("files")
    return files if isinstance(files, list) else []


def _attachment(told: Any) -> Attachment | None:
    """One file as an event or files.info tells it; None when it is no file that one could ask for."""
    if not isinstance(told, dict) or not _is(_ID, told.get("id")):
        return None
    size = told.get("size")
    return Attachment(
        id=told["id"],
        name=_name(told),
        mimetype=told["mimetype"] if _is(_MIMETYPE, told.get("mimetype")) else "",
        size_bytes=size if isinstance(size, int) and 0 <= size < 2**53 else 0,
        source=_source(told),
    )


def _source(told: Mapping[str, Any]) -> dict[str, str]:
    """`url` is empty where the event does not say it, and an address that is not asked where it is not Slack's."""
    link = told["permalink"] if _is(_PERMALINK, told.get("permalink")) else ""
    if told.get("file_access") == _STUB or told.get("mode") in _GONE_MODES:
        return {"url": "", "link": link}
    addresses = [told.get(name) for name in ("url_private_download", "url_private") if not told.get("is_external")]
    return {"url": next((str(one) for one in addresses if _is(_ADDRESS, one)), _NOWHERE), "link": link}


def _name(told: Mapping[str, Any]) -> str:
    name = next((told[key] for key in ("name", "title") if isinstance(told.get(key), str)), "")
    plain = " ".join(visible(name.encode("utf-8", "ignore").decode()).split())
    if len(plain) <= Attachment.MAX_NAME_CHARS:
        return plain
    stem, dot, ending = plain.rpartition(".")  # the ending says what it is
    ending = dot + ending if stem and len(ending) <= 10 else ""
    return plain[: Attachment.MAX_NAME_CHARS - len(ending) - 1] + "…" + ending


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; nothing for an address whose port is none."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return "", "", 0
    return parts.scheme, (parts.hostname or ""), port or (443 if parts.scheme == "https" else 80)


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))

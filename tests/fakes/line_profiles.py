"""Whom LINE tells of, and which messages are marked as read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from linebot.v3.messaging import MarkMessagesAsReadByTokenRequest

from tests.fakes.line import Fault, Response
from tests.fakes.line_validation import Refused, checked

MARK = "/v2/bot/chat/markAsRead"
_PROFILE = re.compile(r"/v2/bot/profile/(U[0-9a-f]{32})")
_SUMMARY = re.compile(r"/v2/bot/group/(C[0-9a-f]{32})/summary")


@dataclass
class FakeProfiles:
    """Endpoints of profiles and of groups' names.

    Args:
        friends: what is told of who is a friend and has not blocked the account.
        groups: the names of the groups that the account is in.
        fault: what goes wrong with every call.
        asked: the paths as they were asked for.
    """

    friends: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    asked: list[str] = field(default_factory=list)

    def befriend(self, user_id: str, name: str = "山田", language: str | None = "ja") -> None:
        """From now on LINE tells of this person; without a language who has not agreed to its privacy policy."""
        told = {"displayName": name, "userId": user_id, "pictureUrl": "https://profile.line-scdn.net/0h1"}
        self.friends[user_id] = told | ({"language": language} if language else {})

    def answer(self, method: str, path: str, _: bytes, __: Mapping[str, str]) -> Response | None:
        """A profile or a group's name; see `Endpoints`."""
        if method != "GET" or not path.startswith(("/v2/bot/profile/", "/v2/bot/group/")):
            return None
        person, group = _PROFILE.fullmatch(path), _SUMMARY.fullmatch(path)
        if path.startswith("/v2/bot/group/") and group is None:
            return None
        self.asked.append(path)
        if self.fault:
            return Response(fault=self.fault)
        if person and person[1] in self.friends:
            return _object(self.friends[person[1]])
        if group and group[1] in self.groups:
            return _object({"groupId": group[1], "groupName": self.groups[group[1]]})
        raise Refused(404, "Not found")


@dataclass
class FakeMarks:
    """The endpoint that marks messages as read.

    Args:
        known: the tokens that were given out; None: whichever.
        fault: what goes wrong with every call.
        calls: how often it was called.
        marked: the tokens of what is marked.
    """

    known: frozenset[str] | None = None
    fault: Fault | None = None
    calls: int = 0
    marked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """An empty object; see `Endpoints`."""
        if (method, path) != ("POST", MARK):
            return None
        self.calls += 1
        if headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refused(415, "Unsupported media type")
        if self.fault:
            return Response(fault=self.fault)
        token = checked(json.loads(body), MarkMessagesAsReadByTokenRequest)["markAsReadToken"]
        if self.known is not None and token not in self.known:
            raise Refused(400, "Invalid markAsReadToken")
        self.marked.append(token)
        return Response()


def _object(told: Mapping[str, Any]) -> Response:
    return Response(body=json.dumps(told).encode())

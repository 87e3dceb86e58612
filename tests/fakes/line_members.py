"""How many people LINE says are in a group or room."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.line import Fault, Response
from tests.fakes.line_validation import Refused

_COUNT = re.compile(r"/v2/bot/(?:group/(C[0-9a-f]{32})|room/(R[0-9a-f]{32}))/members/count")


@dataclass
class FakeMembers:
    """The endpoints that count members.

    Args:
        members: how many people are in the groups and rooms that the account is in, the account itself not counted.
        allowed: whether the account may ask.
        fault: what goes wrong with every call.
        told: what is told in place of the count.
        asked: how often it was asked.
    """

    members: Mapping[str, int]
    allowed: bool = True
    fault: Fault | None = None
    told: dict[str, Any] = field(default_factory=dict)
    asked: int = 0

    def answer(self, method: str, path: str, _: bytes, __: Mapping[str, str]) -> Response | None:
        """A count; see `Endpoints`."""
        found = _COUNT.fullmatch(path)
        if method != "GET" or found is None:
            return None
        self.asked += 1
        if self.fault:
            return Response(fault=self.fault)
        if not self.allowed:
            raise Refused(403, "Access to this API is not available for your account")
        chat = found[1] or found[2]
        if chat not in self.members:
            raise Refused(404, "Not found")
        return Response(body=json.dumps(self.told or {"count": self.members[chat]}).encode())

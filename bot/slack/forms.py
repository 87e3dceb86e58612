"""Dialogs whose contents can be seen to be wrong before anybody acts on them."""

from __future__ import annotations

import json
from collections.abc import Mapping


class FormRefused(Exception):
    """What was filled in cannot be taken; `errors` has by the name of each such field what its writer reads."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("form refused")
        self.errors = dict(errors)

    def to_json(self) -> str:
        """The body by which Slack keeps the dialog open and shows what is wrong with it."""
        return json.dumps({"response_action": "errors", "errors": self.errors}, ensure_ascii=False)

"""Dialogs whose contents can be seen to be wrong before anybody acts on them."""

from __future__ import annotations

from collections.abc import Mapping


class FormRefused(Exception):
    """What was filled in cannot be taken; `errors` has by the name of each such field what its writer reads."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("form refused")
        self.errors = dict(errors)

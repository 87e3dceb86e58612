"""What LINE refuses in a request's body: everything that the SDK's models do not know, and what is too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes import line_flex

_LIMITS = {"text": 160, "altText": 400, "label": 20, "data": 300, "displayText": 300}


class Refused(Exception):
    """The API answers with an error."""

    def __init__(self, status: int, message: str, property_: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if property_:
            self.body["details"] = [{"message": "May not be of this kind", "property": property_}]
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def checked(body: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """The body, valid by the SDK's model, with no property that the model does not know, within LINE's lengths."""
    try:
        understood = model.from_dict(dict(body)).to_dict()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(400, "The request body has 1 error(s)", "body") from error
    unknown = _unknown(body, understood)
    if unknown:
        raise Refused(400, "The request body has 1 error(s)", unknown)
    for number, message in enumerate(body.get("messages", ())):
        _check_lengths(message, f"messages[{number}]")
    return dict(body)


def _unknown(sent: Any, understood: Any, at: str = "") -> str | None:
    """The first property that the model dropped."""
    if isinstance(sent, Mapping):
        for name, value in sent.items():
            if not isinstance(understood, Mapping) or name not in understood:
                return f"{at}/{name}"
            if found := _unknown(value, understood[name], f"{at}/{name}"):
                return found
    elif isinstance(sent, list):
        return next(filter(None, map(_unknown, sent, understood, [at] * len(sent))), None)
    return None


def _check_lengths(message: Mapping[str, Any], at: str) -> None:
    if message["type"] == "text" and not 0 < _units(message["text"]) <= 5_000:
        raise Refused(400, "Length must be between 1 and 5000", f"{at}.text")
    if message["type"] == "flex" and (fault := line_flex.fault(message)):
        raise Refused(400, fault[0], f"{at}.{fault[1]}")
    if message["type"] == "template":
        template = message["template"]
        for part in (message, template, *template["actions"]):
            for name, limit in _LIMITS.items():
                if name in part and not 0 < _units(part[name]) <= limit:
                    raise Refused(400, f"Length must be between 1 and {limit}", f"{at}.{name}")
        if not 0 < len(template["actions"]) <= 4:
            raise Refused(400, "Size must be between 1 and 4", f"{at}.template.actions")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

"""The guard refuses what no platform sends, with a 400 or 413 and never with another error."""

from __future__ import annotations

import pytest

from bot.errors import BadRequest
from bot.guard import MAX_DEPTH, check_size, json_object
from bot.platform import MAX_BODY_BYTES


def test_a_json_object_passes() -> None:
    assert json_object('{"text": "窓口"}'.encode()) == {"text": "窓口"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"n": NaN}',
        b'{"n": ' + b"9" * 10_000 + b"}",
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    ],
    ids=lambda body: f"{bytes(body[:12])!r}…{len(body)}",
)
def test_everything_else_is_a_400(body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        json_object(body)

    assert refused.value.status == 400


def test_an_object_as_deep_as_allowed_passes() -> None:
    assert json_object(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1))


def test_a_body_over_the_limit_is_a_413() -> None:
    with pytest.raises(BadRequest) as refused:
        check_size(b"x" * (MAX_BODY_BYTES + 1))

    assert refused.value.status == 413

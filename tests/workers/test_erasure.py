"""The store's file is rewritten without what was erased, however busy the store is when it is asked."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import redis

from workers.erasure import rewrite_soon, rewrite_the_file


def refuses(store: redis.Redis, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    def refuse(*_: Any) -> None:
        raise redis.ResponseError(reason)

    monkeypatch.setattr(store, "bgrewriteaof", refuse)


def test_a_store_in_which_nothing_was_erased_is_left_alone(store: redis.Redis) -> None:
    store.config_resetstat()

    rewrite_the_file(store)

    assert "cmdstat_bgrewriteaof" not in store.info("commandstats")


def test_a_store_that_is_rewriting_already_is_asked_again(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses(store, monkeypatch, "Background append only file rewriting already in progress")
    rewrite_soon(store, "order 1")

    rewrite_the_file(store)

    assert store.exists("rewrite")


@pytest.mark.parametrize("reason", ["unknown command 'BGREWRITEAOF'", "User app has no permissions to run the command"])
def test_an_operator_is_told_once_of_a_store_that_never_rewrites(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    refuses(store, monkeypatch, reason)
    rewrite_soon(store, "order 1")

    for _ in range(2):
        rewrite_the_file(store)

    assert [record.levelno for record in caplog.records] == [logging.WARNING]

"""`madoguchi inbox` tells what waits and what was given up, and puts back or drops what the operator names."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
import redis

from bot.messages import Edit
from bot.queue import CONTROL, REPLIES
from tests.workers.desk import LIFE_S, C, command, order
from tests.workers.letters import a_question_dies, an_order_dies
from tests.workers.making import accept, message
from workers.batches import Batches
from workers.cli import main

OTHER = "console:c2"


pytestmark = pytest.mark.usefixtures("elsewhere")


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What the command prints."""
    assert main(["inbox", *arguments]) == status
    return capsys.readouterr().out


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    told = json.loads(said_by(capsys, "--json", *arguments))
    assert isinstance(told, dict)
    return told


def test_an_empty_desk_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(capsys).splitlines() == [
        "waiting: 0 messages in 0 conversations",
        "         0 being answered now, 0 orders",
        "dead letters: 0; in 0 cases the person has no answer and no apology",
    ]


def test_it_tells_what_waits(capsys: pytest.CaptureFixture[str], store: redis.Redis) -> None:
    old = replace(message(conversation=OTHER), sent_at=time.time() - 725)
    accept(store, message(), message(), old)
    Batches(store, LIFE_S).take(C)
    command(store, order("reset"), "order 1")

    assert said_by(capsys).splitlines()[:2] == [
        "waiting: 3 messages in 2 conversations, the oldest 12 min old",
        "         1 being answered now, 1 orders",
    ]
    assert told_by(capsys)["waiting"] == {
        "messages": 3,
        "conversations": 2,
        "being_answered": 1,
        "oldest_s": pytest.approx(725, abs=20),
        "orders": 1,
    }


def test_it_lists_what_was_given_up_the_oldest_first(capsys: pytest.CaptureFixture[str], store: redis.Redis) -> None:
    two = message(), message()
    a_question_dies(store, *two, reason="is_archived")
    an_order_dies(store, order("forget"), "order 1")
    apologised = message(conversation=OTHER)
    a_question_dies(store, apologised, reason="given up after 3 attempts", apologised=True)

    lines = re.sub(r"\d+ s ago", "now", said_by(capsys)).splitlines()[2:]

    assert lines == [
        "dead letters: 3; in 2 cases the person has no answer and no apology",
        "",
        two[1].id,
        "  now, console, question, 2 messages",
        "  NOT ANSWERED: is_archived",
        "",
        "order 1",
        "  now, console, order forget",
        "  NOT ANSWERED: RuntimeError",
        "",
        apologised.id,
        "  now, console, question, 1 messages",
        "  an apology was shown: given up after 3 attempts",
    ]


def test_programs_get_the_same_as_json(capsys: pytest.CaptureFixture[str], store: redis.Redis) -> None:
    a_question_dies(store, said := message(), reason="is_archived")

    assert told_by(capsys)["dead"] == [
        {
            "id": said.id,
            "at": pytest.approx(time.time(), abs=20),
            "platform": "console",
            "conversation_id": C,
            "kind": "question",
            "messages": 1,
            "reason": "is_archived",
            "apologised": False,
        }
    ]


def test_what_people_wrote_is_shown_only_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], store: redis.Redis
) -> None:
    a_question_dies(store, message("経費の締め日は？\n急いでいます"))
    an_order_dies(store, Edit("console", C, "console:u1", "m1", "新しい言葉", 1.0), "edit 1")

    assert "経費" not in said_by(capsys) + json.dumps(told_by(capsys), ensure_ascii=False)
    assert "言葉" not in said_by(capsys) + json.dumps(told_by(capsys), ensure_ascii=False)
    shown = said_by(capsys, "--text").splitlines()
    assert [line for line in shown if line.startswith("  >")] == [
        "  > 経費の締め日は？",
        "  > 急いでいます",
        "  > 新しい言葉",
    ]
    texts = [letter["texts"] for letter in told_by(capsys, "--text")["dead"]]
    assert texts == [["経費の締め日は？\n急いでいます"], ["新しい言葉"]]


def test_what_people_wrote_does_not_command_the_terminal(
    capsys: pytest.CaptureFixture[str], store: redis.Redis
) -> None:
    a_question_dies(store, message("\x1b[2J\u202e消える\x07？　はい"))

    assert "  >  [2J 消える ？　はい" in said_by(capsys, "--text").splitlines()


def test_a_terminal_that_knows_no_japanese_gets_what_it_can_show(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_question_dies(store, message("経費の締め日は？ E-517"))
    for arguments in (["inbox", "--text"], ["inbox", "--text", "--json"]):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))

        assert main(arguments) == 0

        assert b"E-517" in written.getvalue()


def test_a_retry_puts_back_and_tells_a_worker(capsys: pytest.CaptureFixture[str], store: redis.Redis) -> None:
    a_question_dies(store, said := message())
    an_order_dies(store, order("reset"), "order 1")

    assert said_by(capsys, "retry", said.id, "order 1", said.id) == "2 put back\n"

    assert (store.llen(REPLIES), store.llen(CONTROL)) == (1, 1)
    assert store.zrange("controls:due", 0, -1) == ["order 1"]
    batch = Batches(store, LIFE_S).take(C)
    assert batch is not None
    assert batch.messages == (said,)


def test_a_retry_after_an_apology_says_that_there_will_be_two(
    capsys: pytest.CaptureFixture[str], store: redis.Redis
) -> None:
    a_question_dies(store, message(), apologised=True)

    assert "1 of them had an apology" in said_by(capsys, "retry", "--all")


@pytest.mark.parametrize("what", ["retry", "drop"])
def test_a_name_that_is_no_letter_is_told_and_the_others_are_done(
    capsys: pytest.CaptureFixture[str], store: redis.Redis, what: str
) -> None:
    a_question_dies(store, said := message())

    assert main(["inbox", what, "no such letter", said.id]) == 1

    told = capsys.readouterr()
    assert told.err == "madoguchi: no dead letter no such letter\n"
    assert told.out.startswith("1 ")
    assert not store.exists("dead")
    assert main(["inbox", what, said.id]) == 1
    assert capsys.readouterr().out.startswith("0 ")


@pytest.mark.parametrize(("what", "waiting"), [("retry", 2), ("drop", 0)])
def test_all_of_them(capsys: pytest.CaptureFixture[str], store: redis.Redis, what: str, waiting: int) -> None:
    a_question_dies(store, message())
    a_question_dies(store, message(conversation=OTHER))

    assert said_by(capsys, what, "--all").startswith("2 ")
    assert said_by(capsys, what, "--all").startswith("0 ")

    assert store.hlen("dead") == 0
    assert store.zcard("ready") == waiting


@pytest.mark.parametrize("arguments", [["retry"], ["drop"], ["retry", "m1", "--all"], ["dance"]])
def test_what_makes_no_sense_is_refused_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["inbox", *arguments])

    assert ended.value.code == 2
    assert "usage: madoguchi inbox" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--json"], ["retry", "--all"], ["drop", "m1"]])
def test_without_a_store_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/store.sock")

    assert main(["inbox", *arguments]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("madoguchi: the store does not answer; does the service run?")

"""What the clerk tells of the wait: a model that is not loaded, crashed, stalled, slow x how many are before."""

from __future__ import annotations

import json
import re

import pytest

from workers.expecting import Tempo, expected, heartbeat
from workers.phrases import phrase

FAST = {"ready": True, "answer_s": 4.0, "at_once": 4}
SLOW = {"ready": True, "answer_s": 40.0, "at_once": 4}
NEW = {"ready": True, "answer_s": 0.0, "at_once": 4}
LOADING, BROKEN, NO_PROCESS = {"ready": False}, {"ready": False, "broken": True}, dict[str, object]()


@pytest.mark.parametrize(
    ("replies", "before", "waited_s", "told"),
    [
        (NO_PROCESS, 0, 3, "ただいま準備をしています。できしだいお答えします。"),
        (NO_PROCESS, 40, 47, "ただいま準備をしています。できしだいお答えします。"),
        (LOADING, 0, 3, "モデルを読み込んでいます。準備ができしだいお答えします。"),
        (LOADING, 40, 47, "モデルを読み込んでいます。準備ができしだいお答えします。"),
        (BROKEN, 5, 3, "いつもより時間がかかっています。できしだいお答えします。"),
        (NEW, 0, 3, "次の順番です。"),
        (NEW, 7, 3, "順番をお待ちください。前に7件です。"),
        (FAST, 0, 3, "次の順番です。あと約5秒です。"),
        (FAST, 7, 3, "順番をお待ちください。前に7件です。あと約10秒です。"),
        (FAST, 0, 47, "いつもより時間がかかっています。できしだいお答えします。"),
        (FAST, 40, 47, "順番をお待ちください。前に40件です。あと約45秒です。"),
        (SLOW, 0, 47, "次の順番です。あと約40秒です。"),
        (SLOW, 4, 47, "順番をお待ちください。前に4件です。あと約1分半です。"),
        (SLOW, 11, 47, "順番をお待ちください。前に11件です。あと約2分です。"),
        (SLOW, 499, 47, "順番をお待ちください。前に499件です。あと約83分半です。"),
    ],
)
def test_the_table(replies: dict[str, object], before: int, waited_s: float, told: str) -> None:
    assert expected(replies, before, waited_s, "ja") == told


def test_it_is_told_in_the_askers_language() -> None:
    assert expected(SLOW, 4, 3, "en") == "Please wait: 4 before you. It takes about 1.5 min."


@pytest.mark.parametrize("answer_s", [0.01, 1.0, 7.0, 59.0, 61.0, 300.0])
@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_who_is_further_behind_is_never_told_less(answer_s: float, at_once: int) -> None:
    replies = {"ready": True, "answer_s": answer_s, "at_once": at_once}

    told = [_seconds(expected(replies, before, 0, "ja")) for before in range(200)]

    assert told == sorted(told)
    assert told[0] >= 5
    assert all(seconds % (5 if seconds < 60 else 30) == 0 for seconds in told)


@pytest.mark.parametrize("stored", [None, "", "[]", "3"])
def test_what_is_no_heartbeat_is_none(stored: str | None) -> None:
    assert heartbeat(stored) == {}


def test_a_heartbeat_of_an_older_version_is_told_without_a_number() -> None:
    assert expected(heartbeat(json.dumps({"ready": True})), 2, 3, "ja") == phrase("before_you", "ja", place=2)


def test_the_tempo_follows_the_answers_slowly() -> None:
    tempo = Tempo()
    for elapsed_s in (10.0, 10.0, 20.0):
        tempo.note(elapsed_s)

    assert tempo.answer_s == pytest.approx(12.0)


def _seconds(told: str) -> float:
    found = re.search(r"あと約(\d+)(秒|分半|分)", told)
    assert found
    number = int(found[1])
    return number if found[2] == "秒" else number * 60 + (30 if found[2] == "分半" else 0)

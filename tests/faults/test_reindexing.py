"""The process that reads the documents is killed just before the new index takes the old one's place; people ask on."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import pytest

from bot.queue import REINDEX, celery_app
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import DEADLINE, DEADLINE_ANSWER, PARKING, PARKING_ANSWER, PLACES, WITHIN_A_MINUTE_S, Crowd
from tests.faults.desk import Desk, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

NEW_PARKING_ANSWER = "level 5"
in_every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(Path(__file__).parent / "documents", tmp_path_factory.mktemp("copy") / "documents"))


@pytest.fixture(scope="module")
def killed(desk: Desk, slack: FakeSlack, line: FakeLine, documents: Path) -> Crowd:
    """Everybody was answered while the new index was complete and not in use; then it happened as they asked again."""
    crowd = Crowd(desk, slack, line)
    parking = documents / "parking.md"
    parking.write_text(parking.read_text("utf-8").replace(PARKING_ANSWER, NEW_PARKING_ANSWER), "utf-8")
    desk.arm("swapping", "hold")
    reindex(desk)
    desk.wait_until_reached("swapping")
    crowd.say(PARKING)
    for place in PLACES:
        crowd.has_answers(place, PARKING_ANSWER)
    desk.arm("retrieving", "hold", times=len(PLACES))
    crowd.say(DEADLINE)
    desk.wait_until_reached("retrieving", times=len(PLACES))
    desk.kill("knowledge")
    desk.disarm()
    desk.start("knowledge")
    return crowd


@in_every_place
def test_the_old_index_answers(killed: Crowd, place: str) -> None:
    killed.has_answers(place, PARKING_ANSWER, DEADLINE_ANSWER)


@pytest.fixture(scope="module")
def reindexed(desk: Desk, slack: FakeSlack, line: FakeLine, killed: Crowd) -> Crowd:
    """The documents were read again."""
    run_id = reindex(desk)
    wait_until(lambda: state(desk, run_id) == "done", within_s=WITHIN_A_MINUTE_S)
    crowd = Crowd(desk, slack, line)
    crowd.say(PARKING)
    return crowd


@in_every_place
def test_the_next_reindexing_is_not_hindered(reindexed: Crowd, place: str) -> None:
    reindexed.has_answers(place, NEW_PARKING_ANSWER)


def reindex(desk: Desk) -> str:
    """Have the documents read again; the run's id."""
    run_id = uuid.uuid4().hex
    celery_app(desk.store_url).send_task(REINDEX, args=[run_id, False])
    return run_id


def state(desk: Desk, run_id: str) -> str:
    """What the run says of itself."""
    told = desk.store.get(f"reindex:{run_id}")
    return str(json.loads(told)["state"]) if told else "waiting"

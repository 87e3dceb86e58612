"""Random runs with kills: what becomes of every message while processes are killed and platforms go wrong.

    make bench-faults [N=200] [SEED=1]

The real processes, with a scripted model, against fakes of Slack and LINE; the peer is a bot without a store, for which
the same people write the same, on Slack and LINE only, and whose one process is killed as often. The last line is one
JSON object; the exit status is 1 when a message of ours was lost, answered twice or out of order.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.bench.counting import Count, count
from tests.bench.crowd import PEOPLE, Crowd
from tests.bench.killing import EVERY_S, Killer
from tests.bench.storm import Post, planned, write_all
from tests.fakes.line import FakeLine
from tests.fakes.slack import TOKEN, FakeSlack
from tests.faults.desk import COMMANDS, LINE_SECRET, SLACK_SECRET, Desk

MESSAGES_PER_S = 1.6
USUAL_START_S, SLOWEST_PACE = 5.0, 2.5
"""On a machine that takes longer to start everything the same storm goes slower: else hardly anything were ever up."""
DRAIN_WITHIN_S = 180.0
PEER_DRAIN_S = 20.0
"""Longer than its slowest answer to its last message; whether it is at work cannot be seen."""
ROUNDS_FOR_KEPT = 5
PEER = {"web": ["-m", "tests.bench.naive_bot"]}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a storm goes over; `pace` is how many times slower than usual."""

    slack: FakeSlack
    line: FakeLine
    desk: Desk
    pace: float


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one storm."""

    count: Count
    drained: bool
    kills: Counter[str]
    ended_by_itself: Counter[str]
    redeliveries: int
    platform_faults: int
    seconds: float


def main() -> None:
    """Run both, print a table for people and one line of JSON."""
    options = _options()
    print(f"seed {options.seed}, {options.messages} messages", flush=True)
    ours = run_ours(options.seed, options.messages, options.folder / "ours")
    peer = run_peer(options.seed, options.messages, options.folder / "peer", kills=ours.kills.total())
    _print_table(ours, peer)
    print(json.dumps({**_figures(ours), "seed": options.seed, "peer": _figures(peer)}))
    sys.exit(0 if ours.count.good and ours.drained else 1)


def run_ours(seed: int, messages: int, folder: Path) -> Run:
    """One storm over the service, and its count."""
    with _scene(folder, COMMANDS) as scene:
        began = time.monotonic()
        crowd, post = Crowd(scene.desk, scene.slack, scene.line, with_console=True), Post()
        killer = Killer(scene.desk, seed, tuple(COMMANDS), every_s=EVERY_S * scene.pace)
        _blow(seed, messages, scene, crowd, post, killer)
        drained = _drained(post, scene.desk, killer) and _fetched_what_is_kept(crowd, post, scene.desk, killer)
        kept = [text for texts in crowd.kept().values() for text in texts]
        return _outcome(count(post.said, crowd.shown(), kept), drained, killer, post, began)


def run_peer(seed: int, messages: int, folder: Path, *, kills: int) -> Run:
    """The same storm over the peer with about so many kills, and its count."""
    with _scene(folder, PEER) as scene:
        began = time.monotonic()
        crowd, post = Crowd(scene.desk, scene.slack, scene.line, with_console=False), Post()
        every_s = messages / MESSAGES_PER_S * scene.pace / max(kills, 1)
        killer = Killer(scene.desk, seed, tuple(PEER), every_s=every_s, checkpoints=False)
        _blow(seed, messages, scene, crowd, post, killer)
        drained = _comes_true(lambda: post.idle, killer)
        time.sleep(PEER_DRAIN_S)
        return _outcome(count(post.said, crowd.shown()), drained, killer, post, began)


@contextmanager
def _scene(folder: Path, commands: dict[str, list[str]]) -> Iterator[Scene]:
    """The fakes and the running processes; the service answers what is in no document."""
    folder.mkdir(parents=True)
    (folder / "madoguchi.toml").write_text('[answers]\noutside = "general"\n', encoding="utf-8")
    with FakeSlack() as slack, FakeLine() as line:
        environment = {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "SLACK_API_URL": slack.api_url,
            "LINE_CHANNEL_SECRET": LINE_SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
            "LINE_API_URL": line.url,
            "LINE_ACCESS": "open",
            "PERSON_MESSAGES_PER_MINUTE": "0",
        }
        desk = Desk(folder, environment, commands)
        began = time.monotonic()
        desk.start()
        try:
            desk.wait_until_ready()
            pace = (time.monotonic() - began) / USUAL_START_S
            yield Scene(slack, line, desk, min(max(pace, 1.0), SLOWEST_PACE))
        finally:
            desk.stop()


def _blow(seed: int, messages: int, scene: Scene, crowd: Crowd, post: Post, killer: Killer) -> None:
    """Let everybody write, and kill meanwhile."""
    plans = planned(seed, messages, PEOPLE, messages / MESSAGES_PER_S * scene.pace)
    for _ in write_all(plans, crowd, post, scene.slack, scene.line):
        killer.step()
    scene.desk.disarm()


def _drained(post: Post, desk: Desk, killer: Killer) -> bool:
    """Whether everything was delivered and nothing waits for an answer any more, in good time."""
    return _comes_true(lambda: post.idle and _nothing_waits(desk), killer)


def _comes_true(what: Callable[[], bool], killer: Killer) -> bool:
    """Whether it is true within DRAIN_WITHIN_S; meanwhile what has ended is started again."""
    until = time.monotonic() + DRAIN_WITHIN_S
    while not what():
        if time.monotonic() > until:
            return False
        killer.restart()
        time.sleep(0.1)
    return True


def _nothing_waits(desk: Desk) -> bool:
    """Whether no message waits, none is being answered, and no order is left to be carried out."""
    store = desk.store
    try:
        return not (store.zcard("ready") or store.hlen("controls") or any(store.scan_iter("lock:*")))
    except redis.RedisError:  # it was killed just now
        return False


def _fetched_what_is_kept(crowd: Crowd, post: Post, desk: Desk, killer: Killer) -> bool:
    """Let somebody write once more in each chat on LINE, and again while something is kept there."""
    chats, number = crowd.chats(), itertools.count(9001)
    for _ in range(ROUNDS_FOR_KEPT):
        for chat in chats:
            name = f"Q-{next(number)}"
            post.write(crowd.somebody_in(chat), name, f"{name} please")
        if not _drained(post, desk, killer):
            return False
        kept = crowd.kept()
        chats = [chat for chat in chats if kept[chat]]
    return True


def _outcome(counted: Count, drained: bool, killer: Killer, post: Post, began: float) -> Run:
    return Run(
        counted,
        drained,
        kills=killer.kills,
        ended_by_itself=killer.ended_by_itself,
        redeliveries=post.redeliveries,
        platform_faults=post.platform_faults,
        seconds=time.monotonic() - began,
    )


def _figures(run: Run) -> dict[str, object]:
    """The run in figures."""
    counted = run.count
    return {
        "messages": len(counted.messages),
        "lost": len(counted.lost),
        "doubled": len(counted.doubled) + counted.idle_apologies,
        "out_of_order": len(counted.out_of_order),
        "kept": len(counted.kept),
        "kills": run.kills.total(),
        "unsure": len(counted.unsure),
        "apologised": len(counted.apologised),
        "ended_by_itself": run.ended_by_itself.total(),
        "redeliveries": run.redeliveries,
        "platform_faults": run.platform_faults,
        "drained": run.drained,
        "seconds": round(run.seconds),
    }


def _print_table(ours: Run, peer: Run) -> None:
    ours_by_name, peer_by_name = _figures(ours), _figures(peer)
    print(f"{'':18}{'ours':>8}{'peer':>8}")
    for name, figure in ours_by_name.items():
        print(f"{name:18}{figure!s:>8}{peer_by_name[name]!s:>8}")
    print("killed:", ", ".join(f"{name} {times}" for name, times in ours.kills.most_common()))
    for fate in ("lost", "doubled", "out_of_order", "unsure", "apologised", "kept"):
        if numbers := getattr(ours.count, fate):
            print(f"{fate}: {' '.join(numbers)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--messages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--folder", type=Path, help="where the processes run and log; a temporary folder without it")
    options = parser.parse_args()
    options.folder = options.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    return options


if __name__ == "__main__":
    main()

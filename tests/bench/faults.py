"""Random runs with kills: what becomes of every message while processes are killed and platforms go wrong.

    make bench-faults [N=200] [SEED=1]

The real processes, with a scripted model, against fakes of Slack and LINE; the peer is a bot without a store, for which
the same people write the same, on Slack and LINE only, and whose one process is killed as often. The last line is one
JSON object; the exit status is 1 when a message of ours was lost, answered twice or out of order.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.bench.counting import Count, count
from tests.bench.crowd import PEOPLE, Crowd
from tests.bench.killing import Killer
from tests.bench.storm import Post, planned, write_all
from tests.fakes.line import FakeLine
from tests.fakes.slack import TOKEN, FakeSlack
from tests.faults.desk import COMMANDS, LINE_SECRET, SLACK_SECRET, Desk

MESSAGES_PER_S = 1.6
DRAIN_WITHIN_S = 180.0
PEER_DRAIN_S = 20.0
"""Longer than its slowest answer to its last message."""
ROUNDS_FOR_KEPT = 5
PEER = {"web": ["-m", "tests.bench.naive_bot"]}


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
    ours = run(options.seed, options.messages, folder=options.folder)
    peer = run(options.seed, options.messages, folder=options.folder, peer_kills=ours.kills.total())
    _print_table(ours, peer)
    print(json.dumps({**_figures(ours), "seed": options.seed, "peer": _figures(peer)}))
    sys.exit(0 if ours.count.good and ours.drained else 1)


def run(seed: int, messages: int, *, folder: Path, peer_kills: int | None = None) -> Run:
    """One storm over the service, or over the peer with about so many kills, and its count."""
    peer = peer_kills is not None
    with FakeSlack() as slack, FakeLine() as line:
        desk = _desk(folder / ("peer" if peer else "ours"), slack, line, peer=peer)
        desk.start()
        try:
            desk.wait_until_ready()
            return _storm(seed, messages, desk, slack, line, peer_kills=peer_kills)
        finally:
            desk.stop()


def _storm(seed: int, messages: int, desk: Desk, slack: FakeSlack, line: FakeLine, *, peer_kills: int | None) -> Run:
    peer = peer_kills is not None
    began, seconds = time.monotonic(), messages / MESSAGES_PER_S
    crowd, post = Crowd(desk, slack, line, with_console=not peer), Post()
    if peer_kills is None:
        killer = Killer(desk, seed, tuple(COMMANDS))
    else:
        killer = Killer(desk, seed, tuple(PEER), every_s=seconds / max(peer_kills, 1), checkpoints=False)
    plans = planned(seed, messages, PEOPLE, seconds)
    for _ in write_all(plans, crowd, post, slack, line):
        killer.step()
    desk.disarm()
    drained = _drained(post, desk, killer, peer=peer) and (peer or _fetched_what_is_kept(crowd, post, desk, killer))
    return Run(
        count(post.said, crowd.shown(), [] if peer else [text for texts in crowd.kept().values() for text in texts]),
        drained,
        kills=killer.kills,
        ended_by_itself=killer.ended_by_itself,
        redeliveries=post.redeliveries,
        platform_faults=post.platform_faults,
        seconds=time.monotonic() - began,
    )


def _drained(post: Post, desk: Desk, killer: Killer, *, peer: bool = False) -> bool:
    """Whether everything was delivered and nothing waits for an answer any more, within DRAIN_WITHIN_S."""
    until = time.monotonic() + DRAIN_WITHIN_S
    while not (post.idle and (peer or _nothing_waits(desk))):
        if time.monotonic() > until:
            return False
        killer.restart()
        time.sleep(0.1)
    if peer:  # whether it is at work cannot be seen
        time.sleep(PEER_DRAIN_S)
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
    number = 9000
    chats = crowd.chats()
    for _ in range(ROUNDS_FOR_KEPT):
        for chat in chats:
            number += 1
            post.write(crowd.somebody_in(chat), f"Q-{number}", f"Q-{number} please")
        if not _drained(post, desk, killer):
            return False
        kept = crowd.kept()
        chats = [chat for chat in chats if kept[chat]]
    return True


def _desk(folder: Path, slack: FakeSlack, line: FakeLine, *, peer: bool) -> Desk:
    """The service or the peer, which answers what is in no document."""
    folder.mkdir(parents=True)
    (folder / "madoguchi.toml").write_text('[answers]\noutside = "general"\n', encoding="utf-8")
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
    return Desk(folder, environment, PEER if peer else COMMANDS)


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

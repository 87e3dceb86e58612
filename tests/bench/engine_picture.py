"""Draws how long people wait for the first token: `make bench-engine-picture DATA=…/jsquad`.

The workload of bench-engine with 1, 2, 4 and 8 people at once, on our engine (every passage in its place; passages
once, all of them known before) and on `python -m llama_cpp.server` where it is installed. The picture goes to
docs/time-to-first-token.svg: by the number of people, and by the turn of the conversation with four people. The last
line is one JSON object with the medians.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

from tests.bench.engine import (
    CONTEXT_TOKENS,
    PASSAGE_BYTES,
    PEOPLE,
    Answered,
    ask,
    ask_peer,
    fill,
    loaded,
    talks,
)
from tests.bench.llama_cpp_server import LlamaCppServer
from tests.bench.workload import Question, build
from workers.models import resolve

CROWDS = (1, 2, 4, 8)
PICTURE = Path("docs/time-to-first-token.svg")

Workload = list[list[Question]]
Talks = list[list[Answered]]


def main() -> None:
    """Measure, draw, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    parser.add_argument("-n", type=int, default=8)
    arguments = parser.parse_args()
    model = resolve(arguments.model, Path("data/models"))
    workload = build(arguments.data, conversations=arguments.n)
    measured = {name: _crowds(partial(engine, model, workload)) for name, engine in _engines().items()}
    by_people = {name: [_median(crowds[people]) for people in CROWDS] for name, crowds in measured.items()}
    by_turn = {
        name: [_median([[answer] for answer in turn]) for turn in zip(*crowds[PEOPLE], strict=True)]
        for name, crowds in measured.items()
    }
    draw(by_people, by_turn)
    print(json.dumps({"people": CROWDS, "by_people_s": by_people, "by_turn_s": by_turn}))


def exact(model: Path, workload: Workload, people: int) -> Talks:
    """Our engine, each passage evaluated where it stands."""
    with loaded(model) as engine:
        return talks(workload, partial(ask, engine), people=people)


def passages_once(model: Path, workload: Workload, people: int) -> Talks:
    """Our engine, all passages evaluated before."""
    with loaded(model, passage_bytes=PASSAGE_BYTES) as engine:
        fill(engine, workload)
        return talks(workload, partial(ask, engine), people=people)


def peer(model: Path, workload: Workload, people: int) -> Talks:
    """llama-cpp-python's own server."""
    with LlamaCppServer(model, context_tokens=CONTEXT_TOKENS * PEOPLE) as server:
        return talks(workload, partial(ask_peer, server), people=people)


def draw(by_people: Mapping[str, list[float]], by_turn: Mapping[str, list[float]]) -> None:
    """Write the picture: seconds on a logarithmic scale, a line for each engine."""
    plt.rcParams["svg.hashsalt"] = "madoguchi"
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for name, seconds in by_people.items():
        left.plot(range(len(CROWDS)), seconds, marker="o", label=name)
    for name, seconds in by_turn.items():
        right.plot(range(1, len(seconds) + 1), seconds, marker="o", label=name)
    left.set(xlabel="people at once", ylabel="seconds to the first token (median)", yscale="log")
    left.set_xticks(range(len(CROWDS)), [str(people) for people in CROWDS])
    right.set(xlabel=f"turn of the conversation ({PEOPLE} people)")
    right.xaxis.get_major_locator().set_params(integer=True)
    for axes in (left, right):
        axes.set_yticks(ticks := [0.5, 1, 2, 5, 10, 20, 50], [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    left.legend(fontsize="small")
    figure.savefig(PICTURE, metadata={"Date": None})


def _engines() -> Mapping[str, Callable[[Path, Workload, int], Talks]]:
    engines: dict[str, Callable[[Path, Workload, int], Talks]] = {"ours": exact, "ours, passages once": passages_once}
    if importlib.util.find_spec("sse_starlette") and importlib.util.find_spec("starlette_context"):
        engines["llama_cpp.server"] = peer
    return engines


def _crowds(run: Callable[[int], Talks]) -> dict[int, Talks]:
    return {people: run(people) for people in CROWDS}


def _median(answered: Talks) -> float:
    return round(statistics.median(answer.first_s for talk in answered for answer in talk), 2)


if __name__ == "__main__":
    main()

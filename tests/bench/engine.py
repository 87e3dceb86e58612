"""Many people at one model: our engine beside `python -m llama_cpp.server`, on the same file, threads and workload.

    make bench-engine DATA=…/jsquad [MODEL=qwen2.5-coder-1.5b-instruct] [N=8]

DATA is the prefix of a question set (tests/bench/workload.py), N the number of conversations of three turns; four are
always under way. Ours runs three times: every passage evaluated in its place, passages evaluated once with all of them
known before (how long that took is `filled_s`), and the same with none known. The peer needs
`pip install "llama-cpp-python[server]"`; without it only ours runs, and it is said. Beside the workload: one answer
alone, by the engine and by a bare loop (tests/bench/bare_loop.py). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from tests.bench.bare_loop import alone
from tests.bench.llama_cpp_server import LlamaCppServer
from tests.bench.workload import LEAD, SYSTEM, Question, build
from workers.engine import LlamaEngine
from workers.generation import ChatMessage, Prompt, Sampling
from workers.models import resolve

PEOPLE = 4
CONTEXT_TOKENS = 2048
ANSWER_TOKENS = 48
PASSAGE_BYTES = 500_000_000

Ask = Callable[[str, Sequence[ChatMessage]], "Answered"]
"""Ask within a conversation of that name; blocks until the answer is there."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer and when its first text and its end came, in seconds from the question."""

    text: str
    first_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a server did with the workload."""

    replies_per_min: float
    ttft_p50_s: float
    ttft_p95_s: float
    answer_p50_s: float
    prompt_tokens_evaluated: int
    filled_s: float = 0.0
    """How long it took before the clock started to read all passages once."""


def main() -> None:
    """Run the workload on every engine, print a table and one line of JSON."""
    arguments = _arguments()
    model = resolve(arguments.model, Path("data/models"))
    workload = build(arguments.data, conversations=arguments.n)
    figures = {
        "ours": ours(model, workload),
        "passages_once": ours(model, workload, passage_bytes=PASSAGE_BYTES, filled=True),
        "passages_cold": ours(model, workload, passage_bytes=PASSAGE_BYTES),
    }
    if importlib.util.find_spec("sse_starlette") and importlib.util.find_spec("starlette_context"):
        figures["llama_cpp_server"] = peer(model, workload)
    else:
        print("llama_cpp.server is not installed: no peer in this run")
    print(f"{'':20} {'replies/min':>12} {'ttft p50':>9} {'ttft p95':>9} {'answer p50':>11} {'evaluated':>10}")
    for name, f in figures.items():
        row = f"{f.replies_per_min:12.1f} {f.ttft_p50_s:9.2f} {f.ttft_p95_s:9.2f} {f.answer_p50_s:11.2f}"
        print(f"{name:20} {row} {f.prompt_tokens_evaluated:10d}")
    rates = alone(model, context_tokens=CONTEXT_TOKENS)
    print("  ".join(f"{name} {value:.2f}" for name, value in asdict(rates).items()))
    print(json.dumps({name: asdict(f) for name, f in figures.items()} | asdict(rates)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    parser.add_argument("-n", type=int, default=8)
    return parser.parse_args()


def ours(
    model: Path, workload: list[list[Question]], *, passage_bytes: int = 0, filled: bool = False, people: int = PEOPLE
) -> Figures:
    """Our engine, in this process.

    Args:
        passage_bytes: memory for passages that are evaluated once; 0: each is evaluated where it stands.
        filled: whether all passages of the workload are known before it begins.
    """
    with loaded(model, passage_bytes=passage_bytes) as engine:
        filled_s = fill(engine, workload) if filled else 0.0
        figures = measured(workload, partial(ask, engine), lambda: engine.evaluated_tokens, people=people)
        return replace(figures, filled_s=round(filled_s, 1))


@contextmanager
def loaded(model: Path, *, passage_bytes: int = 0) -> Iterator[LlamaEngine]:
    """Our engine with the model loaded."""
    engine = LlamaEngine(
        model, context_tokens=CONTEXT_TOKENS, at_once=PEOPLE, passage_bytes=passage_bytes, system=SYSTEM, lead=LEAD
    )
    try:
        engine.count_tokens("")  # waits until it is there
        yield engine
    finally:
        engine.close()


def ask(
    engine: LlamaEngine, conversation: str, messages: Sequence[ChatMessage], max_tokens: int = ANSWER_TOKENS
) -> Answered:
    """The engine's answer."""
    began, first_s = time.monotonic(), None
    prompt = Prompt(tuple(messages), (), engine.tokenize(messages))
    generation = engine.submit(
        prompt, max_tokens=max_tokens, deadline_s=900, sampling=Sampling(), conversation=conversation
    )
    for piece in generation:
        if piece and first_s is None:
            first_s = time.monotonic() - began
    total_s = time.monotonic() - began
    return Answered(generation.completion.text, first_s or total_s, total_s)


def fill(engine: LlamaEngine, workload: list[list[Question]]) -> float:
    """Have every passage read once, and nothing else remembered; how long it took."""
    began = time.monotonic()
    for passage in dict.fromkeys(passage for talk in workload for question in talk for passage in question.passages):
        alone = Question((passage,), "？").message
        ask(engine, "filling", (ChatMessage("system", SYSTEM), alone), max_tokens=1)
    engine.forget("filling")
    return time.monotonic() - began


def peer(model: Path, workload: list[list[Question]], *, people: int = PEOPLE) -> Figures:
    """llama-cpp-python's own server at its best, over HTTP."""
    with LlamaCppServer(model, context_tokens=CONTEXT_TOKENS * PEOPLE) as server:
        return measured(workload, partial(ask_peer, server), server.evaluated_tokens, people=people)


def ask_peer(server: LlamaCppServer, _: str, messages: Sequence[ChatMessage]) -> Answered:
    """The peer's answer; it knows no conversations."""
    return Answered(*server.ask(messages, max_tokens=ANSWER_TOKENS))


def measured(
    workload: list[list[Question]], ask: Ask, evaluated_tokens: Callable[[], int], *, people: int = PEOPLE
) -> Figures:
    """The workload's figures: so many conversations at once, each asks when it has read the answer before."""
    evaluated_before, began = evaluated_tokens(), time.monotonic()
    answers = [answer for talk in talks(workload, ask, people=people) for answer in talk]
    took_s = time.monotonic() - began
    firsts = sorted(answer.first_s for answer in answers)
    return Figures(
        replies_per_min=round(60 * len(answers) / took_s, 2),
        ttft_p50_s=round(statistics.median(firsts), 2),
        ttft_p95_s=round(firsts[int(0.95 * (len(firsts) - 1))], 2),
        answer_p50_s=round(statistics.median(answer.total_s for answer in answers), 2),
        prompt_tokens_evaluated=evaluated_tokens() - evaluated_before,
    )


def talks(workload: list[list[Question]], ask: Ask, *, people: int) -> list[list[Answered]]:
    """The answers of every conversation, so many conversations at once."""
    with ThreadPoolExecutor(people) as threads:
        return list(threads.map(lambda talk: _talk(str(talk[0]), talk[1], ask), enumerate(workload)))


def _talk(name: str, questions: list[Question], ask: Ask) -> list[Answered]:
    """One conversation from its first question to its last answer."""
    messages = [ChatMessage("system", SYSTEM)]
    answers = []
    for question in questions:
        messages.append(question.message)
        answers.append(ask(name, messages))
        messages.append(ChatMessage("assistant", answers[-1].text))
    return answers


if __name__ == "__main__":
    main()

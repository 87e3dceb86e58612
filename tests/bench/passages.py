"""What passages evaluated once cost in quality: the same questions, every passage read in its place, and read once.

    make bench-passages DATA="…/jsquad …/xquad_en" [N=60]

DATA names question sets (PREFIX.corpus.jsonl, PREFIX.queries.jsonl), N how many questions of each. A question comes
with three passages, of which one holds the answer, at each place in turn; the prompt is the product's. An answer counts
when it contains a known answer's words. `--show` prints where the two differ. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.engine import Answered, ask
from tests.bench.workload import rows
from workers.conversation import Quoted, Turn
from workers.engine import LlamaEngine
from workers.generation import ChatMessage
from workers.models import resolve
from workers.prompt import LEAD, SYSTEM, content

PEOPLE = 4
PASSAGES = 3
QUESTIONS_A_PASSAGE = 3
LONGEST_PASSAGE_BYTES = 1000
"""About 300 characters of Japanese, or a paragraph of English."""
PASSAGE_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over its passages, and the answers that count."""

    turn: Turn
    answers: tuple[str, ...]

    def is_answered_by(self, text: str) -> bool:
        """Whether a known answer stands in the text."""
        return any(_plain(answer) in _plain(text) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Compared:
    """One set both ways; counts of answers that contain the known one, and the medians to the first text."""

    questions: int
    exact: int
    passages_once: int
    only_exact: int
    only_once: int
    exact_ttft_p50_s: float
    once_ttft_p50_s: float
    placed_tokens: int


def main() -> None:
    """Ask everything both ways, print a table and one line of JSON."""
    arguments = _arguments()
    model = resolve(arguments.model, Path("data/models"))
    sets = {Path(prefix).name: questions(prefix, arguments.n) for prefix in arguments.data.split()}
    exact, _ = _answers(model, sets, passage_bytes=0)
    once, placed = _answers(model, sets, passage_bytes=PASSAGE_BYTES)
    compared = {name: _compared(sets[name], exact[name], once[name], placed[name]) for name in sets}
    for name, c in compared.items():
        print(f"{name:12} {c.questions:4d} asked, answered: {c.exact:3d} exact, {c.passages_once:3d} once,", end=" ")
        print(f"first text after {c.exact_ttft_p50_s:.2f} s and {c.once_ttft_p50_s:.2f} s")
        if arguments.show:
            _show(sets[name], exact[name], once[name])
    total = sum(c.questions for c in compared.values())
    loss = 100 * sum(c.exact - c.passages_once for c in compared.values()) / total
    print(json.dumps({name: asdict(c) for name, c in compared.items()} | {"loss_points": round(loss, 2)}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--show", action="store_true")
    return parser.parse_args()


def questions(prefix: str, count: int, seed: int = 5) -> list[Asked]:
    """So many questions of a set, each with its passage and two others."""
    corpus = {row["id"]: row for row in rows(f"{prefix}.corpus.jsonl")}
    asked_of = defaultdict(list)
    for query in rows(f"{prefix}.queries.jsonl"):
        asked_of[query["relevant"][0]].append(query)
    chance = random.Random(seed)
    fit = sorted(d for d, asked in asked_of.items() if len(asked) >= QUESTIONS_A_PASSAGE and _is_short(corpus[d]))
    documents = chance.sample(fit, min(len(fit), count // QUESTIONS_A_PASSAGE))
    found = []
    for number in range(len(documents) * QUESTIONS_A_PASSAGE):
        document = documents[number % len(documents)]
        query = asked_of[document][number // len(documents)]
        shown = chance.sample([d for d in documents if d != document], PASSAGES - 1)
        shown.insert(number % PASSAGES, document)
        quoted = tuple(Quoted(corpus[d].get("title", d), corpus[d]["text"], d) for d in shown)
        turn = Turn("user", (query["query"],), "u", ("m",), quoted)
        found.append(Asked(turn, tuple(a["text"] if isinstance(a, dict) else a for a in query["answers"])))
    return found


def _answers(
    model: Path, sets: dict[str, list[Asked]], *, passage_bytes: int
) -> tuple[dict[str, list[Answered]], dict[str, int]]:
    """All answers, and how many tokens of passages were placed for them."""
    engine = LlamaEngine(model, passage_bytes=passage_bytes, system=SYSTEM, lead=LEAD)
    answers, placed = {}, {}
    for name, asked in sets.items():
        if passage_bytes:
            _fill(engine, asked)
        before = engine.load.counts.placed_tokens
        with ThreadPoolExecutor(PEOPLE) as people:
            answers[name] = list(people.map(lambda one: _ask(engine, one.turn), asked))
        placed[name] = engine.load.counts.placed_tokens - before
    engine.close()
    return answers, placed


def _fill(engine: LlamaEngine, asked: Sequence[Asked]) -> None:
    """Have every passage read once, and nothing else remembered."""
    for quoted in dict.fromkeys(quoted for one in asked for quoted in one.turn.passages):
        _ask(engine, Turn("user", ("？",), "u", ("m",), (quoted,)), max_tokens=1)
    engine.forget("c")


def _ask(engine: LlamaEngine, turn: Turn, max_tokens: int = 48) -> Answered:
    return ask(engine, "c", (ChatMessage("system", SYSTEM), content(turn)), max_tokens)


def _compared(asked: Sequence[Asked], exact: Sequence[Answered], once: Sequence[Answered], placed: int) -> Compared:
    by_exact = [one.is_answered_by(answer.text) for one, answer in zip(asked, exact, strict=True)]
    by_once = [one.is_answered_by(answer.text) for one, answer in zip(asked, once, strict=True)]
    return Compared(
        questions=len(asked),
        exact=sum(by_exact),
        passages_once=sum(by_once),
        only_exact=sum(a and not b for a, b in zip(by_exact, by_once, strict=True)),
        only_once=sum(b and not a for a, b in zip(by_exact, by_once, strict=True)),
        exact_ttft_p50_s=round(statistics.median(answer.first_s for answer in exact), 2),
        once_ttft_p50_s=round(statistics.median(answer.first_s for answer in once), 2),
        placed_tokens=placed,
    )


def _show(asked: Sequence[Asked], exact: Sequence[Answered], once: Sequence[Answered]) -> None:
    for one, a, b in zip(asked, exact, once, strict=True):
        if one.is_answered_by(a.text) != one.is_answered_by(b.text):
            print(f"  {one.turn.text} {one.answers}\n    exact: {a.text}\n    once:  {b.text}")


def _is_short(row: dict[str, str]) -> bool:
    return len(row["text"].encode()) < LONGEST_PASSAGE_BYTES


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


if __name__ == "__main__":
    main()

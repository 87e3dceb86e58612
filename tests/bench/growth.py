"""Whether the engine's memory grows with the answers that it has written: `make bench-growth [N=10000]`.

N answers of the smallest model, four at once, in conversations that never come again, so that every store of what was
read is full soon and has to let go: one in ten is cancelled after its first piece, one in ten is bound to a JSON
schema, one in ten has a deadline that has passed. Resident memory is read after each tenth of the answers. Between the
second tenth, when all stores are full, and the last it may not grow by more than allocators are known to waver
(ALLOWED_MB); else the exit status is 1. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from workers.engine import LlamaEngine
from workers.generation import ChatMessage, GenerationError, JsonSchema, Prompt, Sampling
from workers.models import resolve

MODEL = "smollm2-135m-instruct"
PEOPLE = 4
ANSWER_TOKENS = 4
PREFIX_BYTES = 30_000_000
PASSAGE_BYTES = 10_000_000
PASSAGES = 400
"""A quarter of them are asked about; PASSAGE_BYTES holds about a tenth of those."""
ALLOWED_MB = 25.0
SYSTEM = "You are the front desk. Answer briefly from the documents."
LEAD = "Documents:\n[1]"
SCHEMA = JsonSchema({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})


def main() -> int:
    """Write the answers, print the memory after each tenth; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=10_000)
    answers: int = parser.parse_args().n
    began = time.monotonic()
    resident_mb = list(measured(answers))
    grown_mb = round(resident_mb[-1] - resident_mb[1], 1)
    figures = {
        "answers": answers,
        "seconds": round(time.monotonic() - began),
        "resident_mb": resident_mb,
        "grown_mb": grown_mb,
        "allowed_mb": ALLOWED_MB,
    }
    print(json.dumps(figures))
    return int(grown_mb > ALLOWED_MB)


def measured(answers: int) -> Iterator[float]:
    """Resident memory in MB after each tenth of the answers."""
    engine = LlamaEngine(
        resolve(MODEL, Path("data/models")),
        context_tokens=512,
        threads=1,  # it is memory that is measured, and threads that wait for each other take time from all else
        at_once=PEOPLE,
        prefix_bytes=PREFIX_BYTES,
        passage_bytes=PASSAGE_BYTES,
        system=SYSTEM,
        lead=LEAD,
    )
    with ThreadPoolExecutor(PEOPLE) as people:
        for tenth in range(10):
            numbers = range(tenth * answers // 10, (tenth + 1) * answers // 10)
            list(people.map(partial(ask, engine), numbers))
            now_mb = resident()
            kept_mb = engine.load.kept_bytes / 1e6
            print(
                f"{numbers.stop:7} answers  {now_mb:8.1f} MB resident  {kept_mb:6.1f} MB of it kept on purpose",
                flush=True,
            )
            yield now_mb
    engine.close()


def ask(engine: LlamaEngine, number: int) -> None:
    """One answer in a conversation of its own."""
    chat = (ChatMessage("system", SYSTEM), question(number))
    kind = number % 10
    generation = engine.submit(
        Prompt(chat, (), engine.tokenize(chat)),
        max_tokens=ANSWER_TOKENS,
        deadline_s=0.0 if kind == 3 else 600.0,
        sampling=Sampling(seed=number, constraint=SCHEMA if kind == 6 else None),
        conversation=str(number),
    )
    try:
        for piece in generation:
            if piece and kind == 9:
                break
    except GenerationError as error:
        raise SystemExit(f"answer {number} failed: {error}") from error


def question(number: int) -> ChatMessage:
    """A question; one in four is over a passage that others ask about too."""
    if number % 4:
        return ChatMessage("user", f"Question {number}: when?")
    rule = number % PASSAGES
    hours = "opens at nine and closes at six, but not on a holiday, and in August it is shut for three whole weeks"
    passage = f" Rule {rule}: office {rule} {hours}."
    return ChatMessage("user", f"{LEAD}{passage}\nQuestion {number}: when?", (passage,))


def resident() -> float:
    """What this process has in memory, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


if __name__ == "__main__":
    sys.exit(main())

"""One model alone: how long it loads, how fast it reads and writes, what memory it takes.

    make bench-single [MODEL=smollm2-135m-instruct]

A model is anything that LLM_MODEL may be. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from workers.engine import LlamaEngine
from workers.generation import ChatMessage, Completion, Prompt, Sampling
from workers.models import resolve
from workers.models.memory import local_row

CONTEXT_TOKENS = 2048
WRITTEN_TOKENS = 64
QUESTION = "Tell the whole story of a small town by the sea, with all its people, in as many words as you can."


def main() -> None:
    """Measure the model and print a table for people and one line of JSON."""
    arguments = _arguments()
    path = resolve(arguments.model, Path("data/models"))
    began = time.monotonic()
    engine = LlamaEngine(path, context_tokens=CONTEXT_TOKENS, threads=arguments.threads)
    context_tokens = engine.context_tokens
    load_s = time.monotonic() - began
    _answer(engine, _passages(arguments.prompt_tokens // 20))
    load = engine.load
    needed = local_row(path, context_tokens).memory
    engine.close()
    _report(
        load_s=load_s,
        prompt_tokens_per_s=load.prompt_tokens_per_s,
        completion_tokens_per_s=load.completion_tokens_per_s,
        peak_rss_mb=_peak_rss_mb(),
        foretold_mb=needed.total / 1e6,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--prompt-tokens", type=int, default=900)
    return parser.parse_args()


def _passages(count: int) -> str:
    return "\n".join(
        f"House {n} was built in {1800 + 7 * n} by a family of {n % 9 + 2}; its door is green." for n in range(count)
    )


def _answer(engine: LlamaEngine, text: str) -> Completion:
    messages = (ChatMessage("system", "You tell stories."), ChatMessage("user", f"{text}\n{QUESTION}"))
    prompt = Prompt(messages, (), engine.tokenize(messages))
    generation = engine.submit(prompt, max_tokens=WRITTEN_TOKENS, deadline_s=600, sampling=Sampling(seed=1))
    for _ in generation:
        pass
    return generation.completion


def _peak_rss_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


def _report(**figures: float) -> None:
    for name, value in figures.items():
        print(f"{name:28} {value:10,.1f}")
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()

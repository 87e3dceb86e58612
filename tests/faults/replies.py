"""The replies' process with a model that is played from a script; everything else in it is real.

What it does is in the question: SLOW takes seconds for it, DIE ends the process as a crash of llama.cpp would.
The words are the first passage's own, so that they stand on it.
"""

from __future__ import annotations

import os
import signal
import threading

from bot.settings import BotSettings
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.model import Script, ScriptedGenerator, asks
from workers.generation import Prompt
from workers.replies import run
from workers.settings import WorkerSettings

SLOW_SECONDS_PER_PIECE = 0.15


def first_passage(prompt: Prompt) -> str:
    """The first passage's words, as a model would say them."""
    return prompt.passages[0].chunk.text.strip().splitlines()[-1]


def die(prompt: Prompt) -> str:
    """End the process at once, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


SCRIPTS = (
    Script(matches=asks("DIE"), answer=die),
    Script(matches=asks("SLOW"), answer=first_passage, seconds_per_piece=SLOW_SECONDS_PER_PIECE),
    Script(answer=first_passage),
)


def main() -> None:
    """Run until SIGTERM; with LOADS_S in the environment the model is ready only after so many seconds."""
    generator = ScriptedGenerator(SCRIPTS)
    if loads_s := float(os.environ.get("LOADS_S", "0")):
        generator.ready = False
        threading.Timer(loads_s, lambda: setattr(generator, "ready", True)).start()
    run(BotSettings(), WorkerSettings(), generator, open_retriever(KnowledgeSettings()))


if __name__ == "__main__":
    main()

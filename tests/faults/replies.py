"""The replies' process with a model that is played from a script; everything else in it is real.

What it does is in the question: SLOW takes seconds for it, LONG needs several messages, ENDLESS never ends, DIE ends
the process as a crash of llama.cpp would. The words are the first passage's own, so that they stand on it. To messages
with numbers (Q-0001) it says the numbers of all that it is to answer, so that whoever counts sees which were answered.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

from bot.settings import BotSettings
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.faults import numbered
from tests.faults.desk import PROMPTS
from workers.generation import Prompt
from workers.replies import run
from workers.settings import WorkerSettings

SLOW_SECONDS_PER_PIECE = 0.15
LONG_SENTENCES = 140
"""More characters than one message on Slack may have."""


def first_passage(prompt: Prompt) -> str:
    """The first passage's words, as a model would say them; what it was given is noted down."""
    with Path(PROMPTS).open("a", encoding="utf-8") as noted:
        noted.write(json.dumps([message.text for message in prompt.messages], ensure_ascii=False) + "\n")
    return prompt.passages[0].chunk.text.strip().splitlines()[-1]


def die(prompt: Prompt) -> str:
    """End the process at once, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def numbers(prompt: Prompt) -> str:
    """The numbers of the messages that it is to answer."""
    return numbered.answer_to(prompt.messages[-1].text)


def has_numbers(prompt: Prompt) -> bool:
    """Whether those messages have numbers."""
    return numbered.NUMBER.search(prompt.messages[-1].text) is not None


SCRIPTS = (
    Script(
        matches=lambda prompt: has_numbers(prompt) and asks("SLOW")(prompt),
        answer=numbers,
        seconds_per_piece=numbered.SLOW_SECONDS_PER_PIECE,
    ),
    Script(matches=has_numbers, answer=numbers, seconds_per_piece=numbered.SECONDS_PER_PIECE),
    Script(matches=asks("DIE"), answer=die),
    Script(matches=asks("ENDLESS"), answer=first_passage, hangs=True),
    Script(matches=asks("LONG"), answer=lambda prompt: first_passage(prompt) * LONG_SENTENCES),
    Script(matches=asks("SLOW"), answer=first_passage, seconds_per_piece=SLOW_SECONDS_PER_PIECE),
    Script(answer=first_passage),
)


def load(generator: ScriptedGenerator, file: Path) -> None:
    """Be ready as soon as the file is there."""
    while not file.exists():
        time.sleep(0.05)
    generator.ready = True


def main() -> None:
    """Run until SIGTERM; with LOADED_BY in the environment the model is ready when there is a file of that name."""
    generator = ScriptedGenerator(SCRIPTS)
    if loaded_by := os.environ.get("LOADED_BY"):
        generator.ready = False
        threading.Thread(target=load, args=(generator, Path(loaded_by)), daemon=True).start()
    run(BotSettings(), WorkerSettings(), generator, open_retriever(KnowledgeSettings()))


if __name__ == "__main__":
    main()

"""The replies' process with a model that hangs in a step when its question says STUCK: for good, deaf to everything.

Its watchdog ticks twenty times as fast.
"""

from __future__ import annotations

from bot.settings import BotSettings
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.faults.replies import SCRIPTS, first_passage
from workers.replies import run
from workers.settings import WorkerSettings
from workers.watchdog import TICK_S


def main() -> None:
    """Run until SIGTERM, or until the watchdog ends it."""
    generator = ScriptedGenerator((Script(matches=asks("STUCK"), answer=first_passage, stuck=True), *SCRIPTS))
    retriever = open_retriever(KnowledgeSettings())
    run(BotSettings(), WorkerSettings(), generator, retriever, watch_every_s=TICK_S / 20)


if __name__ == "__main__":
    main()

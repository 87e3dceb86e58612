"""The replies' process with a model that fails as it is asked to.

SILENT says nothing, FAILS fails after some words each time, STUMBLES only the first time, TOO-LONG fits no context,
BUSY has no room the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Never

from bot.settings import BotSettings
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from tests.fakes.model import Script, ScriptedGenerator, asks
from tests.faults.replies import SCRIPTS, first_passage
from workers.generation import GenerationError, GenerationFailed, GeneratorBusy, Prompt, PromptTooLong
from workers.replies import run
from workers.settings import WorkerSettings


def asks_first(words: str) -> Callable[[Prompt], bool]:
    """A predicate: the last message has these words, and was not asked before."""
    asked: set[str] = set()

    def matches(prompt: Prompt) -> bool:
        question = prompt.messages[-1].text
        first = words in question and question not in asked
        asked.add(question)
        return first

    return matches


def refuses(error: GenerationError) -> Callable[[Prompt], Never]:
    """In the place of an answer: nothing is taken in."""

    def answer(_prompt: Prompt) -> Never:
        raise error

    return answer


TROUBLE = (
    Script(matches=asks("SILENT")),
    Script(matches=asks("FAILS"), answer=first_passage, error=GenerationFailed("as asked")),
    Script(matches=asks_first("STUMBLES"), answer=first_passage, error=GenerationFailed("as asked")),
    Script(matches=asks("TOO-LONG"), answer=refuses(PromptTooLong("as asked"))),
    Script(matches=asks_first("BUSY"), answer=refuses(GeneratorBusy("as asked"))),
)


def main() -> None:
    """Run until SIGTERM."""
    generator = ScriptedGenerator((*TROUBLE, *SCRIPTS))
    run(BotSettings(), WorkerSettings(), generator, open_retriever(KnowledgeSettings()))


if __name__ == "__main__":
    main()

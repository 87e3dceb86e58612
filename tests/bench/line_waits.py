"""What somebody on LINE sees, second by second, for models of five speeds behind queues of three lengths.

In real minutes: a reply token lives for 55 seconds. The model plays a script; everything else is real
but LINE itself. Prints a table in Markdown.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from bot.line.events import TOKEN_LIFE_S
from bot.store import connect
from knowledge.documents import PUBLIC
from knowledge.reindexing import reindex
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.workers.line_waits import AHEAD, DOCUMENT, EXTRACT, SPEEDS, Cell, Seen, run_all
from workers.embedded import store_command

CELLS = [Cell(speed, ahead) for speed in SPEEDS for ahead in AHEAD]


def main() -> None:
    """Run all cells at the same time, and print what was seen in each."""
    with tempfile.TemporaryDirectory(prefix="mado-") as name:
        folder = Path(name)
        (folder / "documents").mkdir()
        (folder / "documents" / "expenses.md").write_text(DOCUMENT, encoding="utf-8")
        settings = KnowledgeSettings(data_path=folder / "data", knowledge_path=folder / "documents")
        reindex(settings, sources=[Folder(path=folder / "documents", audience=frozenset({PUBLIC}))])
        with stores(folder) as ours, open_retriever(settings) as retriever:
            seen = run_all(CELLS, ours, retriever, life_s=TOKEN_LIFE_S, within_s=5 * TOKEN_LIFE_S)
    print("| model | before me | what I see | pushes |\n|---|---|---|---|")
    for cell in CELLS:
        print(f"| {cell.speed} | {cell.ahead} | {told(seen[cell])} | {seen[cell].pushes} |")


@contextmanager
def stores(folder: Path) -> Iterator[list[redis.Redis]]:
    """An empty store for each cell."""
    socket = folder / "s.sock"
    with subprocess.Popen(store_command(folder, socket), stdout=subprocess.DEVNULL) as server:
        while not socket.exists():
            time.sleep(0.05)
        yield [connect(f"unix://{socket}?db={number}", timeout_s=4.0) for number in range(len(CELLS))]
        server.terminate()


def told(seen: Seen) -> str:
    """The timeline in one cell of a table."""
    return "<br>".join(f"{at:.0f} s {short(what)}" for at, what in seen.events)


def short(what: str) -> str:
    """A message in a few words."""
    first = what.splitlines()[0]
    return first if what.startswith(("(", EXTRACT)) or len(what) < 60 else f"{what[:56]}…".replace("\n", " ")


if __name__ == "__main__":
    main()

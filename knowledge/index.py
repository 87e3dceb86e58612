"""The index for readers: it follows the pointer, and lends one whole generation for one search."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from heapq import nlargest
from pathlib import Path

from knowledge import chunk_store, generations, lexical
from knowledge.calibration import Floor
from knowledge.copies import PrivateCopy
from knowledge.documents import Chunk
from knowledge.embedding import Vectors
from knowledge.errors import NoIndex
from knowledge.fusion import Near, Sides, room
from knowledge.generations import LEXICAL, VECTORS, Manifest
from knowledge.language import language
from knowledge.vectors import VectorIndex

log = logging.getLogger(__name__)

CANDIDATES = 50
_ATTEMPTS = 3


class Generation:
    """One generation, open for reading from any thread."""

    def __init__(self, index_path: Path, name: str) -> None:
        """Open it.

        Raises:
            FileNotFoundError: it was removed.
        """
        folder = index_path / name
        self.name = name
        self.manifest = Manifest.read(folder)
        self._copy = PrivateCopy(folder / VECTORS, index_path / "readers")
        with ExitStack() as opened:
            opened.callback(self._copy.close)
            self._database = opened.enter_context(closing(chunk_store.open_for_reading(folder / LEXICAL)))
            self._vectors = VectorIndex.open(self._copy.path)
            opened.pop_all()  # nothing is damaged: all of it stays open
        self._one_statement = threading.Lock()

    def floors(self, question: str) -> Mapping[str, Floor]:
        """How near a chunk must be to count as found by this question, by the chunk's language."""
        return self.manifest.floors[language(question)]

    def search(
        self, wordings: Sequence[str], vectors: Vectors, labels: frozenset[str], sources: Collection[str] = ()
    ) -> list[Sides]:
        """What each wording of a question finds among the chunks that who bears the labels may read.

        Only in these sources, by their titles, where any are named.

        The first wording is the question itself; `vectors` has a row for each.
        """
        with self._one_statement:
            audiences = chunk_store.readable(self._database, labels, sources)
            covered = [lexical.search(self._database, wording, audiences, CANDIDATES) for wording in wordings]
        near = self._near(vectors, audiences, self.floors(wordings[0]))
        return [Sides(dense, coverage) for dense, coverage in zip(near, covered, strict=True)]

    def _near(self, vectors: Vectors, audiences: Collection[int], floors: Mapping[str, Floor]) -> list[dict[int, Near]]:
        """For each vector the chunks with the best lead, whichever language they are in."""
        found: list[dict[int, Near]] = [{} for _ in vectors]
        above = room(floor.cosine for floor in floors.values())
        for written_in, floor in floors.items():
            nearest = self._vectors.search(vectors, CANDIDATES, audiences=audiences, language=written_in)
            for known, cosines in zip(found, nearest, strict=True):
                known |= {number: Near.above(floor.cosine, cosine, above) for number, cosine in cosines.items()}
        return [dict(nlargest(CANDIDATES, known.items(), key=lambda item: item[1].lead)) for known in found]

    def rarities(self, wordings: Sequence[str]) -> list[dict[str, float]]:
        """How rare each wording's words are in it."""
        with self._one_statement:
            return [lexical.rarities(self._database, wording) for wording in wordings]

    def chunks(self, numbers: Collection[int]) -> dict[int, Chunk]:
        """The chunks with these numbers."""
        with self._one_statement:
            return chunk_store.get(self._database, numbers)

    def held(self, ids: Collection[str], labels: frozenset[str], sources: Collection[str] = ()) -> frozenset[str]:
        """Those of the ids that are chunks which `search` can find with these labels and sources."""
        with self._one_statement:
            return chunk_store.held(self._database, ids, chunk_store.readable(self._database, labels, sources))

    def known(self, ids: Collection[str]) -> frozenset[str]:
        """Those of the ids that are chunks of it."""
        with self._one_statement:
            return chunk_store.held(self._database, ids, chunk_store.audiences(self._database))

    def around(self, chunk_id: str, labels: frozenset[str]) -> tuple[Chunk, ...]:
        """A chunk with what stands around it in its document; nothing when who bears the labels may not read it."""
        with self._one_statement:
            return chunk_store.around(self._database, chunk_id, chunk_store.readable(self._database, labels))

    def close(self) -> None:
        """Close it and delete its copy."""
        self._vectors.close()
        self._database.close()
        self._copy.close()


class Index:
    """The chain of generations as a reader sees it; used by many threads."""

    def __init__(
        self, path: Path, fingerprint: str, pointer: Callable[[Path], str | None] = generations.current
    ) -> None:
        """An index at `path` for questions that an embedder of this fingerprint encodes; nothing is opened yet.

        `pointer` names the generation that is read.
        """
        self._path = path
        self._pointer = pointer
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._open: Generation | None = None
        self._users: dict[Generation, int] = {}

    @contextmanager
    def generation(self) -> Iterator[Generation]:
        """The generation that answers now, kept open and unchanged until the block ends.

        Raises:
            NoIndex: there is none, or it was made by another embedder.
        """
        with self._lock:
            lent = self._newest()
            self._users[lent] = self._users.get(lent, 0) + 1
        try:
            yield lent
        finally:
            with self._lock:
                self._users[lent] -= 1
                self._close_unused()

    def follow(self) -> str:
        """Open the newest generation if it is not yet, and let go of the one before; its name.

        A search does so by itself.

        Raises:
            NoIndex: there is none, or it was made by another embedder.
        """
        with self._lock:
            return self._newest().name

    def close(self) -> None:
        """Close every generation that nobody uses now, the others as soon as they are given back."""
        with self._lock:
            self._open = None
            self._close_unused()

    def _newest(self) -> Generation:
        for _ in range(_ATTEMPTS):
            name = self._pointer(self._path)
            if self._open is not None and name == self._open.name:
                return self._open
            if name is None:
                raise NoIndex("there is no index yet")
            try:
                return self._switch_to(name)
            except FileNotFoundError:  # removed between the pointer and the folder: a newer one is there
                continue
        raise NoIndex(f"the index {name} is not there")

    def _switch_to(self, name: str) -> Generation:
        if Manifest.read(self._path / name).fingerprint != self._fingerprint:
            if self._open is not None:
                return self._open  # the operator changed the embedder; this process keeps the old one until restarted
            raise NoIndex("the index was made by another embedder or version")
        opened = Generation(self._path, name)
        log.info("generation opened", extra={"generation": name, "chunks": opened.manifest.chunks})
        self._open = opened
        self._users.setdefault(opened, 0)
        self._close_unused()
        return opened

    def _close_unused(self) -> None:
        for generation in [one for one, users in self._users.items() if not users and one is not self._open]:
            del self._users[generation]
            generation.close()

"""The thread that owns llama.cpp: it loads the model, writes answers until it is told to end, and frees the model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from workers.engine.batching import Batching
from workers.engine.loading import Loaded, Setup, load
from workers.engine.queue import Queue
from workers.generation import GenerationFailed

log = logging.getLogger(__name__)


class Owner:
    """The model's one thread; every member may be used from any other."""

    def __init__(self, setup: Setup, queue: Queue, begin: Callable[[Loaded], Batching]) -> None:
        """Begin to load the model and return at once.

        Args:
            begin: what writes the queue's answers with the loaded model; called in the thread.
        """
        self._setup = setup
        self._queue = queue
        self._begin = begin
        self._ending = threading.Event()
        self._tried_to_load = threading.Event()
        self._load_error: Exception | None = None
        self._loaded: Loaded | None = None
        self._using_model = threading.Lock()  # callers tokenise; the model is not freed meanwhile
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._thread.start()

    @property
    def loaded(self) -> Loaded | None:
        """The model while it is loaded; never waits."""
        return self._loaded

    @property
    def ready(self) -> bool:
        """Whether it is loaded and not about to be freed."""
        return self._loaded is not None and not self._ending.is_set()

    @property
    def load_error(self) -> Exception | None:
        """Why the model could not be loaded; None when it is there or still loading."""
        return self._load_error

    @contextmanager
    def model_in_use(self) -> Iterator[Loaded]:
        """The loaded model, which stays loaded as long as it is used; waits for it.

        Raises:
            GenerationFailed: it could not be loaded, or is freed.
        """
        self._tried_to_load.wait()
        with self._using_model:
            if self._load_error is not None:
                raise GenerationFailed(f"the model could not be loaded: {self._load_error}") from self._load_error
            if self._loaded is None:
                raise GenerationFailed("the engine is closed")
            yield self._loaded

    def end(self) -> None:
        """Let it end after the step under way; a model that is still loading is loaded no further."""
        self._ending.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; False when it hangs."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # The thread.

    def _live(self) -> None:
        with ExitStack() as freeing:
            try:
                batching = self._load(freeing)
            except Exception as error:  # whatever it is, callers must hear of it
                self._load_error = error
                if not self._ending.is_set():
                    log.exception("the model could not be loaded", extra={"model": self._setup.path.name})
                return
            finally:
                self._tried_to_load.set()
            while not self._ending.is_set() and (not batching.idle or self._queue.wait()):
                _step(batching)

    def _load(self, freeing: ExitStack) -> Batching:
        loaded = load(self._setup, freeing, keep_loading=lambda: not self._ending.is_set())
        freeing.callback(self._let_go)
        batching = self._begin(loaded)
        self._loaded = loaded
        return batching

    def _let_go(self) -> None:
        """Keep callers from a model that is freed; return when none uses it."""
        with self._using_model:
            self._loaded = None


def _step(batching: Batching) -> None:
    """One step; an error that nobody foresaw ends the answers under way, and not the thread."""
    try:
        batching.step()
    except Exception as error:
        log.exception("a step failed")
        batching.fail_all(GenerationFailed(f"the engine failed: {error}"))

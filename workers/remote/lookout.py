"""The lookout: finds the server, and finds it again when it was lost."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from workers.generation import GenerationError, GenerationFailed
from workers.remote.dialects import Dialect, recognised
from workers.remote.server import Server

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """What a server has told of itself."""

    dialect: Dialect
    context_tokens: int


class Lookout:
    """Looks for a server in a thread of its own. Every member may be used from any thread."""

    def __init__(self, server: Server, model: str, context_tokens: int) -> None:
        """Begin to look.

        Args:
            context_tokens: how many are wished for; a server that has less gets its own.
        """
        self._server = server
        self._model = model
        self._context_tokens = context_tokens
        self._known: Known | None = None
        self._lost = threading.Event()
        self._lost.set()
        self._found_once = threading.Event()
        self._closing = threading.Event()
        threading.Thread(target=self._look_out, name="lookout", daemon=True).start()

    @property
    def sees_it(self) -> bool:
        """Whether the server was found and has not been lost since."""
        return self._known is not None and not self._lost.is_set() and not self._closing.is_set()

    def found(self) -> Known:
        """What is known of the server. Waits until it was found; one that was lost is still known.

        Raises:
            GenerationFailed: it is looked for no more.
        """
        self._found_once.wait()
        if self._known is None or self._closing.is_set():
            raise GenerationFailed("the generator is closed")
        return self._known

    def lose(self) -> None:
        """Say that the server cannot be reached: look for it again."""
        self._lost.set()

    def close(self) -> None:
        """Look no more, and let nobody wait."""
        self._closing.set()
        self._lost.set()
        self._found_once.set()

    def _look_out(self) -> None:
        told = ""
        while self._lost.wait() and not self._closing.is_set():
            try:
                self._known = self._look()
            except GenerationError as error:
                if told != (told := str(error)):
                    log.warning("language model's server not found", extra={"reason": told})
                self._closing.wait(LOOK_AGAIN_S)
            else:
                told = ""
                self._lost.clear()
                self._found_once.set()

    def _look(self) -> Known:
        models = self._server.models()
        try:
            dialect, context_tokens = recognised(models, self._model)
            names = [str(model["id"]) for model in models.get("data") or ()]
        except (LookupError, TypeError, AttributeError) as error:
            raise GenerationFailed("what the language model's server lists is no list of models") from error
        tokens = min(self._context_tokens, context_tokens or self._context_tokens)
        facts = {"dialect": type(dialect).__name__, "context_tokens": tokens, "lists_model": self._model in names}
        log.info("language model's server found", extra=facts)
        return Known(dialect, tokens)

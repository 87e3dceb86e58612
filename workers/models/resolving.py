"""From what a person writes in LLM_MODEL to a file on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workers.models.catalogue import CATALOGUE, CatalogueModel, HubFile, named, of_hub_file
from workers.models.errors import ModelUnavailable, ModelUnknown, SourceFailed
from workers.models.fetching import fetch
from workers.models.gguf import read_header
from workers.models.hub import fetch_from_hub, parse_hub_name
from workers.models.progress import Bar, progress_for


def resolve(
    name: str,
    models_path: Path,
    progress: type[Bar] | None = None,
    catalogue: Sequence[CatalogueModel] = CATALOGUE,
) -> Path:
    """The GGUF file that `name` means, fetched and verified where that is needed.

    Args:
        name: a catalogue name, the path of a GGUF, or a hub file `owner/repo/file.gguf`, with `@revision` if need be.
        models_path: where fetched models are kept.
        progress: a tqdm class; default: what suits standard error.

    Raises:
        ModelUnknown, ModelUnavailable, ModelCorrupt, DiskTooSmall, UnreadableGGUF
    """
    progress = progress or progress_for()
    model = named(name, catalogue)
    if model is not None:
        return fetch(model, models_path, progress)
    local = Path(name).expanduser()
    if local.is_file():
        read_header(local)
        return local
    file = parse_hub_name(name)
    if file is None:
        known = ", ".join(model.name for model in catalogue)
        raise ModelUnknown(f"{name} is no file, no hub file (owner/repo/file.gguf) and none of {known}")
    official = of_hub_file(file, catalogue)
    if official is not None:
        return fetch(official, models_path, progress, hub_first=True)
    return _from_hub_alone(file, models_path, progress)


def _from_hub_alone(file: HubFile, models_path: Path, progress: type[Bar]) -> Path:
    folder = models_path / "hub" / f"{file.repo}@{file.revision}".replace("/", "--")
    try:
        path = fetch_from_hub(file, folder, progress)
    except SourceFailed as error:
        raise ModelUnavailable(str(file), {"hub": str(error)}) from error
    read_header(path)
    return path

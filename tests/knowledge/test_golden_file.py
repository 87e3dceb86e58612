"""What is added to the file of golden questions is added once, and whatever a person wrote there stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from knowledge.errors import GoldenMalformed
from knowledge.golden import GoldenQuestion, load_questions
from knowledge.golden_file import append, as_yaml, new_ones
from knowledge.settings import PACKAGE

DEADLINE = GoldenQuestion(question="経費の締め日はいつですか？", document="rules/expenses.md")
SAFE = GoldenQuestion(question="Who may: open 'the' #safe?", document="safe.md", audience=frozenset({"slack:C1"}))
WRITTEN = "# ours\n- question: 休暇は何日ですか\n  document: leave.md   # the new one\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "golden.yaml"


def test_what_is_printed_is_what_the_file_takes(path: Path) -> None:
    path.write_text(as_yaml([DEADLINE, SAFE]), "utf-8")

    assert load_questions(path) == (DEADLINE, SAFE)
    assert "経費の締め日" in path.read_text("utf-8")
    assert "contains" not in path.read_text("utf-8")


@pytest.mark.parametrize("written", [WRITTEN, WRITTEN.rstrip("\n"), WRITTEN.replace("\n", "\r\n"), "", "# none yet\n"])
def test_the_rest_of_the_file_stays_as_it_is(path: Path, written: str) -> None:
    path.write_bytes(written.encode())
    before = load_questions(path)

    append([DEADLINE, SAFE], path)

    assert path.read_bytes().startswith(written.encode())
    assert load_questions(path) == (*before, DEADLINE, SAFE)


def test_a_file_that_is_not_there_is_made(path: Path) -> None:
    append([DEADLINE], path)

    assert load_questions(path) == (DEADLINE,)
    assert [one.name for one in path.parent.iterdir()] == ["golden.yaml"]


@pytest.mark.parametrize(
    "written",
    [
        '[{"question": "q", "document": "d"}]',
        "  - question: q\n    document: d\n",
    ],
)
def test_a_file_that_takes_nothing_at_its_end_stays_as_it_is(path: Path, written: str) -> None:
    path.write_text(written, "utf-8")
    before = load_questions(path)

    with pytest.raises(GoldenMalformed, match="by hand"):
        append([DEADLINE], path)

    assert path.read_text("utf-8") == written
    assert load_questions(path) == before
    assert [one.name for one in path.parent.iterdir()] == ["golden.yaml"]


def test_a_broken_file_is_left_alone(path: Path) -> None:
    path.write_text("- question: [", "utf-8")

    with pytest.raises(GoldenMalformed):
        append([DEADLINE], path)

    assert path.read_text("utf-8") == "- question: ["


def test_nothing_is_added_twice(path: Path) -> None:
    append([DEADLINE], path)
    same = GoldenQuestion(question="経費の締め日は\nいつですか？".replace("\n", ""), document="other.md")

    assert new_ones([DEADLINE, same, SAFE, SAFE], path) == [SAFE]


def test_the_file_behind_a_link_is_changed_with_its_mode(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(WRITTEN, "utf-8")
    real.chmod(0o640)
    path.symlink_to(real)

    append([DEADLINE], path)

    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert DEADLINE in load_questions(real)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(GoldenMalformed, match="cannot be written"):
            append([DEADLINE], path)
    finally:
        path.parent.chmod(0o700)


def test_the_shipped_file_takes_further_questions(path: Path) -> None:
    path.write_bytes((PACKAGE / "golden.yaml").read_bytes())

    append([SAFE], path)

    assert load_questions(path)[-1] == SAFE

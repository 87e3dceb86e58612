"""The file of golden questions, which a person edits, and what is added to it by itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import GoldenMalformed
from knowledge.golden import GoldenQuestion, load_questions


def as_yaml(questions: Sequence[GoldenQuestion]) -> str:
    """The questions as entries of the file; what is left out there is left out here."""
    entries = [_entry(question) for question in questions]
    return yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=1_000) if entries else ""


def new_ones(questions: Sequence[GoldenQuestion], path: Path) -> list[GoldenQuestion]:
    """Those that the file does not have, each once; a question is the same whatever else its entry says.

    Raises:
        GoldenMalformed: there is a file, and it cannot be used.
    """
    known = {_key(question) for question in _written(path)}
    return list({_key(one): one for one in questions if _key(one) not in known}.values())


def append(questions: Sequence[GoldenQuestion], path: Path) -> None:
    """Add entries at the end of the file, of which everything else stays as it is; it is changed in one step.

    Raises:
        GoldenMalformed: they cannot be added so that the file has the questions that it had and these; it is unchanged.
    """
    target = path.resolve()  # the file behind a link, not the link
    before = _written(target)
    added = target.with_name(f"{target.name}.new")
    try:
        if target.exists():
            shutil.copy(target, added)  # with who may read it
        with added.open("ab+") as file:
            file.write(_line_end(added) + as_yaml(questions).encode())
        _check(added, (*before, *questions), path)
        os.replace(added, target)
    except OSError as error:
        raise GoldenMalformed(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        added.unlink(missing_ok=True)


def _line_end(path: Path) -> bytes:
    """What is missing at the end of the file's last line."""
    content = path.read_bytes()
    return b"" if not content or content.endswith(b"\n") else b"\n"


def _check(added: Path, expected: Sequence[GoldenQuestion], path: Path) -> None:
    try:
        if load_questions(added) == tuple(expected):
            return
    except GoldenMalformed:
        pass  # a list in brackets, or one that is indented
    raise GoldenMalformed(f"{path}: nothing can be added at its end; put the entries into it by hand")


def _written(path: Path) -> tuple[GoldenQuestion, ...]:
    return load_questions(path) if path.exists() else ()


def _key(question: GoldenQuestion) -> tuple[str, frozenset[str]]:
    return " ".join(question.question.split()), question.audience


def _entry(question: GoldenQuestion) -> dict[str, Any]:
    said = question.model_dump(exclude_defaults=True)
    return {name: sorted(value) if name == "audience" else value for name, value in said.items()}

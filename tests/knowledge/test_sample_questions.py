"""The questions about the sample documents stay true to the documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "knowledge" / "sample"
QUESTIONS: dict[str, list[dict[str, Any]]] = json.loads(
    (ROOT / "tests" / "samples" / "questions.json").read_text(encoding="utf-8")
)
WITH_ANSWER = [case for kind, cases in QUESTIONS.items() if kind != "unanswerable" for case in cases]


@pytest.mark.parametrize("case", WITH_ANSWER, ids=lambda case: case["question"])
def test_the_named_document_holds_an_accepted_answer(case: dict[str, Any]) -> None:
    text = (SAMPLE / case["document"]).read_text(encoding="utf-8")

    assert any(answer in text for answer in case["answers"])


def test_every_sample_document_is_asked_about() -> None:
    documents = {str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*") if path.is_file()}

    assert documents == {case["document"] for case in WITH_ANSWER}


def test_no_question_is_asked_twice_in_one_group() -> None:
    for cases in QUESTIONS.values():
        asked = [(case.get("first"), case["question"]) for case in cases]
        assert len(asked) == len(set(asked))

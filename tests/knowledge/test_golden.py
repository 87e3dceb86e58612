"""Golden questions: a new generation that answers one of them no longer does not take the old one's place."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge import generations
from knowledge.documents import PUBLIC
from knowledge.errors import GoldenMalformed, GoldenWorse
from knowledge.golden import MAX_BYTES, PASSAGES, load_questions
from knowledge.reindexing import reindex
from knowledge.report import GoldenReport, Step
from knowledge.settings import PACKAGE, KnowledgeSettings
from knowledge.sources import Folder
from workers.answering import PASSAGES_IN_PROMPT

QUESTION = "経費の申請は毎月何日までですか"
DEADLINE = {"question": QUESTION, "document": "expenses.md", "contains": "25日"}
VPN = {"question": "What does the error E-517 mean?", "document": "vpn.md"}


@pytest.fixture
def ask(settings: KnowledgeSettings) -> Callable[..., None]:
    """Write the golden questions."""

    def _ask(*questions: dict[str, Any]) -> None:
        settings.golden_path.write_text(json.dumps(questions, ensure_ascii=False), "utf-8")  # JSON is YAML too

    settings.golden_path = settings.data_path.parent / "golden.yaml"
    _ask(DEADLINE, VPN)
    return _ask


def report(
    *, right: tuple[int, int, int], wrong: Sequence[str] = (), worse: Sequence[str] = (), retired: Sequence[str] = ()
) -> GoldenReport:
    """`right`: of how many asked, how many were answered before and are now."""
    return GoldenReport(*right, wrong=tuple(wrong), worse=tuple(worse), retired=tuple(retired))


def move_deadline(folder: Path) -> None:
    path = folder / "expenses.md"
    path.write_text(path.read_text("utf-8").replace("25日", "10日"), "utf-8")


def test_a_question_that_the_first_index_does_not_answer_is_only_reported(run, ask):
    ask({**DEADLINE, "contains": "28日"}, VPN)

    assert run().golden == report(right=(2, 0, 1), wrong=[QUESTION])


def test_a_question_that_got_worse_keeps_the_old_index(run, ask, folder, settings, retriever):
    run()
    move_deadline(folder)

    with pytest.raises(GoldenWorse) as refused:
        run()

    assert refused.value.worse == (QUESTION,)
    assert generations.current(settings.index_path) == "gen-1"
    assert [path.name for path in settings.index_path.glob("gen-*")] == ["gen-1"]
    assert "25日" in retriever.retrieve(QUESTION, audience=frozenset({PUBLIC})).passages[0].chunk.text


def test_what_got_worse_can_be_accepted(run, ask, folder, settings):
    run()
    move_deadline(folder)

    accepted = run(accept=True)

    assert accepted.golden == report(right=(2, 2, 1), wrong=[QUESTION], worse=[QUESTION])
    assert generations.current(settings.index_path) == accepted.generation == "gen-2"
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")
    assert run().golden == report(right=(2, 1, 1), wrong=[QUESTION])


def test_after_a_refusal_nothing_is_embedded_again(run, ask, folder):
    run()
    move_deadline(folder)
    with pytest.raises(GoldenWorse):
        run()

    assert run(accept=True).embedded == 0


def test_a_question_whose_document_left_is_retired(run, ask, folder, settings):
    run()
    (folder / "expenses.md").unlink()

    left = run()

    assert left.golden == report(right=(1, 1, 1), retired=[QUESTION])
    assert generations.current(settings.index_path) == "gen-2"


def test_a_question_whose_document_was_narrowed_to_others_is_retired(run, ask, folder):
    run()

    narrowed = run(Folder(path=folder, audience=frozenset({"slack:C1"})))

    assert narrowed.golden == report(right=(0, 0, 0), retired=[QUESTION, VPN["question"]])


def test_a_restricted_document_is_asked_about_by_who_may_read_it(run, ask, folder):
    ask({**DEADLINE, "audience": ["slack:C1"]})

    assert run(Folder(path=folder, audience=frozenset({"slack:C1"}))).golden == report(right=(1, 0, 1))


@pytest.mark.parametrize("name", ["expenses.md", "documents/expenses.md", "規程集/expenses.md"])
def test_a_document_is_named_by_path_id_or_uri(run, ask, folder, name):
    ask({**DEADLINE, "document": name})
    source = Folder(path=folder, title="規程集", audience=frozenset({PUBLIC}))

    assert run(source).golden == report(right=(1, 0, 1))


def test_questions_about_other_documents_are_not_asked(run, ask):
    ask({**DEADLINE, "document": "rules/expenses.md"})

    assert run().golden is None


def test_an_index_of_another_embedder_is_held_to_what_it_answered_then(run, ask, folder, embedder):
    run()
    embedder.fingerprint = "another"
    move_deadline(folder)

    with pytest.raises(GoldenWorse) as refused:
        run()

    assert refused.value.worse == (QUESTION,)


def test_a_damaged_index_is_held_to_what_it_answered_then_and_replaced(run, ask, folder, settings):
    run()
    for file in (settings.index_path / "gen-1" / "vectors").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")

    assert run().golden == report(right=(2, 2, 2))


@pytest.mark.parametrize("asked", [1, 3])
def test_it_can_be_broken_off_while_questions_are_asked(run, ask, settings, folder, embedder, asked):
    run()
    (folder / "new.txt").write_text("新しい規程です。", "utf-8")

    def break_off(step: Step) -> None:
        if step == Step("checking", asked, 4):
            raise KeyboardInterrupt

    source = Folder(path=folder, audience=frozenset({PUBLIC}))
    with pytest.raises(KeyboardInterrupt):
        reindex(settings, sources=[source], embedder=embedder, progress=break_off)

    assert generations.current(settings.index_path) == "gen-1"
    assert [path.name for path in settings.index_path.glob("gen-*")] == ["gen-1"]
    assert not list((settings.index_path / "readers").iterdir())


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"question: a", "valid tuple"),
        (b"false", "valid tuple"),
        (b"[1]", "0: "),
        (b"- {question: a}", "0.document: Field required"),
        (b"- {question: '', document: d}", "0.question: "),
        (b"- {question: 42, document: d}", "0.question: "),
        (b"- {question: a, document: d, expected: b}", "0.expected: Extra"),
        (b"- {question: a, document: d, audience: []}", "0.audience: "),
        (b"- {question: a, document: d, contains: [b]}", "0.contains: "),
        (b"- {question: a, document: d}\n- {question: " + b"a" * 2_001 + b", document: d}", "1.question: "),
        (b"- {question: a, document: d}\n- {question: a", "line 2: no YAML"),
        (b"- !!python/object/apply:os.getcwd []", "line 1: no YAML"),
        (b"- 2026-13-45", "no YAML"),
        ("- 経費".encode("euc-jp"), "no YAML"),
        (b"\0", "no YAML"),
        (b"[" * 100_000, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), "larger than 1 MB"),
        (b"a: &a [x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]", "valid tuple"),
    ],
)
def test_a_malformed_file_is_told_before_any_work(run, ask, settings, embedder, written, told):
    settings.golden_path.write_bytes(written)

    with pytest.raises(GoldenMalformed, match=f"golden.yaml: .*{told}"):
        run()

    assert not settings.index_path.exists()


def test_a_file_that_is_named_and_not_there_is_told(run, settings, tmp_path):
    settings.golden_path = tmp_path / "nowhere.yaml"

    with pytest.raises(GoldenMalformed, match=r"nowhere.yaml: cannot be read: No such file"):
        run()


def test_an_empty_file_asks_nothing(run, ask, settings):
    settings.golden_path.write_text("# none yet\n", "utf-8")

    assert run().golden is None


def test_what_reaches_the_model_is_what_counts():
    assert PASSAGES == PASSAGES_IN_PROMPT


def test_the_shipped_questions_are_about_the_sample_documents():
    questions = load_questions(PACKAGE / "golden.yaml")

    assert questions
    for question in questions:
        assert question.contains in (PACKAGE / "sample" / question.document).read_text("utf-8")

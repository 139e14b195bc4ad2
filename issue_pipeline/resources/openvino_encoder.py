"""The embedding model in int8 through OpenVINO: several times as fast, a little less exact.

The model is converted and calibrated once, on texts of our own so that the result does not depend
on which day came first, and kept in the cache folder. Needs the extra ``fast``.
"""

import importlib
import importlib.util
import io
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.utils.built_folders import built_folder
from issue_pipeline.utils.embeddings import DIMENSIONS, Vectors
from issue_pipeline.utils.text_cutting import cut_to_words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

# Raise it when the way of converting or calibrating changes: it makes every cached model stale.
RECIPE_VERSION = 1
CALIBRATION_FILE = Path(__file__).with_name("calibration_texts.txt")
# Texts inferred together; more gain nothing.
BATCH_TEXTS = 8
# Every text is padded to a multiple of this, and only texts of one padded length go together: so
# no text's vector depends on its neighbours, and the processor sees few different shapes.
PADDED_TO_TOKENS = 16

Tokens = list[int]
Inputs = dict[str, NDArray[np.int64]]


def require_openvino() -> None:
    """Raise a ConfigurationError unless the packages of the extra ``fast`` are installed."""
    missing = [name for name in ("openvino", "nncf") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"EMBEDDING_BACKEND is openvino, but {' and '.join(missing)} cannot be imported."
            " Install the extra: pip install -c constraints.txt -e '.[fast]'; or unset"
            " EMBEDDING_BACKEND."
        )


class OpenVinoEncoder:
    """Embeds in int8 on the CPU. A text's vector does not depend on the texts beside it."""

    def __init__(self, model: "SentenceTransformer", cache: Path) -> None:
        """Compile the int8 model, made first if the cache does not hold it.

        Args:
            model: In float32 on the CPU. Gives the tokenizer, and the weights if need be.
            cache: An existing folder.
        """
        openvino = _openvino()
        self._tokenizer = Tokenizer(model)
        folder = built_folder(
            cache / model_key(model, openvino.__version__),
            lambda folder: _make_int8(model, self._tokenizer, folder / "model.xml"),
        )
        compiled = openvino.Core().compile_model(
            folder / "model.xml",
            "CPU",
            {
                # As many texts at a time as there are cores, rather than each one quickly.
                "PERFORMANCE_HINT": "THROUGHPUT",
                # What is not int8. bfloat16 is no faster here, and not every processor has it.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        self._queue = openvino.AsyncInferQueue(compiled)

    def encode(self, texts: list[str]) -> Vectors:
        """Give float32 (n, 384), rows of length 1 up to rounding."""
        vectors = np.full((len(texts), DIMENSIONS), np.nan, dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:  # noqa: ANN401  (OpenVINO has no types)
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        tokens = self._tokenizer.tokens(texts)
        for rows in _of_one_length([padded_length(ids) for ids in tokens]):
            self._queue.start_async(self._tokenizer.inputs([tokens[row] for row in rows]), rows)
        self._queue.wait_all()
        return vectors


class Tokenizer:
    """A model's tokenizer, giving what the converted model takes."""

    def __init__(self, model: "SentenceTransformer") -> None:
        """Take the tokenizer of a model and the number of tokens that it reads."""
        self._tokenizer = model.tokenizer
        self._max_tokens = model.max_seq_length

    def tokens(self, texts: list[str]) -> list[Tokens]:
        """Give the ids of the tokens that the model reads of each text."""
        cut = [cut_to_words(text, self._max_tokens or sys.maxsize).strip() for text in texts]
        encoded = self._tokenizer(cut, truncation=True, max_length=self._max_tokens)
        tokens: list[Tokens] = encoded["input_ids"]
        return tokens

    def inputs(self, batch: list[Tokens]) -> Inputs:
        """Give ids and mask, int64 (b, padded length of the longest)."""
        shape = (len(batch), max(map(padded_length, batch)))
        ids = np.full(shape, self._tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return {"input_ids": ids, "attention_mask": mask}


def padded_length(tokens: Tokens) -> int:
    """Give the number of tokens after padding."""
    return -(-len(tokens) // PADDED_TO_TOKENS) * PADDED_TO_TOKENS


def _of_one_length(lengths: list[int]) -> Iterator[list[int]]:
    """Give the rows in batches of one length each, the longest first."""
    rows_of: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        rows_of.setdefault(length, []).append(row)
    for _, rows in sorted(rows_of.items(), reverse=True):
        for start in range(0, len(rows), BATCH_TEXTS):
            yield rows[start : start + BATCH_TEXTS]


def model_key(model: "SentenceTransformer", openvino_version: str) -> str:
    """Name everything that the int8 model depends on: 16 hexadecimal digits."""
    import torch

    digest = sha256(f"{RECIPE_VERSION} {openvino_version}\n{model}\n".encode())
    digest.update(CALIBRATION_FILE.read_bytes())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def calibration_texts() -> list[str]:
    """Give the texts whose activations set the int8 scales: short ones, and ones cut for length."""
    texts = re.split(r"\n{2,}", CALIBRATION_FILE.read_text(encoding="utf-8").strip())
    joined = ["\n".join(texts[start : start + 2 + start % 4]) for start in range(len(texts) - 1)]
    return texts + joined


def _make_int8(model: "SentenceTransformer", tokenizer: Tokenizer, path: Path) -> None:
    """Convert the model from its tokens to its unit vector, calibrate and save it."""
    import torch

    openvino = _openvino()

    class FromTokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            vectors: torch.Tensor = self.model(features)["sentence_embedding"]
            return vectors

    started_s = time.monotonic()
    texts = calibration_texts()
    logger.info("Making the int8 model, once: converting, then calibrating on %d texts", len(texts))
    with _quiet(), torch.no_grad():
        example = tokenizer.inputs(tokenizer.tokens(texts[:2]))
        converted = openvino.convert_model(
            FromTokens().eval(),
            example_input={name: torch.from_numpy(array) for name, array in example.items()},
            input=[(name, [-1, -1], openvino.Type.i64) for name in example],
        )
        nncf = importlib.import_module("nncf")
        int8 = nncf.quantize(
            converted,
            nncf.Dataset([tokenizer.inputs([tokens]) for tokens in tokenizer.tokens(texts)]),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(texts),
        )
        openvino.save_model(int8, path)
    logger.info("Made the int8 model in %.0f s", time.monotonic() - started_s)


def _openvino() -> Any:  # noqa: ANN401  (optional, so mypy must do without it)
    # OpenVINO and NNCF report their use to their makers unless this package is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep NNCF's progress bars and its log to itself."""
    nncf_logger = logging.getLogger("nncf")
    level = nncf_logger.level
    nncf_logger.setLevel(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        nncf_logger.setLevel(level)

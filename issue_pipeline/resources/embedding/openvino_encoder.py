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
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.embedding.built_folders import built_folder
from issue_pipeline.resources.embedding.token_batches import (
    Tokenizer,
    batches_of_one_length,
    padded_length,
)
from issue_pipeline.utils.embeddings import DIMENSIONS, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

# Raise it when the way of converting or calibrating changes: it makes every cached model stale.
RECIPE_VERSION = 1
CALIBRATION_FILE = Path(__file__).with_name("calibration_texts.txt")


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
        """Return float32 (n, 384), rows of length 1 up to rounding."""
        vectors = np.full((len(texts), DIMENSIONS), np.nan, dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:  # noqa: ANN401  (OpenVINO has no types)
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        tokens = self._tokenizer.tokens(texts)
        for rows in batches_of_one_length([padded_length(ids) for ids in tokens]):
            self._queue.start_async(self._tokenizer.inputs([tokens[row] for row in rows]), rows)
        self._queue.wait_all()
        return vectors


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
    """Return the texts whose activations set the int8 scales: short ones and some cut ones."""
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
    """Keep progress bars, remarks and warnings of the conversion from the log."""
    nncf_logger = logging.getLogger("nncf")
    level = nncf_logger.level
    nncf_logger.setLevel(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, which OpenVINO does
            yield
    finally:
        nncf_logger.setLevel(level)

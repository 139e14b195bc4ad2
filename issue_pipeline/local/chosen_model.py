"""Choose the language model: the small one that comes along, or the one that the user names.

One setting is enough: ``LLM_LOCAL_MODEL``, a GGUF file or any name that LiteLLM knows, in the
environment or in the ``.env`` of the folder we are in. (The sandbox reads nothing else from there:
the keys and stores of real runs stay out of it.)
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from issue_pipeline.local.errors import LocalSetupError
from issue_pipeline.local.language_model import MODEL_NAME, smollm2_file

_SETTINGS = ("LLM_LOCAL_MODEL", "LLM_LOCAL_BASE_URL", "LLM_LOCAL_STYLE")
_GGUF = ".gguf"


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """A language model, and whether it is to be served here.

    Attributes:
        file: GGUF file to serve; ``None`` for a model that is served elsewhere.
        name: LiteLLM's name of it.
        base_url: Where it is served, if the user says; ``""`` otherwise.
        style: ``write`` or ``choose``.
    """

    file: Path | None
    name: str
    base_url: str
    style: str

    def variables(self, served_at: str | None) -> dict[str, str]:
        """Return the environment variables that make the pipeline use it.

        Args:
            served_at: URL of our server for the file; ``None`` without one.
        """
        base_url = f"{served_at}/v1" if served_at else self.base_url
        return dict(zip(_SETTINGS, (self.name, base_url, self.style), strict=True))


def chosen_model(own: Path | None = None) -> ChosenModel:
    """Return the model to use.

    Args:
        own: GGUF file of the model that comes along; SmolLM2-135M-Instruct by default.

    Raises:
        LocalSetupError: The model that comes along is not installed, or a server is named without
            a model.
    """
    model, base_url, style = (_setting(name) for name in _SETTINGS)
    if model.endswith(_GGUF):
        try:
            file = Path(model).expanduser()
        except RuntimeError as error:
            raise LocalSetupError(
                f"LLM_LOCAL_MODEL is {model}, and this user has no home ({error}). Name the file"
                " with its whole path."
            ) from error
        return ChosenModel(file, f"openai/{file.stem}", "", style or "write")
    if model:
        return ChosenModel(None, model, base_url, style or "write")
    if base_url:
        raise LocalSetupError(
            "LLM_LOCAL_BASE_URL is set, but LLM_LOCAL_MODEL is not. Set it to the name of the model"
            " there, as LiteLLM knows it (openai/NAME), or unset both for the small model that"
            " comes along."
        )
    # Too small a model to invent titles; but a user may want to see it try.
    return ChosenModel(own or smollm2_file(), f"openai/{MODEL_NAME}", "", style or "choose")


def _setting(name: str) -> str:
    values: Mapping[str, str | None] = {**dotenv_values(".env"), **os.environ}
    return (values.get(name) or "").strip()

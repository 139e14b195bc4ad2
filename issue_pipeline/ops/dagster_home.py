"""Dagster's home: made with the project's ``dagster.yaml``, and left alone where there is one."""

import logging
import os
import shutil
from pathlib import Path

from issue_pipeline.errors import ConfigurationError

logger = logging.getLogger(__name__)

DEFAULT_DAGSTER_HOME = Path("data/dagster_home")
DAGSTER_YAML = Path(__file__).with_name("dagster.yaml")


def prepare_dagster_home(folder: Path, *, is_ours: bool = False) -> None:
    """Make a folder Dagster's home, and set ``DAGSTER_HOME`` to it.

    A ``dagster.yaml`` that is there is never touched: it may say where an operator's history is
    stored, and what may run at once.

    Args:
        folder: Made if missing.
        is_ours: Whether nobody but us writes to the folder, as in the sandbox; its
            ``dagster.yaml`` is then brought up to date.

    Raises:
        ConfigurationError: The folder cannot be written to.
    """
    try:
        folder = folder.expanduser().resolve()
        file = folder / DAGSTER_YAML.name
        folder.mkdir(parents=True, exist_ok=True)
        if is_ours or not file.exists():
            shutil.copyfile(DAGSTER_YAML, file)
        elif file.read_bytes() != DAGSTER_YAML.read_bytes():
            logger.info("%s is used as it is; it is not the project's own", file)
    except (OSError, RuntimeError) as error:  # the latter for ~ of a user without a home
        raise ConfigurationError(
            f"Cannot make Dagster's home {folder} ({error}). Set DAGSTER_HOME to a folder"
            " that can be written to."
        ) from error
    os.environ["DAGSTER_HOME"] = str(folder)

"""Where what can be computed again is kept between runs."""

from pathlib import Path

import platformdirs

from issue_pipeline.errors import ConfigurationError


def cache_folder(configured: str, name: str) -> Path:
    """Return a folder for one kind of cached things; make it if it is not there.

    Args:
        configured: Setting ``ISSUES_CACHE_DIR``; empty for the user's own cache folder.
        name: Of the folder within it.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        folder = Path(configured or platformdirs.user_cache_dir("issue_pipeline")) / name
    except RuntimeError as error:  # no HOME, and a user whom the system does not know
        raise ConfigurationError(
            f"There is no folder for caches, since this user has no home ({error}). Set"
            " ISSUES_CACHE_DIR to one that can be written to."
        ) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot make the folder {folder} ({error.strerror}). Set ISSUES_CACHE_DIR to one"
            " that can be written to."
        ) from error
    return folder

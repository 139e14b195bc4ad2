from pathlib import Path

import platformdirs
import pytest

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.cache_folder import cache_folder


def test_the_folder_is_made_where_the_setting_says(tmp_path: Path):
    assert cache_folder(str(tmp_path / "a"), "models") == tmp_path / "a" / "models"
    assert (tmp_path / "a" / "models").is_dir()


def test_without_a_setting_it_is_the_users_own():
    own = Path(platformdirs.user_cache_dir("issue_pipeline"))
    assert cache_folder("", "models") == own / "models"


def test_a_folder_that_cannot_be_made_is_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="Set ISSUES_CACHE_DIR"):
        cache_folder(str(tmp_path / "file"), "models")

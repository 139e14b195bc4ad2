"""Tokens of every format of the table, what only looks like one, and what must be left alone."""

import random
import string

import pytest

from benchmarks.redaction import PLACES, is_hidden, placed, sample_token
from issue_pipeline.utils.cleaning.redaction import SECRET_MARK, redact
from issue_pipeline.utils.cleaning.token_formats import TOKEN_FORMATS, Run, parse_format
from issue_pipeline.utils.text_cleaning import clean_body, clean_title

ALNUM = string.ascii_letters + string.digits
SURE = [format_ for format_ in TOKEN_FORMATS if format_.is_sure]
LIKELY = [format_ for format_ in TOKEN_FORMATS if not format_.is_sure]


def drawn(characters: str, length: int, seed: int = 1) -> str:
    return "".join(random.Random(seed).choices(characters, k=length))


def test_the_table_holds_no_format_twice():
    written = [format_.text for format_ in TOKEN_FORMATS]
    assert len(written) == len(set(written))


def test_a_format_is_read_as_it_is_written():
    assert parse_format("ab_<hex:4-6>.<alnum:3>") == (
        "ab_",
        Run("hex", 4, 6),
        ".",
        Run("alnum", 3, 3),
    )
    assert len([part for part in parse_format("x-<uuid>") if isinstance(part, Run)]) == 5


@pytest.mark.parametrize("place", PLACES)
def test_a_token_of_every_sure_format_is_hidden_wherever_it_stands(place: str):
    rng = random.Random(11)
    for format_ in SURE:
        token = sample_token(format_, rng)
        text = placed(token, place)
        assert is_hidden(token, redact(text).replace("\\_", "_")), text
        assert is_hidden(token, clean_title("reddit", text).replace("\\_", "_")), text


@pytest.mark.parametrize("place", PLACES)
def test_of_the_formats_whose_prefix_may_begin_a_name_hardly_a_token_stays(place: str):
    rng = random.Random(12)
    left = 0
    for format_ in LIKELY:
        for _ in range(5):
            token = sample_token(format_, rng)
            left += not is_hidden(token, redact(placed(token, place)).replace("\\_", "_"))
    assert left <= len(LIKELY) * 5 / 100


@pytest.mark.parametrize(
    "token",
    [
        "nvapi-" + drawn(ALNUM + "_-", 64),
        "xai-" + drawn(ALNUM, 80),
        "sb_secret_" + drawn(ALNUM + "_-", 31),
        "figd_" + drawn(ALNUM + "_-", 40),
        "tvly-dev-" + drawn(ALNUM, 32),
        "sntryu_" + drawn(string.hexdigits.lower()[:16], 64),
        "CCIPAT_" + drawn(ALNUM, 22) + "_" + drawn("0123456789abcdef", 40),
        "re_" + drawn(ALNUM, 8) + "_" + drawn(ALNUM, 24),
        "EAA" + drawn(ALNUM, 150),
        "1//0" + drawn(ALNUM + "_-", 90),
        "AQ." + drawn(ALNUM + "_-", 50),
        "fc-" + drawn("0123456789abcdef", 32),
        "SG." + drawn(ALNUM, 22) + "." + drawn(ALNUM, 43),
        "abc8Q~" + drawn(ALNUM, 34),
        "0123456789abcdef0123456789abcdef-us12",
        "$2b$12$" + drawn(ALNUM + "./", 53),
    ],
)
@pytest.mark.parametrize("source", ["github", "reddit", "hackernews", "stackoverflow"])
def test_neither_body_nor_title_keeps_a_token(source: str, token: str):
    text = f"The service refuses {token} since Monday."
    assert is_hidden(token, clean_body(source, text) + clean_title(source, text))


@pytest.mark.parametrize(
    "token",
    [
        "acme_" + drawn(ALNUM, 36),
        "acme-" + drawn(string.ascii_lowercase + string.digits, 36),
        "acme.live." + drawn(ALNUM, 40),
        "acme_sk_" + drawn("0123456789abcdef", 32),
        "acme-apikey-" + drawn("0123456789abcdef", 64),
        "acme_v2_" + drawn(ALNUM + "_-", 48),
        drawn(ALNUM, 40),
    ],
)
def test_what_has_the_shape_of_a_token_is_hidden_without_being_listed(token: str):
    clean = redact(f"It takes {token} or not")
    assert is_hidden(token.split(".")[-1], clean)
    assert clean.startswith("It takes ")
    assert clean.endswith(f"{SECRET_MARK} or not")


@pytest.mark.parametrize("length", [20, 36, 60])
def test_a_token_that_was_cut_is_hidden_as_far_as_it_goes(length: int):
    cut = "ghp_" + drawn(ALNUM, length)
    assert redact(f"I see {cut}...") == f"I see {SECRET_MARK}..."


def test_the_key_beside_an_id_of_aws_is_hidden():
    key = drawn(ALNUM + "/+", 40)
    assert redact(f"AKIA{'A2B3' * 4} and {key} here") == f"{SECRET_MARK} and {SECRET_MARK} here"


@pytest.mark.parametrize(
    "word",
    [
        "3f2a9c1b7d5e4f6a8b9c0d1e2f3a4b5c6d7e8f90",
        "commit-3f2a9c1b7d5e4f6a8b9c0d1e2f3a4b5c6d7e8f90",
        "sha512-" + drawn(ALNUM, 86) + "==",
        "sha256:" + drawn("0123456789abcdef", 64),
        "123e4567-e89b-42d3-a456-426614174000",
        "user-123e4567-e89b-42d3-a456-426614174000",
        "/home/ann/build/" + drawn(ALNUM, 36) + "/main.js",
        "chunk-" + drawn(ALNUM, 32) + ".js",
        "https://docs.example/d/" + drawn(ALNUM, 44) + "/edit",
        "https:&#x2F;&#x2F;docs.example&#x2F;d&#x2F;" + drawn(ALNUM, 44),
        "react-0.0.0-experimental-2a6e9d9d2-20220101",
        "tensorflow_gpu-2.0.0-cp37-cp37m-manylinux2010_x86_64.whl",
        "_ZN10tensorflow7functor15FillPhiloxRandomIN5Eigen9GpuDeviceE",
        "AutoModelForSeq2SeqLMWithValueHead",
        "test_that_the_second_pass_over_2_files_works_in_python_3",
        "re_compile_pattern_with_flags_2_and_3_or_4",
        "sk-learn-contrib-for-python-3-and-numpy-2",
        "hf_hub_download_with_retries_and_a_timeout",
        "sk_live_your_secret_key_goes_here",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "sentiment-detection--3c8bcd36-fe30267462d1d42b",
        "key-value-stores-with-0123456789-keys",
    ],
)
def test_hashes_names_paths_and_public_addresses_stay(word: str):
    assert redact(f"see {word} there") == f"see {word} there"

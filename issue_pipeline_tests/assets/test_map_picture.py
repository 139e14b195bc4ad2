"""The picture of a day: small enough for every run, and really a picture."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from issue_pipeline.assets.map_picture import HEIGHT, MAX_BYTES, WIDTH, draw, map_picture, packed


def a_day(posts: int, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    vectors = random.normal(size=(posts, 384)).astype(np.float32)
    return vectors, np.sort(random.integers(-1, clusters, posts))[::-1].copy()


@pytest.mark.parametrize(("posts", "clusters"), [(0, 0), (4, 0), (300, 1), (20_000, 90)])
def test_a_day_of_any_size_is_a_picture_of_bounded_size(posts, clusters):
    picture = draw(*a_day(posts, clusters))
    assert len(base64.b64encode(picture)) < MAX_BYTES
    assert Image.open(io.BytesIO(picture)).size == (WIDTH, HEIGHT)


def test_even_a_picture_of_pure_noise_keeps_to_the_bound():
    noise = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture = packed(Image.fromarray(noise))
    assert len(base64.b64encode(picture)) <= MAX_BYTES
    assert Image.open(io.BytesIO(picture)).size == (WIDTH, HEIGHT)


def test_clusters_are_coloured_and_noise_is_grey():
    vectors, labels = a_day(200, 2)
    colours = Image.open(io.BytesIO(draw(vectors, labels))).convert("RGB").getcolors(1_000_000)
    assert colours is not None
    vivid = [colour for count, colour in colours if max(colour) - min(colour) > 80 and count > 50]
    assert len(vivid) >= 2


def test_the_ui_gets_it_as_markdown_that_needs_no_file():
    value = map_picture(*a_day(10, 1))
    assert value.md_str is not None
    assert value.md_str.startswith("![map of the day](data:image/png;base64,iVBOR")

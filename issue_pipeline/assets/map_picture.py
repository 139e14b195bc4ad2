"""The map of a day as a picture that Dagster's UI shows."""

import base64
import colorsys
import io
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np

from issue_pipeline.utils.clustering import NOISE, Labels
from issue_pipeline.utils.day_map import day_map
from issue_pipeline.utils.embeddings import Vectors

if TYPE_CHECKING:
    import PIL.Image

WIDTH, HEIGHT = 960, 720
# Drawn larger and scaled down, for smooth edges.
_OVERSAMPLING = 2
_MARGIN = 40
_PAPER = (250, 250, 252)
_SEA = (205, 208, 214)
_INK = (30, 32, 38)
# Numbered on the map; more would hide it.
_NUMBERED_CLUSTERS = 30
# In base64: what the database of events has to keep for every run. A common day takes 80 kB.
MAX_BYTES = 300_000
# With 4 a pixel takes 2 bits, so that any picture is 231 kB at most.
_COLOURS = (64, 32, 16, 8, 4)


def map_picture(embeddings: Vectors, labels: Labels) -> dg.MarkdownMetadataValue:
    """Draw the day: a dot for every post, coloured by cluster, the largest clusters numbered."""
    data = base64.b64encode(draw(embeddings, labels)).decode()
    return dg.MetadataValue.md(f"![map of the day](data:image/png;base64,{data})")


def draw(embeddings: Vectors, labels: Labels) -> bytes:
    """Draw the day as a PNG of 960 x 720 pixels, within ``MAX_BYTES`` in base64.

    Args:
        embeddings: float32 (n, d), unit rows.
        labels: int64 (n,): 0..k-1, the largest cluster first, or -1 for noise.
    """
    # Imported late: loading the code location draws nothing.
    from PIL import Image, ImageDraw, ImageFont

    points, middles = day_map(embeddings, labels)
    big = (WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING)
    picture = Image.new("RGB", big, _PAPER)
    pen = ImageDraw.Draw(picture)
    radius = _OVERSAMPLING * float(np.clip(120 / np.sqrt(max(1, len(labels))), 1.2, 5))
    # The sea first, so that no stray hides an island.
    for row in np.argsort(labels, kind="stable"):
        x, y = _pixel(points[row], big)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(labels[row]))
    font = ImageFont.load_default(size=15 * _OVERSAMPLING)
    for cluster_id, middle in enumerate(middles[:_NUMBERED_CLUSTERS]):
        pen.text(
            _pixel(middle, big),
            str(cluster_id),
            fill=_INK,
            font=font,
            anchor="mm",
            stroke_width=2 * _OVERSAMPLING,
            stroke_fill=_PAPER,
        )
    return packed(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def packed(picture: "PIL.Image.Image") -> bytes:
    """Give a picture of 960 x 720 pixels as a PNG in 64 colours, or in as many as it has room for.

    Returns:
        At most ``MAX_BYTES`` when written in base64.
    """
    for colours in _COLOURS:
        buffer = io.BytesIO()
        picture.quantize(colours).save(buffer, "PNG", optimize=True)
        if len(base64.b64encode(buffer.getvalue())) <= MAX_BYTES:
            break
    return buffer.getvalue()


def _pixel(position: np.ndarray, size: tuple[int, int]) -> tuple[float, float]:
    margin = _MARGIN * _OVERSAMPLING
    x, y = np.clip(position, -1.15, 1.15) / 1.15
    return (
        margin + (x + 1) / 2 * (size[0] - 2 * margin),
        margin + (1 - y) / 2 * (size[1] - 2 * margin),
    )


def _colour(label: int) -> tuple[int, int, int]:
    """Give neighbouring numbers colours far apart: steps of the golden ratio around the wheel."""
    if label == NOISE:
        return _SEA
    hue = (0.58 + 0.618034 * label) % 1
    red, green, blue = colorsys.hls_to_rgb(hue, 0.42 + 0.12 * (label % 3 == 1), 0.62)
    return round(255 * red), round(255 * green), round(255 * blue)

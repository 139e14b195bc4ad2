"""The topic of most of a day, which density alone cannot find.

HDBSCAN's clusters are what the whole divides into, and the whole is none of them. So a topic that
is nearly all of a small day, too few other posts being left for a cluster, is lost as noise.
"""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.null_model import (
    NullModel,
    cosine_deviation,
    mean_cosine,
    mean_cosines,
)
from issue_pipeline.utils.embeddings import Vectors

Chosen = NDArray[np.bool_]

# By how many standard deviations a topic's mean cosine must exceed that of the null model. Two
# unrelated groups that are taken for one cannot reach 1.6; halves of real days of 30 posts or more
# reach 2.6; questions with one tag up to 4, reports of one problem 4 and more.
DISTINCT = 3.0
# The search settles within some ten steps; on a tie it might go round in circles.
_MOST_STEPS = 20


def dominant_topic(vectors: Vectors) -> Chosen | None:
    """Find the topic that most posts are about, if there is one.

    Two-means on each post's mean cosine to the topic, repeated until no post changes sides. The
    upper group is a topic if it holds more than half of the posts, and if the mean cosine of its
    pairs exceeds that of all other pairs by ``DISTINCT`` standard deviations.

    Args:
        vectors: float32 (n, d), unit rows, n >= 2.

    Returns:
        bool (n,), the rows of the topic; ``None`` if there is none, or if nothing is left beside
        it: then there is nothing to tell a topic by.
    """
    inside = np.ones(len(vectors), bool)
    for _ in range(_MOST_STEPS):
        to_topic = mean_cosines(vectors, vectors[inside], inside)
        # Rounded, so that identical rows stay together.
        chosen = _upper_of_two(np.round(to_topic, 6))
        if (chosen == inside).all() or chosen.sum() < 2:
            break
        inside = chosen
    if not len(vectors) / 2 < inside.sum() < len(vectors):
        return None
    null_model = NullModel.of(vectors, np.where(inside, 0, -1))
    deviation = np.hypot(null_model.deviation, cosine_deviation(vectors[inside])) / np.sqrt(2)
    is_distinct = mean_cosine(vectors[inside]) - null_model.mean >= DISTINCT * deviation
    return inside if is_distinct else None


def _upper_of_two(values: NDArray[np.float64]) -> Chosen:
    """Divide numbers into two groups by their means, and tell which are in the upper one."""
    bound = (values.min() + values.max()) / 2
    upper: Chosen
    for _ in range(_MOST_STEPS):
        upper = values >= bound
        if upper.all():
            break
        between = (values[upper].mean() + values[~upper].mean()) / 2
        if between == bound:
            break
        bound = between
    return upper

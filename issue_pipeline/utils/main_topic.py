"""The topic of most of a day, which density alone cannot find.

HDBSCAN's clusters are what the whole divides into, and the whole is none of them. So a topic that
is nearly all of a small day, too few other posts being left for a cluster, is lost as noise.
"""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.strangers import Strangers, likeness, mean_cosines, spread

Chosen = NDArray[np.bool_]

# By how many deviations a topic's mean cosine must exceed that of strangers. Two unrelated groups
# that are taken for one cannot reach 1.6; halves of real days of 30 posts or more reach 2.6;
# questions with one tag up to 4, reports of one problem 4 and more.
DISTINCT = 3.0
# The search settles within some ten steps; on a tie it might go round in circles.
_MOST_STEPS = 20


def main_topic(vectors: Vectors) -> Chosen | None:
    """Find the topic that most posts are about, if there is one.

    Those who are more like the rest of the topic than the others are make the topic: two means of
    that likeness part them, again and again until nobody changes sides. What comes out is a topic
    if it is more than half of the posts, and if the cosines of its pairs and those of all other
    pairs are far apart for how much they vary.

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
    strangers = Strangers.of(vectors, np.where(inside, 0, -1))
    deviation = np.hypot(strangers.deviation, spread(vectors[inside])) / np.sqrt(2)
    is_distinct = likeness(vectors[inside]) - strangers.mean >= DISTINCT * deviation
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

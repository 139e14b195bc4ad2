"""A stored label stands for another cluster only if it is about that, too."""

from dataclasses import replace

import numpy as np
import pytest

from issue_pipeline.labels.reuse import reuse_problem, same_posts
from issue_pipeline.labels.validation import Grounding
from issue_pipeline_tests.labels.test_labelling import CountingLabeler, cluster_of, prepare, run

PRINTER, CARD = np.eye(2, 384, dtype=np.float32)


class Encoder:
    """Texts about printers lie in one direction, all others in another."""

    def encode(self, sentences: list[str], **_: object) -> np.ndarray:
        return np.array([PRINTER if "printer" in one.lower() else CARD for one in sentences])


@pytest.mark.parametrize(
    ("title", "description", "is_problem", "problem"),
    [
        ("The printer jams", "A printer jams on every page.", True, None),
        ("The card is frozen", "A printer jams on every page.", True, "canonical_title: is not a"),
        ("The printer jams", "A card was frozen abroad.", True, "description: is not about"),
        # Chosen among the posts' own: those need not be near the centroid.
        ("Help please", "It eats […] all day long", True, None),
        # Of a theme the title only: the description is about no posts in particular.
        ("News of the printer", "These posts report no common problem.", False, None),
        ("News of cards", "These posts report no common problem.", False, "canonical_title: is no"),
    ],
)
def test_the_checks_of_a_fresh_label_hold_for_a_stored_one(
    title: str, description: str, is_problem: bool, problem: str | None
):
    [cluster] = prepare(cluster_of("export"))
    [row] = run([cluster], CountingLabeler())
    stored = replace(row, canonical_title=title, description=description, is_problem=is_problem)
    texts = ["Help please. It eats paper all day long, this printer."] * 5
    found = reuse_problem(stored, texts, np.array([PRINTER] * 5), Grounding(Encoder()))
    assert (found is None) if problem is None else (found or "").startswith(problem)


def test_clusters_say_the_same_if_their_centroids_do():
    assert same_posts(np.array([PRINTER] * 3), np.array([PRINTER] * 5))
    assert not same_posts(np.array([PRINTER] * 3), np.array([CARD] * 3))

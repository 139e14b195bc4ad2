"""Titles that do not repeat: a walk through all the ways in which content can be titled.

Each problem (and each topic of the chatter) has a shuffled list of title patterns. Day ``d`` owns
the places ``d * stride`` to ``(d + 1) * stride - 1`` of an endless walk around that list, so two
consecutive days never meet, and no day needs to know what another one used.
"""

from itertools import product

from issue_pipeline.sandbox.world.content import Problem, Topic
from issue_pipeline.sandbox.world.seeded import seeded_random

_QUESTION_FRAMES = (
    "{}", "Anyone else? {}", "Help: {}", "{} ({{os}})", "{} (on {{version}})",
    "{} - {{month}} update", "Out of ideas: {}", "{} ({{city}})",
)  # fmt: skip
"""Ways to put a question; each adds words of its own, so that framed questions stay distinct."""

_TOPIC_FRAMES = ("{}", "{} ({{month}})", "{} [part {{small}}]", "More on: {}")


class TitleWalk:
    """Titles (with open slots) for one problem or topic.

    Args:
        patterns: All distinct patterns, in the order of the walk.
        stride: Places of the walk that one day owns; the most titles one day may ask for.
    """

    def __init__(self, patterns: list[str], stride: int) -> None:
        self._patterns = patterns
        self._stride = stride

    def pattern(self, day: int, position: int) -> str:
        """Return the pattern for the post ``position`` (0, 1, ...) of a day (an ordinal).

        Raises:
            IndexError: The day asks for more titles than the stride allows.
        """
        if not 0 <= position < self._stride:
            raise IndexError(f"position {position} is outside the day's {self._stride} places")
        lap, place = divmod(day * self._stride + position, len(self._patterns))
        pattern = self._patterns[place]
        if 2 * self._stride <= len(self._patterns):
            return pattern
        # Two days together need more titles than there are: the number of the lap tells them apart.
        return f"{pattern} (case {lap % 100_000})"


def problem_walk(seed: int, problem: Problem, stride: int) -> TitleWalk:
    """Return the walk through every title of a problem, in an order of the seed's own."""
    combinations = product(problem.subjects, problem.failures, problem.circumstances)
    statements = [_capitalised(" ".join(parts)) for parts in combinations]
    questions = [frame.format(text) for text in problem.questions for frame in _QUESTION_FRAMES]
    patterns = statements + questions
    seeded_random(seed, "titles", problem.id).shuffle(patterns)
    return TitleWalk(patterns, stride)


def topic_walk(seed: int, topic: Topic, stride: int) -> TitleWalk:
    """Return the walk through every title of a topic of the chatter."""
    patterns = [frame.format(title) for title in topic.titles for frame in _TOPIC_FRAMES]
    seeded_random(seed, "titles", topic.id).shuffle(patterns)
    return TitleWalk(patterns, stride)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]

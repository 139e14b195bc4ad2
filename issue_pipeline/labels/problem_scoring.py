"""Whether the posts of a cluster report a problem, by their vectors and words alone.

Each post is scored, and the score of a cluster is the mean over its posts:

- how much nearer its vector is to phrases that report a problem than to phrases on the same
  subjects that do not (``problem_phrases.PAIRS``): along the mean difference of all pairs, and by
  the mean cosine to the eight nearest phrases of either side;
- what it says in so many words: that something fails, a negation, a request, and speech acts of
  people who show, announce, recommend or ask for opinions.

The constants were chosen on real posts and compared with the synthetic world; ``docs/labels.md``
says how.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from issue_pipeline.labels.problem_phrases import PAIRS
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, embed_texts

# A cluster with this score or more counts as a problem.
MIN_PROBLEM_SCORE = 0.15
NEAREST_PHRASES = 8
# What makes one unit of the score: about a standard deviation over posts.
_UNIT_OF_DIRECTION = 0.12
_UNIT_OF_NEAREST = 0.08
_WEIGHT_OF_WORDS = 0.25
# Each kind of words counts so often in a post, of which the beginning is read.
_MOST_WORDS = 3
_READ_CHARS = 600

_FAILURE = re.compile(
    r"\b(?:errors?|exceptions?|bugs?|buggy|crash\w*|fail(?:s|ed|ing|ures?)?|broken?|breaks|breaking"
    r"|wrong(?:ly)?|incorrect\w*|missing|stuck|hangs?|hung|freez\w+|frozen|slow(?:er|ly)?|timeouts?"
    r"|timed out|lost|lose[sd]?|losing|corrupt\w*|leaks?|leaking|segfault\w*|unable|impossible"
    r"|refus\w+|reject\w+|denied|unexpected(?:ly)?|invalid|problems?|issues?|troubles?|damaged?"
    r"|delay\w*|late|overcharged|twice|duplicat\w+|useless|annoying|confus\w+|unusable"
    r"|ignor(?:es|ed|ing)|stops?|stopped|undefined|regress\w+|vulnerab\w+|complain\w*|refunds?"
    r"|work-?arounds?)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:can(?:no|['’]?)t|can not|could(?: not|n['’]?t)|do(?:es)?(?: not|n['’]?t)"
    r"|did(?: not|n['’]?t)|is(?: not|n['’]t)|are(?: not|n['’]t)|was(?: not|n['’]t)"
    r"|wo(?:n['’]t| not)|will not|never|no (?:longer|way|option|answer|reply|support)"
    r"|not (?:work|found|possible|supported|show|able)\w*|without any|nothing)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:how (?:do|can|could|should) (?:i|we|you)|how to|why (?:do|does|is|are|did|can)"
    r"|is (?:it|there) (?:possible|a way|any way)|what (?:am i|is wrong|causes)"
    r"|please (?:add|fix|support|help)|feature request|should (?:support|be able|allow)"
    r"|would be (?:nice|great|useful|helpful)|need(?:s|ed)?|add support|support for|allow"
    r"|fix(?:ed|es)?|help)\b",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"\b(?:(?:show|launch) hn|(?:i|we|i['’]ve|we['’]ve|just) (?:made|built|wrote|created|launched"
    r"|released|finished)|my (?:first|new|favou?rite|story|journey)|favou?rites?|introducing"
    r"|announc\w+|hiring|who wants to be|freelancers?|recommend\w*|tutorials?|books?|podcasts?"
    r"|roundup|newsletter|thoughts|opinions?|what do you think|what are you|what['’]s your"
    r"|which .{0,30} do you|share your|best .{1,40} (?:for|to|in)|beginners?|learn(?:ing|ed|t)?"
    r"|congratulations|awesome|proud|excited|history of|interesting|cool|fun|poll|contest|ama)\b",
    re.IGNORECASE,
)
_SIGNS = ((_FAILURE, 1.0), (_NEGATION, 1.0), (_REQUEST, 1.0), (_CHATTER, -1.5))


class ProblemScorer:
    """Scores clusters; embeds its phrases once."""

    def __init__(self, model: TextEncoder) -> None:
        self._problems = embed_texts([problem for problem, _ in PAIRS], model)
        self._others = embed_texts([other for _, other in PAIRS], model)
        direction = (self._problems - self._others).mean(axis=0)
        self._direction = direction / max(float(np.linalg.norm(direction)), 1e-12)

    def score(self, texts: Sequence[str], embeddings: Vectors) -> float:
        """Return the mean score of some posts, rounded to 1e-3; 0 for none.

        Args:
            texts: Titles, or titles and clean bodies.
            embeddings: float32 (n, 384), unit rows, in the same order.

        Returns:
            Mostly within [-4, 4]; :data:`MIN_PROBLEM_SCORE` or more says that they report a
            problem.

        Raises:
            ValueError: Texts and embeddings differ in number.
        """
        if len(texts) != len(embeddings):
            raise ValueError(f"Got {len(texts)} texts and {len(embeddings)} embeddings.")
        if not len(texts):
            return 0.0
        along = embeddings @ self._direction / _UNIT_OF_DIRECTION
        nearer = _nearest(embeddings, self._problems) - _nearest(embeddings, self._others)
        by_vectors = (along + nearer / _UNIT_OF_NEAREST) / 2
        return round(float(by_vectors.mean()) + float(np.mean([*map(_word_score, texts)])), 3)


def problem_score(texts: Sequence[str], embeddings: Vectors, model: TextEncoder) -> float:
    """Return how much the posts of a cluster report a problem: higher, the more they do.

    Args:
        texts: The posts: titles, or titles and clean bodies.
        embeddings: float32 (n, 384), unit rows, in the same order.
        model: What ``EmbeddingResource.get_model`` hands out.

    Returns:
        As :meth:`ProblemScorer.score`.

    Raises:
        ValueError: Texts and embeddings differ in number.
    """
    # The phrases are embedded once for a model, which is known by its identity.
    return _scorer(model).score(texts, embeddings)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def _scorer(model: TextEncoder) -> ProblemScorer:
    return ProblemScorer(model)


def _nearest(embeddings: Vectors, phrases: Vectors) -> Vectors:
    """Return each row's mean cosine to the phrases that are nearest to it."""
    nearest: Vectors = np.sort(embeddings @ phrases.T, axis=1)[:, -NEAREST_PHRASES:].mean(axis=1)
    return nearest


def _word_score(text: str) -> float:
    start = text[:_READ_CHARS]
    return _WEIGHT_OF_WORDS * sum(
        weight * min(_MOST_WORDS, len(words.findall(start))) for words, weight in _SIGNS
    )

"""Hints: what a label is likely to say, by the cluster's vectors and words alone.

Category: every post votes for the categories whose phrases are nearest to it. Impact: the share of
posts that speak of outage, loss, danger or law less the share that speak of looks, and whether the
posts are nearer to phrases of the one or of the other. Would-pay: enough posts say so in so many
words. Problem or not: ``problem_scoring.py``. For a model that chooses the hints decide; one that
writes may overrule them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE, ProblemScorer
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, embed_texts

# Phrases, not definitions: a short text on one thing is nearer to a post than a list of many.
CATEGORY_PHRASES: dict[str, tuple[str, ...]] = {
    "ai": (
        "training a machine learning model on a data set",
        "prompts, language models and chatbots",
        "running a neural network on a GPU",
        "artificial intelligence that recognises images and speech",
        "the chatbot invents facts and gives wrong answers",
        "speech recognition, voices and transcription",
        "fine-tuning, embeddings and retrieval",
        "image generation and computer vision models",
    ),
    "finance": (
        "accounting, invoices and bookkeeping",
        "bank accounts, cards and payments",
        "payroll, salaries and taxes",
        "loans, insurance, investing and trading",
        "invoices, receipts and expense reports",
        "stock prices, brokers and exchange rates",
        "pensions, mortgages and insurance claims",
        "tax returns and value added tax",
    ),
    "compliance": (
        "privacy law, consent and data protection",
        "audits, certificates and evidence for auditors",
        "laws, regulations, licences and sanctions",
        "accessibility and workplace safety rules",
        "GDPR requests and deletion of personal data",
        "safety data sheets and hazardous substances",
        "sanctions screening and identity checks of customers",
        "whistleblowers, policies and mandatory training",
    ),
    "logistics": (
        "shipping parcels and freight",
        "trucks, drivers and delivery routes",
        "warehouses, pallets and stock",
        "customs, ports and carriers",
        "delivery notes, packing slips and shipping labels",
        "forklifts, docks and loading slots",
        "tracking of containers and vehicles",
        "couriers, pick-up and last-mile delivery",
    ),
    "healthtech": (
        "patients, doctors and hospitals",
        "medical records and prescriptions",
        "medical devices and health apps",
        "clinics, nurses and pharmacies",
        "glucose sensors, pumps and wearables",
        "lab results and clinical notes",
        "diet, calories and fitness tracking",
        "appointments and waiting lists of a practice",
    ),
    "devtools": (
        "programming languages, compilers and libraries",
        "errors when installing or building software",
        "databases, servers, networks and deployment",
        "code editors, version control and the command line",
        "software developers and their careers",
        "error messages, exceptions and stack traces",
        "compilers, build tools and package managers",
        "APIs, frameworks and user interfaces of programs",
        "tests, continuous integration and containers",
    ),
    "ecommerce": (
        "online shop, cart and checkout",
        "product listings and search in a web shop",
        "orders, returns and refunds of shoppers",
        "marketplace sellers and reviews",
        "discount codes, vouchers and prices in a shop",
        "product pages, photos and size tables",
        "customers who abandon the cart",
        "sellers, listings and ratings on a marketplace",
    ),
    "other": (
        "homes, gardens and neighbours",
        "cars, travel and public transport",
        "schools, clubs and sports",
        "music, games and hobbies",
        "phones and household appliances",
        "school, teachers, pupils and parents",
        "sports clubs, coaches and training",
        "household devices, heating and smart home",
        "pets, birds and gardens",
        "tickets, trains, flights and hotels",
        "cooking, books, films and photography",
    ),
}
IMPACT_PHRASES: dict[str, tuple[str, ...]] = {
    "low": (
        "It is only a cosmetic flaw.",
        "A small nuisance, annoying but easy to live with.",
        "It looks ugly and silly, but nothing is broken.",
        "It is not urgent, just a minor irritation.",
    ),
    "high": (
        "Everything is down and nobody can work.",
        "We lost data and cannot get it back.",
        "We lost a lot of money.",
        "People are in danger.",
        "We face a lawsuit or a heavy fine.",
    ),
}
# A post is about one part of its category. Votes are a softmax of cosines at this temperature.
_NEAREST_OF_CATEGORY = 3
_VOTE_TEMPERATURE = 0.05
_NEAREST_OF_IMPACT = 2
# Impact: what makes one unit of the sum of both signs, and from where on it is medium and high.
_UNIT_OF_COSINES = 0.1
_UNIT_OF_SHARES = 0.2
_MIN_MEDIUM = 0.25
_MIN_HIGH = 1.5

_SEVERE = re.compile(
    r"\b(?:outages?"
    r"|(?:is|are|was|were|went|goes|been|everything|site|server|service|system|shop) down\b"
    r"|nobody can|no one can|everybody is blocked|at a standstill|data ?loss"
    r"|(?:lost|lose|losing|deleted?|deletes|wiped?|erased?|destroyed|gone|missing) (?:\w+ ){0,3}"
    r"(?:data|files?|records?|orders?|money|backups?|customers?|history|photos|revenue|sales"
    r"|patients?)"
    r"|corrupt\w*|irrecoverabl\w+|unrecoverabl\w+|lawsuits?|sued?|suing|lawyers?|illegal\w*|unlawful"
    r"|court|regulators?|fines?|fined|penalt\w+|breach\w*|liable|liability|danger\w*|unsafe|injur\w+"
    r"|hurt|deaths?|died|dies|killed|hospital\w*|emergenc\w+|ambulance|overdos\w+|poison\w*|fire"
    r"|burn\w*|explod\w+|fraud\w*|scam\w*|stolen|steal\w*|bankrupt\w*|evict\w*|insolven\w+"
    r"|security hole|vulnerab\w+|exploit\w*|leak(?:s|ed|ing)? (?:\w+ ){0,3}"
    r"(?:data|passwords?|records?|addresses|secrets?)|exposed|hacked|frozen"
    r"|(?:double|duplicate|second|wrong) charges?|charg\w+ (?:\w+ ){0,4}twice|overcharg\w+"
    r"|freez\w+ (?:\w+ ){0,2}(?:account|money|funds)|cannot pay|critical(?:ly)?|blocker"
    r"|catastroph\w+|disaster\w*|life|lives)\b",
    re.IGNORECASE,
)
_COSMETIC = re.compile(
    r"\b(?:cosmetic|ugl\w+|typos?|annoy\w+|minor|nuisance|colou?rs?|fonts?|align\w*|wording|icons?"
    r"|funny|silly|laugh\w*|smil\w+|harmless|pixel\w*|nitpick\w*|trivial|not urgent|no big deal"
    r"|looks? (?:odd|bad|strange|wrong)|spelling|spelled|pretty|style|joke\w*|amus\w+|embarrass\w+"
    r"|irritat\w+|mildly)\b",
    re.IGNORECASE,
)

# "Pay" alone is what half of all posts about finance and shops are about: somebody must be willing
# to, have done so for this, or have the money set aside.
_WOULD_PAY = re.compile(
    r"\b(?:would|i'd|we'd|will|gladly|happily|happy to|willing to|ready to|prepared to|glad to)"
    r" (?:\w+ ){0,2}(?:pay|buy|purchase|subscribe|sponsor|fund)\b"
    r"|\b(?:we|i|already|currently|now) (?:\w+ )?"
    r"(?:pay(?! attention)|paid|paying|bought|hired|rent)\b"
    r"|\b(?:budget|take my money|worth every|name your price|bounty|quote from|purchase order)\b"
    r"|\bpaid (?:tool|product|service|version|plan|solution|option|add-?on|plugin)"
    r"|\b(?:pay|paid|paying|hire|hired|spend|spent) (?:\w+ ){0,3}"
    r"(?:contractor|consultant|freelancer|vendor)",
    re.IGNORECASE,
)
WOULD_PAY_SHARE = 0.15
# Enough for what a post says; bounds the search in a hostile megabyte.
_SEARCHED_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Hints:
    """What the label of a cluster is likely to say."""

    category: str
    impact: str
    would_pay: bool
    is_problem: bool
    problem_score: float


class Hinter:
    """Gives hints; embeds its phrases once."""

    def __init__(self, model: TextEncoder) -> None:
        self._categories = _embedded(CATEGORY_PHRASES, model)
        self._impacts = _embedded(IMPACT_PHRASES, model)
        self._problems = ProblemScorer(model)

    def hints(
        self, texts: Sequence[str], embeddings: Vectors, problem_score: float | None = None
    ) -> Hints:
        """Return the hints for a cluster.

        Args:
            texts: Clean texts of the members, at least one.
            embeddings: float32 (m, 384), in the same order.
            problem_score: Theirs, if it is known.
        """
        score = self._problems.score(texts, embeddings) if problem_score is None else problem_score
        return Hints(
            voted(embeddings, self._categories, best=_NEAREST_OF_CATEGORY),
            impact(texts, embeddings, self._impacts),
            would_pay(texts),
            score >= MIN_PROBLEM_SCORE,
            score,
        )

    def problem_scores(self, texts: list[str], embeddings: Vectors) -> list[float]:
        """Return how much each text on its own reports a problem (``problem_scoring.py``)."""
        return [
            self._problems.score([text], embeddings[row : row + 1])
            for row, text in enumerate(texts)
        ]


def voted(embeddings: Vectors, phrases: dict[str, Vectors], *, best: int) -> str:
    """Return the value that most posts are near to; ties go to the first.

    Every post shares one vote among the values, by a softmax over its mean cosines to the ``best``
    phrases of each that are nearest to it.

    Args:
        embeddings: float32 (m, d), unit rows, m >= 1.
        phrases: float32 (p, d) for each value, unit rows.
        best: How many of a value's phrases count; all where it has fewer.
    """
    cosines = np.stack([_nearest(embeddings, rows, best) for rows in phrases.values()])
    votes = np.exp(cosines / _VOTE_TEMPERATURE)
    share = (votes / votes.sum(axis=0)).mean(axis=1)
    return list(phrases)[int(np.argmax(share.round(3)))]


def impact(texts: Sequence[str], embeddings: Vectors, phrases: dict[str, Vectors]) -> str:
    """Return the impact level that the posts speak of: ``low``, ``medium`` or ``high``.

    Args:
        texts: Clean texts of the posts, at least one.
        embeddings: float32 (m, 384), in the same order.
        phrases: float32 (p, 384) for ``low`` and ``high``, unit rows.
    """
    low, high = (
        float(_nearest(embeddings, phrases[level], _NEAREST_OF_IMPACT).mean())
        for level in ("low", "high")
    )
    severe, cosmetic = (
        sum(bool(words.search(text[:_SEARCHED_CHARS])) for text in texts) / len(texts)
        for words in (_SEVERE, _COSMETIC)
    )
    total = round((high - low) / _UNIT_OF_COSINES + (severe - cosmetic) / _UNIT_OF_SHARES, 3)
    return "high" if total >= _MIN_HIGH else "medium" if total >= _MIN_MEDIUM else "low"


def _nearest(embeddings: Vectors, phrases: Vectors, best: int) -> Vectors:
    """Return each row's mean cosine to the ``best`` phrases that are nearest to it."""
    nearest: Vectors = np.sort(embeddings @ phrases.T, axis=1)[:, -best:].mean(axis=1)
    return nearest


def would_pay(texts: Sequence[str]) -> bool:
    """Return whether at least ``WOULD_PAY_SHARE`` of the texts say that they would pay, or do."""
    saying = sum(
        bool(_WOULD_PAY.search(" ".join(text[:_SEARCHED_CHARS].split()))) for text in texts
    )
    return saying >= WOULD_PAY_SHARE * len(texts)


def _embedded(phrases: dict[str, tuple[str, ...]], model: TextEncoder) -> dict[str, Vectors]:
    return {value: embed_texts(texts, model) for value, texts in phrases.items()}

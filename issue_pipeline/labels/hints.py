"""What a label is likely to say, by the cluster's vectors and words alone, before a model is asked.

Category and impact: each value has a few short phrases, and the value wins whose phrases are
nearest to the centroid of the members on average (of a category the two nearest count, of an
impact level all). Would-pay: enough members say so in so many words. A weak model gets these
hints to follow, a strong one may overrule them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from issue_pipeline.utils.embeddings import TextEncoder, Vectors, embed_texts

# Phrases, not definitions: a short text on one thing is nearer to a post than a list of many.
CATEGORY_PHRASES: dict[str, tuple[str, ...]] = {
    "ai": (
        "training a machine learning model on a data set",
        "prompts, language models and chatbots",
        "running a neural network on a GPU",
        "artificial intelligence that recognises images and speech",
    ),
    "finance": (
        "accounting, invoices and bookkeeping",
        "bank accounts, cards and payments",
        "payroll, salaries and taxes",
        "loans, insurance, investing and trading",
    ),
    "compliance": (
        "privacy law, consent and data protection",
        "audits, certificates and evidence for auditors",
        "laws, regulations, licences and sanctions",
        "accessibility and workplace safety rules",
    ),
    "logistics": (
        "shipping parcels and freight",
        "trucks, drivers and delivery routes",
        "warehouses, pallets and stock",
        "customs, ports and carriers",
    ),
    "healthtech": (
        "patients, doctors and hospitals",
        "medical records and prescriptions",
        "medical devices and health apps",
        "clinics, nurses and pharmacies",
    ),
    "devtools": (
        "programming languages, compilers and libraries",
        "errors when installing or building software",
        "databases, servers, networks and deployment",
        "code editors, version control and the command line",
        "software developers and their careers",
    ),
    "ecommerce": (
        "online shop, cart and checkout",
        "product listings and search in a web shop",
        "orders, returns and refunds of shoppers",
        "marketplace sellers and reviews",
    ),
    "other": (
        "homes, gardens and neighbours",
        "cars, travel and public transport",
        "schools, clubs and sports",
        "music, games and hobbies",
        "phones and household appliances",
    ),
}
IMPACT_PHRASES: dict[str, tuple[str, ...]] = {
    "low": (
        "It is only a cosmetic flaw.",
        "A small nuisance, annoying but easy to live with.",
        "It looks ugly and silly, but nothing is broken.",
        "It is not urgent, just a minor irritation.",
    ),
    "medium": (
        "It costs us hours every week.",
        "The workaround is tedious manual work.",
        "It slows everybody down, though work goes on.",
        "We do it by hand in a spreadsheet instead.",
    ),
    "high": (
        "Everything is down and nobody can work.",
        "We lost data and cannot get it back.",
        "We lost a lot of money.",
        "People are in danger.",
        "We face a lawsuit or a heavy fine.",
    ),
}
# A group is about one part of its category, but how bad it is shows in the sum of small signs.
_NEAREST_OF_CATEGORY = 2
_NEAREST_OF_IMPACT = 5

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


class Hinter:
    """Gives hints; embeds its phrases once."""

    def __init__(self, model: TextEncoder) -> None:
        self._categories = _embedded(CATEGORY_PHRASES, model)
        self._impacts = _embedded(IMPACT_PHRASES, model)

    def hints(self, texts: Sequence[str], embeddings: Vectors) -> Hints:
        """Give the hints for a cluster.

        Args:
            texts: Clean texts of the members, at least one.
            embeddings: float32 (m, 384), in the same order.
        """
        centroid: Vectors = embeddings.mean(axis=0)
        return Hints(
            nearest(centroid, self._categories, best=_NEAREST_OF_CATEGORY),
            nearest(centroid, self._impacts, best=_NEAREST_OF_IMPACT),
            would_pay(texts),
        )


def nearest(centroid: Vectors, phrases: dict[str, Vectors], *, best: int) -> str:
    """Give the value whose ``best`` nearest phrases are nearest on average; ties to the first.

    Args:
        centroid: float32 (d,).
        phrases: float32 (p, d) for each value, unit rows.
        best: How many of a value's phrases count; all where it has fewer.
    """
    similarity = [
        round(float(np.sort(rows @ centroid)[-best:].mean()), 3) for rows in phrases.values()
    ]
    return list(phrases)[int(np.argmax(similarity))]


def would_pay(texts: Sequence[str]) -> bool:
    """Whether at least ``WOULD_PAY_SHARE`` of the texts say that they would pay, or already do."""
    saying = sum(
        bool(_WOULD_PAY.search(" ".join(text[:_SEARCHED_CHARS].split()))) for text in texts
    )
    return saying >= WOULD_PAY_SHARE * len(texts)


def _embedded(phrases: dict[str, tuple[str, ...]], model: TextEncoder) -> dict[str, Vectors]:
    return {value: embed_texts(texts, model) for value, texts in phrases.items()}

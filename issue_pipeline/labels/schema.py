"""What a label is: its fields, their meaning, and the checks every label must pass.

This is the one place where the schema, the words that explain it to a model, and the rules that a
label must keep stand together.
"""

import re
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from issue_pipeline.utils.printable import UNSEEN

Category = Literal[
    "ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"
]
ImpactLevel = Literal["low", "medium", "high"]

CATEGORIES: tuple[str, ...] = get_args(Category)
IMPACT_LEVELS: tuple[str, ...] = get_args(ImpactLevel)
MAX_TITLE_CHARS = 120
MAX_DESCRIPTION_CHARS = 600
# Least cosine of a text that a model wrote to the centroid of its cluster; docs/labels.md tells
# how it was found. A description may leave the subject to the title.
MIN_GROUNDING = {"canonical_title": 0.40, "description": 0.20}
# Shorter texts may agree with the instructions by chance.
_MIN_COPIED_WORDS = 4

# What a model that writes is told; what the hints are computed from is in hints.py.
CATEGORY_MEANINGS: dict[str, str] = {
    "ai": "machine learning and language models: training, inference, prompts, chatbots, GPUs"
    " (example: the chatbot invents order numbers)",
    "finance": "accounting, invoices, payments, banking, payroll, taxes, trading, insurance"
    " (example: the bank feed books every payment twice)",
    "compliance": "laws, privacy, consent, audits, licences, accessibility, certificates, policy"
    " (example: deleting one customer's data on request takes weeks)",
    "logistics": "shipping, freight, warehouses, delivery routes, customs, carriers, fleets"
    " (example: labels of two parcels get swapped at the packing station)",
    "healthtech": "patients, clinics, medical records, medical devices, health apps, pharmacies"
    " (example: the glucose sensor drops its connection at night)",
    "devtools": "programming, compilers, libraries, builds, databases, servers, deployment"
    " (example: the build fails after every update of the compiler)",
    "ecommerce": "online shops, carts, checkout, product listings, orders, returns, marketplaces"
    " (example: a coupon is lost when the shopper logs in)",
    "other": "anything else: homes, cars, schools, travel, games, music, everyday life"
    " (example: the dishwasher stops in the middle of its programme)",
}
IMPACT_MEANINGS: dict[str, str] = {
    "low": "a cosmetic flaw or small nuisance, easy to live with"
    " (example: a button has the wrong colour)",
    "medium": "costs hours or needs a workaround, but work goes on"
    " (example: a report must be typed in by hand each week)",
    "high": "outage, lost data, money or safety, or everybody is blocked"
    " (example: the upgrade deletes all orders)",
}
WOULD_PAY_MEANING = (
    "people say they would pay for a solution, already pay for one, or have a budget for it"
    ' (example: "we pay a contractor to fix this every month")'
)

# A bare name of a site counts where hardly anything else ends like that: "logger.info" is a call.
# With a path after it more do, but not what ends like a file: "Node.js/Express" are two names.
_URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\b(?:mailto|javascript|data):(?=\S)|www\."
    r"|\b[\w-]{1,60}\.(?:com|org|ru|cn|biz|xyz|shop|site)\b"
    r"|\b(?!asp\.net/)[\w-]{1,60}\.(?!(?:js|ts|cs|go|py|rb|hs|vb)/)(?:[a-z]{2}|net|edu|gov|info"
    r"|top|online|click|link|app|dev|cloud|tech|blog|page|space|live|club|icu|vip|wiki|zip)/\w)",
    re.IGNORECASE,
)
# "react@18.2" is a version.
_EMAIL = re.compile(r"\S@(?!v?\d+\.\d)[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2}")
# "__init__" is a name, and so is "**kwargs", which nothing closes.
_EMPHASIS = (
    r"(?<![\w*])(?!__[A-Za-z]\w*[A-Za-z0-9]__(?!\w))[*_]{1,3}[^\W_][^*_]*[*_]{1,3}(?![\w*])"
    r"|(?<!\w)\*\*(?=\S)[^*]+(?<=\S)\*\*"
)
_LINE_MARK = r"^\s*(?:(?:#{1,6}|[-*+>]|\d{1,2}[.)])\s+)+"
_MARKUP = re.compile(rf"<[a-zA-Z/!]|[`{{}}]|\]\(|&[a-z#0-9]{{2,8}};|~~|{_EMPHASIS}|{_LINE_MARK}")
# "List<String>", "Map<K, vector<int>>": within a word, closed, without attributes, and no tag of
# HTML. The innermost comes first.
_TYPE_ARGUMENTS = re.compile(
    r"(?<=\w)<(?!(?:a|audio|b|body|br|button|code|details|div|em|embed|form|h[1-6]|head|hr|html|i"
    r"|iframe|img|input|li|marquee|meta|ol|p|pre|s|script|select|span|strong|style|sub|sup|svg"
    r"|table|td|textarea|th|tr|u|ul|video)\b)[a-z_][\w:.,?& *\[\]]{0,80}>",
    re.IGNORECASE,
)
_MAX_NESTED_TYPES = 3
_TAB_OR_LINE_FEED = re.compile(r"[\t\n]")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_END = re.compile(r"[.!?…]+[\"')\]]*(?:\s|$)|[。！？]+")
_ABBREVIATION = re.compile(
    r"\b(?:e\.\s?g|i\.\s?e|etc|vs|cf|approx|incl|resp|no|nr|fig|ver|dr|mr|mrs|ms|st|prof"
    r"|dept|inc|ltd|co|corp|jr|sr|[a-z])\.(?=\s+\S)",
    re.IGNORECASE,
)
# As in labels/masking.py, and as models write it.
_ANY_MASK = re.compile(r"\[\s*(?:…|\.{3})\s*\]")
# What titles wear on their way through a tracker or a forum, and says nothing about the problem;
# not "[…]", which stands for a word (labels/masking.py).
_TITLE_PREFIX = re.compile(
    r"[\s:\-–—|]*(?:\[[^\[\]…]{1,30}\]|\([^()]{1,30}\)"
    r"|(?:(?:show|ask|tell|launch) hn|re|fwd?|psa|tl;?dr|bug(?: report)?|feature(?: request)?"
    r"|issue|question|help|fix|update|regression|docs?)\s*:)[\s:\-–—|]*",
    re.IGNORECASE,
)
_TITLE_SUFFIX = re.compile(
    r"\s*(?:\[[^\[\]…]{1,30}\]|\((?:\d{1,4}|[^()]{0,20}\d|edit\w*|updated?|solved|fixed|closed|long)\)"
    r"|#\d+|!+|\.{2,}|…|[.,;:\-–—|])$",
    re.IGNORECASE,
)


class IssueLabel(BaseModel):
    """The description of one cluster of posts, as a model must give it.

    Unknown fields are refused. Text must be plain: no URL, e-mail address, markup or control
    character.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    canonical_title: str = Field(min_length=3, max_length=MAX_TITLE_CHARS)
    category: Category
    description: str = Field(min_length=3, max_length=MAX_DESCRIPTION_CHARS)
    would_pay_signal: bool
    impact_level: ImpactLevel

    @field_validator("canonical_title", "description")
    @classmethod
    def _is_plain_text(cls, text: str) -> str:
        if (problem := plain_text_problem(text)) is not None:
            raise ValueError(problem)
        return text

    @field_validator("description")
    @classmethod
    def _is_one_or_two_sentences(cls, text: str) -> str:
        if (problem := length_problem(text)) is not None:
            raise ValueError(problem)
        return text


def length_problem(description: str) -> str | None:
    """Say that a description has more than two sentences, or ``None`` if it has not."""
    text = _ABBREVIATION.sub("", _ANY_MASK.sub("word", description))
    sentences = len(_SENTENCE_END.findall(text))
    return f"has {sentences} sentences; expected one or two" if sentences > 2 else None


def copied_problem(label: IssueLabel, instructions: str) -> str | None:
    """Say that a label repeats the instructions instead of following them, or ``None``.

    Args:
        label: A label that a model wrote.
        instructions: Everything that the model was told about its task.
    """
    told = f" {_bare_words(instructions)} "
    for field in ("canonical_title", "description"):
        words = _bare_words(getattr(label, field))
        if len(words.split()) >= _MIN_COPIED_WORDS and f" {words} " in told:
            return f"{field}: copied from the instructions; expected the problem of the posts"
    return None


def masked_problem(label: IssueLabel) -> str | None:
    """Say that a label that a model wrote shows a mask instead of a word, or ``None``."""
    for field in ("canonical_title", "description"):
        if _ANY_MASK.search(getattr(label, field)):
            return f"{field}: contains […], which stands for a hidden word; expected words only"
    return None


def _bare_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def grounding_problem(field: str, similarity: float) -> str | None:
    """Say that a text is not about the posts it stands for, or ``None`` if it is.

    Args:
        field: Name of the label's field.
        similarity: Cosine of the text's embedding to the centroid of the cluster, in [-1, 1].
    """
    if similarity >= MIN_GROUNDING[field]:
        return None
    return f"{field}: is not about these posts; expected the problem that they share"


def plain_text_problem(text: str) -> str | None:
    """Say what keeps a text from being plain, or ``None`` if nothing does."""
    for pattern, problem in (
        (_EMAIL, "contains an e-mail address"),
        (_URL, "contains a URL"),
        (UNSEEN, "contains control characters"),
        (_TAB_OR_LINE_FEED, "contains control characters"),
    ):
        if pattern.search(text):
            return f"{problem}; expected plain text"
    bare = text
    for _ in range(_MAX_NESTED_TYPES):
        bare = _TYPE_ARGUMENTS.sub("", bare)
    if _MARKUP.search(bare):
        return "contains markup; expected plain text"
    return None if _HAS_LETTER.search(text) else "has no words"


def tidy_text(text: str, max_chars: int) -> str:
    """Make foreign text plain: markup, URLs and control characters out, cut at a word.

    Returns:
        Text that :func:`plain_text_problem` accepts, or ``""`` if nothing is left.
    """
    # Only what can end up in the result is read: a title may be a hostile megabyte.
    words = text[: 20 * max_chars].split()
    text = " ".join(word for word in words if not _EMAIL.search(word))
    text = re.sub(_URL.pattern + r"\S*", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"<[^<>]{0,200}>|&[a-z#0-9]{2,8};|[`{}<]|\]\([^)]{0,200}\)?", " ", text)
    text = " ".join(UNSEEN.sub("", text).split())
    text = re.sub(_LINE_MARK, "", re.sub(r"\*\*|~~", "", text))
    text = re.sub(_EMPHASIS, lambda match: match[0].strip("*_"), text)
    if len(text) > max_chars:
        text = text[: max_chars + 1].rsplit(" ", 1)[0][:max_chars].rstrip(" ,;:-–")
    return text if len(text) >= 3 and plain_text_problem(text) is None else ""


def tidy_title(title: str, max_chars: int = MAX_TITLE_CHARS) -> str:
    """Take off a foreign title what is no part of its message, and make it plain.

    Off go leading tags ("[Bug]", "Show HN:", "Re:") and trailing ones ("[part 4]", "(2)", "#12"),
    exclamation marks and full stops.

    Returns:
        As :func:`tidy_text`; a title that is nothing but tags keeps them.
    """
    text = tidy_text(title, 2 * max_chars)
    bare = text
    while (match := _TITLE_PREFIX.match(bare)) is not None:
        bare = bare[match.end() :]
    while (match := _TITLE_SUFFIX.search(bare[-40:])) is not None:
        bare = bare[: len(bare) - len(bare[-40:]) + match.start()]
    return tidy_text(bare, max_chars) or tidy_text(text, max_chars)


def label_schema(
    *, titles: list[str] | None = None, descriptions: list[str] | None = None
) -> dict[str, object]:
    """Give the JSON schema of a label, for models that take one.

    Args:
        titles: If given, the title must be one of these.
        descriptions: If given, the description must be one of these.
    """

    # Lengths are left to IssueLabel: strict schemas of some providers refuse words for them.
    def text_field(choices: list[str] | None) -> dict[str, object]:
        return {"type": "string", "enum": choices} if choices else {"type": "string"}

    properties: dict[str, object] = {
        "canonical_title": text_field(titles),
        "category": {"type": "string", "enum": list(CATEGORIES)},
        "description": text_field(descriptions),
        "would_pay_signal": {"type": "boolean"},
        "impact_level": {"type": "string", "enum": list(IMPACT_LEVELS)},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }

"""The label of a cluster: its fields, their meaning, and the rules that every label must keep."""

import re
from collections.abc import Mapping
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
# Least cosine of a text that a model wrote to the centroid of its cluster; docs/labels.md says
# how it was found. A description may leave the subject to the title.
MIN_GROUNDING = {"canonical_title": 0.40, "description": 0.20}
# The same of a theme that is no problem: its posts lie farther apart, and "these posts report no
# common problem" is about no posts in particular.
MIN_THEME_GROUNDING = {"canonical_title": 0.30}
# Shorter texts may agree with the instructions by chance.
_MIN_COPIED_WORDS = 4

# For a model that writes; the hints are computed from the phrases of hints.py.
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

IS_PROBLEM_MEANING = (
    "the posts report a common problem: something that fails, is wrong, missing, too slow or too"
    " hard, costs them time, money or safety, or that they ask to have solved"
    ' (example: "the export stops at 90 %", "how do I export more than 1,000 rows?"). It is false'
    " if most of them are news, show-and-tell, opinions, recommendations, careers, learning advice,"
    " jobs or hobbies, or have nothing in common"
    ' (example: "what are you reading?", "I built a small game"); canonical_title then names their'
    " theme, and description says that these posts report no common problem"
)

# A bare name of a site counts where hardly anything else ends like that: "logger.info" is a call.
# With "com" and "org" it may be a company ("Booking.com refunds"), unless readers are sent there.
# With a path after it more endings count, but not those of files ("README.md/docs") and platforms
# ("Node.js/Express", "VB.NET/C#").
_SENDING = (
    r"(?:visit|see|open|go(?:es)? to|goto|click(?: on)?|check(?: out)?|try|join|browse|follow|read"
    r"|more (?:at|on)|(?:buy|order|get|download)(?: \w+)? (?:at|on|from)|link|here)"
)
_URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\b(?:mailto|javascript|data):(?=\S)|www\."
    rf"|\b{_SENDING}:?\s+[a-z][\w-]{{0,60}}\.(?:com|org)\b(?!['’])"
    r"|\b[\w-]{1,60}\.(?:ru|cn|biz|xyz|shop|site)\b"
    r"|\b[\w-]{1,60}\.(?:com|org)(?:\.[a-z]{2}\b|/|:\d|\?\w)"
    r"|(?-i:\b[a-z0-9][a-z0-9-]{0,60}\.(?:com|org))(?=[\s.,;!?)]*$)"
    r"|\b(?!(?:asp|vb|ado)\.net/)(?![\w-]{1,60}\.(\w{1,5})/[\w-]{1,60}\.\1\b)[\w-]{1,60}"
    r"\.(?!(?:js|ts|cs|go|py|rb|hs|vb|md)/)(?:[a-z]{2}|net|edu|gov|info"
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
# "a<b", "i<n && j>m" compare names: no known tag, nothing that is closed or has attributes.
_LESS_THAN = re.compile(
    r"(?<=[\w)\]])<(?!(?:audio|body|br|button|code|details|div|embed|form|frame|head|html|iframe|img"
    r"|input|link|marquee|math|meta|object|pre|script|select|span|strong|style|svg|table|template"
    r"|textarea|title|video)\b)(?=[a-z]\w{0,40}(?![\w>/]|\s*/?>))(?![^<>]{0,200}=[^<>]{0,200}>)",
    re.IGNORECASE,
)
_TAGS = re.compile(
    rf"(?!{_LESS_THAN.pattern}|{_TYPE_ARGUMENTS.pattern})<(?=[a-z/!?])(?:[^<>]{{0,200}}>)?"
    r"|&[a-z#0-9]{2,8};|[`{}]|\]\([^)]{0,200}\)?",
    re.IGNORECASE,
)
_TAB_OR_LINE_FEED = re.compile(r"[\t\n]")
# Joiners of no width belong to the spelling of a word in the scripts of Persian, Hindi, Sinhala and
# their kind, and between parts of one emoji; elsewhere they hide something.
_JOINER = (
    r"(?<=[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af"
    r"\ufb50-\ufdff\ufe70-\ufefc\ufe0f\u2640-\u27bf\U0001f300-\U0001faff])[\u200c\u200d]"
)
_HIDDEN = re.compile(rf"(?!{_JOINER}){UNSEEN.pattern}")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_END = re.compile(r"[.!?…]+[\"')\]]*(?:\s|$)|[。！？]+")
# "e.g.", "U.S.", "a.m.": dotted letters; and words that are written with a full stop.
_ABBREVIATION = re.compile(
    r"\b(?:(?:[^\W\d_]\.\s?){2,}|(?:etc|vs|cf|approx|incl|excl|resp|no|nr|fig|sec|ver|vol|ed|ca"
    r"|max|min|avg|ext|tel|dr|mr|mrs|ms|st|prof|dept|inc|ltd|co|corp|jr|sr|jan|feb|mar|apr|jun|jul"
    r"|aug|sept?|oct|nov|dec|mon|tue|wed|thu|fri|bzw|usw|ggf|ca|z|[a-z])\.)(?=\s*\S)",
    re.IGNORECASE,
)
# As in labels/masking.py, and as models write it.
ANY_MASK = re.compile(r"\[\s*(?:…|\.{3})\s*\]")
# What titles wear on their way through a tracker or a forum, and says nothing about the problem;
# not "[…]", which stands for a word (labels/masking.py).
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_CALLS = (
    r"(?:any(?:one|body) else(?: (?:seeing|having|with|get\w*) (?:this|it)(?: issue| problem)?)?"
    r"|any (?:ideas?|advice|help|thoughts|suggestions?|tips|clues?)(?: (?:is |are )?\w+)?|thoughts"
    r"|is it just me|just me|what am i missing|am i missing something|(?:please|pls|need(?: some)?"
    r"|some)? ?help(?: me| needed| wanted| please| pls)?|out of ideas|thanks(?: in advance)?|tia"
    r"|please advise|what now|solved)"
)
_TITLE_PREFIX = re.compile(
    r"[\s:\-–—|]*(?:\[[^\[\]…]{1,30}\]|\([^()]{1,30}\)|#\d{1,7}\b"
    r"|(?:(?:show|ask|tell|launch) (?:hn|r/\w{2,21}|reddit)|re|aw|fwd?|psa|tl;?dr|bug(?: report)?"
    r"|feature(?: request)?|feat|enhancement|suggestion|proposal|issue|problem|question|help"
    r"|how-?to|fix|chore|wip|rfc|update|regression|docs?|more on|follow-?up(?: (?:to|on))?|another"
    r"|(?:part|day|week|episode) \d{1,4}|(?:daily|weekly|monthly)(?: (?:thread|update|digest))?"
    r"|rant|serious|discussion|poll|meta|news|til|eli5|urgent|reminder|quick question"
    rf"|(?:dumb|stupid|noob|newbie|beginner) question|x-?post|{_MONTHS}(?: update)?)"
    r"(?: ?#?\d{1,4})?\s*:"
    rf"|(?:{_CALLS})\s*[:?!]+(?=\s*\S))[\s:\-–—|]*",
    re.IGNORECASE,
)
_TITLE_SUFFIX = re.compile(
    r"\s*(?:\[[^\[\]…]{1,30}\]|\((?:\d{1,4}|[^()]{0,20}\d|edit\w*|updated?|solved|fixed|closed"
    r"|long(?: post)?|again|cont\w*\.?|rant|help|question|urgent|serious|wip|part \w{1,6}"
    rf"|{_MONTHS}(?: \d{{4}})?|{_CALLS})[?!.]*\)"
    rf"|(?:\s[\-–—|:]+|,)\s*(?:{_MONTHS}(?: \d{{2,4}})?(?: (?:update|edition|digest|thread))?"
    r"|update(?: \d{1,4})?|part (?:\d{1,4}|[ivx]{1,4}|one|two|three)"
    rf"|(?:day|week|episode|season) \d{{1,4}}|{_CALLS}[?!.]*)"
    rf"|[.!?]\s+{_CALLS}[?!.]*"
    r"|#\d+|!+|\.{2,}|…|[.,;:\-–—|])$",
    re.IGNORECASE,
)
_SUFFIX_CHARS = 60


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
    is_problem: bool

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
    """Return what is wrong with more than two sentences, or ``None``."""
    text = _ABBREVIATION.sub("", ANY_MASK.sub("word", description))
    sentences = len(_SENTENCE_END.findall(text))
    return f"has {sentences} sentences; expected one or two" if sentences > 2 else None


def description_problem(text: str) -> str | None:
    """Return what keeps a text from being a description, or ``None``."""
    return plain_text_problem(text) or length_problem(text) or _mask_problem(text)


def copied_problem(label: IssueLabel, instructions: str) -> str | None:
    """Return what is wrong if a label repeats the instructions, or ``None``.

    Args:
        label: A label that a model wrote.
        instructions: Everything that the prompt says about the task.
    """
    told = f" {_bare_words(instructions)} "
    # That posts report no common problem is said in the instructions' own words, rightly.
    for field in ("canonical_title", "description") if label.is_problem else ("canonical_title",):
        words = _bare_words(getattr(label, field))
        if len(words.split()) >= _MIN_COPIED_WORDS and f" {words} " in told:
            return f"{field}: copied from the instructions; expected the problem of the posts"
    return None


def masked_problem(label: IssueLabel) -> str | None:
    """Return what is wrong if a written label shows a mask instead of a word, or ``None``."""
    for field in ("canonical_title", "description"):
        if problem := _mask_problem(getattr(label, field)):
            return f"{field}: {problem}"
    return None


def _mask_problem(text: str) -> str | None:
    if ANY_MASK.search(text):
        return "contains […], which stands for a hidden word; expected words only"
    return None


def _bare_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def least_grounding(*, is_problem: bool) -> Mapping[str, float]:
    """Return the fields of a label that must be about its posts, each with the least cosine."""
    return MIN_GROUNDING if is_problem else MIN_THEME_GROUNDING


def grounding_problem(field: str, similarity: float, *, is_problem: bool = True) -> str | None:
    """Return what is wrong if a text is not about the posts it stands for, or ``None``.

    Args:
        field: Name of a field of :func:`least_grounding`.
        similarity: Cosine of the text's embedding to the centroid of the cluster, in [-1, 1].
        is_problem: Whether the label says that the posts report a common problem.
    """
    if similarity >= least_grounding(is_problem=is_problem)[field]:
        return None
    return f"{field}: is not about these posts; expected the problem that they share"


def plain_text_problem(text: str) -> str | None:
    """Return what keeps a text from being plain, or ``None`` if nothing does."""
    for pattern, problem in (
        (_EMAIL, "contains an e-mail address"),
        (_URL, "contains a URL"),
        (_HIDDEN, "contains control characters"),
        (_TAB_OR_LINE_FEED, "contains control characters"),
    ):
        if pattern.search(text):
            return f"{problem}; expected plain text"
    bare = text
    for _ in range(_MAX_NESTED_TYPES):
        bare = _TYPE_ARGUMENTS.sub("", bare)
    if _MARKUP.search(_LESS_THAN.sub(" ", bare)):
        return "contains markup; expected plain text"
    return None if _HAS_LETTER.search(text) else "has no words"


def tidy_text(text: str, max_chars: int) -> str:
    """Make foreign text plain: markup, URLs and control characters out, cut at a word.

    Returns:
        Text that :func:`plain_text_problem` accepts, or ``""`` if nothing is left.
    """
    # Only what can end up in the result is read: a title may be a hostile megabyte.
    words = _HIDDEN.sub("", text[: 20 * max_chars]).split()
    text = " ".join(word for word in words if not _EMAIL.search(word))
    text = re.sub(_URL.pattern + r"\S*", " ", text, flags=re.IGNORECASE)
    text = _TAGS.sub(" ", text)
    text = " ".join(text.split())
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
    while (match := _TITLE_SUFFIX.search(bare[-_SUFFIX_CHARS:])) is not None:
        bare = bare[: len(bare) - len(bare[-_SUFFIX_CHARS:]) + match.start()]
    return tidy_text(bare, max_chars) or tidy_text(text, max_chars)


def label_schema(
    *, titles: list[str] | None = None, descriptions: list[str] | None = None
) -> dict[str, object]:
    """Return the JSON schema of a label, for models that take one.

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
        "is_problem": {"type": "boolean"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }

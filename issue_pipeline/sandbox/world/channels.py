"""Where posts of the synthetic world appear and under which names; all of it invented."""

import random

_REPOSITORIES: dict[str, tuple[str, ...]] = {
    "ai": ("lanternml/lantern", "promptworks/relay", "vecstore-io/vecstore", "oakmodel/serve",
           "tinytensor/tinytensor"),
    "finance": ("ledgerline/ledger", "openpayrun/payrun", "coinsmith/reconcile",
                "quietbooks/invoices", "fxbridge/rates"),
    "compliance": ("consentkit/consentkit", "auditrail/trail", "policyloom/loom",
                   "redactory/redact", "keepwell/retention"),
    "logistics": ("freightdesk/desk", "palletizer/wms", "routewise/planner", "dockdoor/yard",
                  "parcelgraph/tracking"),
    "healthtech": ("carebridge/fhir-bridge", "opencliniq/scheduler", "vitalstream/devices",
                   "medscribe-oss/notes", "rxkit/eprescribe"),
    "devtools": ("buildmoss/moss", "testwright/runner", "deploycat/deploycat", "logcabin/cabin",
                 "pkgferry/ferry"),
    "ecommerce": ("cartwheel/cartwheel", "shelfware/catalog", "storefrontage/theme",
                  "returnly-oss/returns", "checkoutlane/lane"),
    "other": ("homeharbor/hub", "greenthumb-iot/sensors", "papertrail-apps/forms",
              "townhall/booking", "classmate-oss/lms"),
}  # fmt: skip

_TAGS: dict[str, tuple[str, ...]] = {
    "ai": ("machine-learning", "large-language-model", "embedding", "pytorch"),
    "finance": ("accounting", "payment-processing", "currency", "xlsx"),
    "compliance": ("gdpr", "audit", "access-control", "data-retention"),
    "logistics": ("edi", "barcode", "routing", "warehouse"),
    "healthtech": ("hl7-fhir", "dicom", "bluetooth-lowenergy", "medical"),
    "devtools": ("docker", "continuous-integration", "git", "debugging"),
    "ecommerce": ("shopping-cart", "checkout", "product-catalog", "e-commerce"),
    "other": ("home-automation", "calendar", "pdf", "printing"),
}

_SUBREDDITS: dict[str, tuple[str, ...]] = {
    "ai": ("appliedml", "selfhosted_ai"),
    "finance": ("smallbizbooks", "fintech_ops"),
    "compliance": ("compliancedesk", "fintech_ops"),
    "logistics": ("warehouselife", "supplychainers"),
    "healthtech": ("clinic_it", "compliancedesk"),
    "devtools": ("buildbreakers", "selfhosted_ai"),
    "ecommerce": ("shopkeepers", "smallbizbooks"),
    "other": ("askanything_it", "homefixers"),
}

_CHATTER_SUBREDDITS = ("askanything_it", "homefixers", "afterhours", "shopkeepers", "buildbreakers")
_CHATTER_TAGS = ("career-development", "history", "terminology", "project-management")
_LABELS = ("bug", "needs-triage", "question", "priority: high", "regression", "customer")

_NAME_STARTS = (
    "quiet", "rusty", "north", "paper", "amber", "tired", "lucky", "salty", "third", "pixel",
    "marsh", "cobalt", "fuzzy", "plain", "wild", "ivory", "spare", "solar", "grumpy", "late",
)  # fmt: skip
_NAME_ENDS = (
    "otter", "ledger", "kettle", "harbor", "sparrow", "spanner", "walnut", "comet", "badger",
    "lantern", "turnip", "cargo", "violin", "pebble", "hammer", "magpie", "bishop", "cactus",
    "noodle", "wagon",
)  # fmt: skip


def all_channels(source: str) -> tuple[str, ...]:
    """Return every channel of a source in which the synthetic world posts, sorted.

    Raises:
        KeyError: The source is not one of the four.
    """
    groups: dict[str, tuple[tuple[str, ...], ...]] = {
        "github": tuple(_REPOSITORIES.values()),
        "stackoverflow": (*_TAGS.values(), _CHATTER_TAGS),
        "reddit": (*_SUBREDDITS.values(), _CHATTER_SUBREDDITS),
        "hackernews": (("story", "ask_hn", "show_hn"),),
    }
    return tuple(sorted({channel for group in groups[source] for channel in group}))


def report_channel(source: str, category: str, rng: random.Random) -> str:
    """Choose where somebody reports a problem of a category."""
    match source:
        case "github":
            return rng.choice(_REPOSITORIES[category])
        case "stackoverflow":
            return rng.choice(_TAGS[category])
        case "reddit":
            return rng.choice(_SUBREDDITS[category])
        case _:
            return rng.choices(("ask_hn", "story", "show_hn"), (75, 20, 5))[0]


def chatter_channel(source: str, rng: random.Random) -> str:
    """Choose where somebody just talks."""
    match source:
        case "github":
            return rng.choice(all_channels(source))
        case "stackoverflow":
            return rng.choice(_CHATTER_TAGS)
        case "reddit":
            return rng.choice(_CHATTER_SUBREDDITS)
        case _:
            return rng.choices(("story", "ask_hn", "show_hn"), (55, 25, 20))[0]


def tags_for(source: str, channel: str, rng: random.Random) -> tuple[str, ...]:
    """Return labels (GitHub) or one to four tags, the channel first (Stack Overflow), else none."""
    if source == "github":
        return tuple(sorted(rng.sample(_LABELS, rng.choice((0, 0, 1, 1, 2)))))
    if source == "stackoverflow":
        family = next((tags for tags in _TAGS.values() if channel in tags), _CHATTER_TAGS)
        others = [tag for tag in family if tag != channel]
        return (channel, *rng.sample(others, rng.randint(0, len(others))))
    return ()


def author_name(source: str, rng: random.Random) -> str:
    """Return an invented login in the manner of the source."""
    start, end = rng.choice(_NAME_STARTS), rng.choice(_NAME_ENDS)
    match source:
        case "github":
            return rng.choice((f"{start}-{end}", f"{start}{end}{rng.randint(1, 99)}"))
        case "stackoverflow":
            number = rng.randint(1_000_000, 29_999_999)
            return rng.choice((f"{start.title()} {end.title()}", f"user{number}"))
        case "reddit":
            return f"{start}_{end}_{rng.randint(1, 9999)}"
        case _:
            return rng.choice((f"{start}{end}", f"{end}{rng.randint(1, 999)}"))


def comments_and_votes(source: str, rng: random.Random) -> tuple[int, int]:
    """Return heavy-tailed counts: most posts get little, a few get hundreds.

    Votes of Reddit and Stack Overflow can be negative; Hacker News begins at one point.
    """
    comments = min(900, int(rng.paretovariate(1.1)) - 1)
    votes = min(3_000, int(rng.paretovariate(0.9)) - 1)
    if source == "hackernews":
        return comments, votes + 1
    if source in ("stackoverflow", "reddit") and rng.random() < 0.08:
        return comments, -rng.randint(1, 4)
    return (comments, votes) if source != "stackoverflow" else (min(comments, 9), min(votes, 140))

"""A day small enough to reason about: three problems that many report, and some chatter."""

from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline_tests.support.hand_written import a_post

PROBLEMS = {
    "checkout": (
        "Checkout page freezes when paying with a card",
        "Card payment hangs at the last step of the checkout",
        "Shop checkout never finishes after entering card details",
        "Paying by card: the checkout spinner turns forever",
        "Our customers cannot complete the card checkout",
        "Credit card checkout stuck on processing",
        "The checkout freezes once the card number is in",
    ),
    "backup": (
        "Nightly Postgres backup fails with disk full",
        "pg_dump stops because the disk runs out of space",
        "Database backup job dies at night: no space left",
        "Postgres dump fills the disk and aborts",
        "Backups of our Postgres database run out of disk",
        "No space left on device while dumping Postgres",
        "Nightly database dump aborted, disk is full",
    ),
    "printer": (
        "Label printer prints blank shipping labels",
        "Shipping labels come out empty from the thermal printer",
        "Blank labels from our warehouse printer",
        "The thermal printer feeds shipping labels without any print",
        "Parcel labels are blank since we changed the printer",
        "Empty shipping labels, printer in the warehouse",
        "Warehouse label printer gives blank parcel labels",
    ),
}
CHATTER = (
    "My sourdough starter turned five today",
    "A walk through the history of chess openings",
    "Which telescope for a beginner?",
    "Photos of the harbour at dawn",
)
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
TITLES = [*(title for titles in PROBLEMS.values() for title in titles), *CHATTER]


def posts_of_the_next_day() -> list[SimulatedPost]:
    """A post of each source that shows that the day is over."""
    later_s = 24 * 60 * 60 + 3_600
    return [a_post(source, at_s=later_s, title="Good morning", body=None) for source in SOURCES]


def posts_of_the_day() -> list[SimulatedPost]:
    """Every problem told on all sources in turn, a minute apart, and the chatter."""
    return [
        a_post(SOURCES[number % len(SOURCES)], at_s=60 * number, title=title, body=None)
        for number, title in enumerate(TITLES)
    ]

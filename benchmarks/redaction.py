"""How many credentials redaction hides, and what it hides by mistake.

Random tokens of every format of the table are put where posts have them (running text, settings,
JSON, URLs, log lines, quotes); a token counts as hidden if no ten characters of it are left.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.real_posts import WITH_BODY, path_of, posts
from issue_pipeline.utils.cleaning.redaction import SECRET_MARK, redact
from issue_pipeline.utils.cleaning.token_formats import ALPHABETS, TOKEN_FORMATS, TokenFormat
from issue_pipeline.utils.text_cleaning import clean_body, clean_title

TOKENS_OF_A_FORMAT = 10
LEFT_CHARS = 10
# Where a token stands, with another text around it each time.
PLACES = {
    "running text": "I called it with {} and it was refused.",
    "KEY=value": "export SOME_SETTING={}",
    "key: value": "setting: {}",
    "JSON": '{{"id": 7, "setting": "{}", "retries": 3}}',
    "escaped JSON": '"body": "{{\\"setting\\": \\"{}\\"}}\\n"',
    "URL": "https://api.example.org/v1/items?page=2&k={}&limit=10",
    "log line": "2026-03-10 12:00:01,123 INFO [client] sending {} to host-3:443",
    "after a colon": "The one I use:{}",
    "backticks": "It refuses `{}` since Monday.",
    "quotes": "It refuses '{}' since Monday.",
    "parentheses and a full stop": "It refuses mine ({}).",
    "comma": "I tried {}, which is new",
    "Markdown, escaped": "It refuses {} since Monday.",
}


@dataclass(frozen=True, slots=True)
class Hidden:
    """Tokens of one format in all places.

    Attributes:
        places: Places in which not all tokens were hidden.
    """

    provider: str
    text: str
    tokens: int
    hidden: int
    places: tuple[str, ...]


def sample_token(format_: TokenFormat, rng: random.Random) -> str:
    """Draw a token of a format: each character from its alphabet, each length from its range."""
    return "".join(
        part
        if isinstance(part, str)
        else "".join(rng.choices(ALPHABETS[part.alphabet][0], k=rng.randint(part.least, part.most)))
        for part in format_.parts
    )


def placed(token: str, place: str) -> str:
    """Write a token where it stands in posts."""
    written = token.replace("_", "\\_") if place.startswith("Markdown") else token
    return PLACES[place].format(written)


def is_hidden(token: str, text: str) -> bool:
    """Return whether no ten characters of a token in a row are left in a text."""
    return not any(
        token[start : start + LEFT_CHARS] in text for start in range(len(token) - LEFT_CHARS + 1)
    )


def measure_formats(tokens: int = TOKENS_OF_A_FORMAT, seed: int = 7) -> Iterator[Hidden]:
    """Hide so many random tokens of each format in each place, body and title alike."""
    rng = random.Random(seed)
    for format_ in TOKEN_FORMATS:
        hidden = 0
        failed: set[str] = set()
        for place in PLACES:
            for _ in range(tokens):
                token = sample_token(format_, rng)
                text = placed(token, place)
                kept = redact(text) + clean_title("reddit", text)
                if is_hidden(token, kept.replace("\\_", "_")):
                    hidden += 1
                else:
                    failed.add(place)
        yield Hidden(
            format_.provider, format_.text, tokens * len(PLACES), hidden, tuple(sorted(failed))
        )


def hidden_in_corpora(corpora: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield what is hidden in real posts: the source, the words around it, whether it would show.

    A value in a log or in code is hidden, too, but that goes from the clean text anyway.
    """
    for name, source in WITH_BODY.items():
        if not path_of(name, corpora).exists():
            continue
        for post in posts(name, corpora):
            body = post["body"] or ""
            title = clean_title(source, post["title"])
            shows = SECRET_MARK in title or SECRET_MARK in clean_body(source, body)
            for line, clean in _changed_lines([post["title"], *body.split("\n")]):
                start = clean.index(SECRET_MARK)
                yield source, line[max(0, start - 40) : start + 60], shows


def _changed_lines(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        clean = redact(line)
        if SECRET_MARK in clean:
            yield line, clean

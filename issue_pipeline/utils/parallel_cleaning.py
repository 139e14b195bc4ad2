"""Clean the texts of a large day in several processes: one uses one core only."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from functools import partial

from issue_pipeline.utils.cleaning.shared_headings import Headings
from issue_pipeline.utils.text_cleaning import clean_body, clean_title

logger = logging.getLogger(__name__)

# A source whose rules clean a text, as of ``cleaned_as``; the title; the body.
RawText = tuple[str, str | None, str | None]

# Fewer posts are cleaned before the processes have started.
_LEAST_POSTS = 4_000
# Each takes a hundred megabytes.
_MOST_PROCESSES = 4
_POSTS_OF_A_PIECE = 100
_PARENT_CHECK_S = 1.0


def clean_texts(texts: Sequence[RawText], headings: Headings) -> list[tuple[str, str]]:
    """Clean titles and bodies, in their order.

    Args:
        texts: Of any sources.
        headings: As of :func:`~issue_pipeline.utils.text_cleaning.clean_body`.

    Returns:
        Of each text its clean title and body, the same however many processes there are.
    """
    if len(texts) < _LEAST_POSTS:
        return _cleaned(texts, headings)
    # An import that only large days should pay. Its processes do not run the caller's script again.
    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor, cpu_count

    processes = min(_MOST_PROCESSES, cpu_count())
    if processes == 1:
        return _cleaned(texts, headings)
    pieces = [
        texts[start : start + _POSTS_OF_A_PIECE]
        for start in range(0, len(texts), _POSTS_OF_A_PIECE)
    ]
    clean = partial(_cleaned, headings=headings)
    try:
        with ProcessPoolExecutor(
            processes, initializer=_end_with, initargs=(os.getpid(),)
        ) as executor:
            return [text for piece in executor.map(clean, pieces) for text in piece]
    except (BrokenProcessPool, OSError, AssertionError) as error:
        # It died, or none can be started here: no memory, no files, a daemonic process.
        logger.warning("No process cleans the texts beside this one: %s", error)
        return clean(texts)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: it would wait for further pieces."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _cleaned(texts: Sequence[RawText], headings: Headings) -> list[tuple[str, str]]:
    return [
        (clean_title(source, title), clean_body(source, body, headings))
        for source, title, body in texts
    ]

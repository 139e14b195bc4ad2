"""What an API finds: all posts, unless its index has stopped or lost a part of them for a while.

A stopped index answers as if nothing had been written after some moment (algolia/hn-search#215,
ArthurHeitmann/arctic_shift_ui#6), a shrunken one as if old posts had never been there
(psss/did#476). Its counts are those of what it finds: nothing in a reply says that it is wrong.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from issue_pipeline.sandbox.apis.chance import chance
from issue_pipeline.sandbox.apis.faults import SHRUNKEN_INDEX, STOPPED_INDEX, IndexSpell
from issue_pipeline.sandbox.apis.timeline import Timeline
from issue_pipeline.sandbox.world.posts import SimulatedPost

_SECOND = timedelta(seconds=1)


class Index:
    """The posts that one API finds at present.

    Args:
        timeline: All there are.
        spells: Of this API.
        seed: Which posts a shrunken index has lost.
        faults: Counts the replies from which posts are missing, by the kind of spell.
    """

    def __init__(
        self, timeline: Timeline, spells: Iterable[IndexSpell], seed: int, faults: Counter[str]
    ) -> None:
        self._timeline = timeline
        self._spells = list(spells)
        self._seed = seed
        self._faults = faults
        self._requests = 0

    def note_request(self) -> None:
        """Count a request to the API."""
        self._requests += 1

    def begin(self, spell: IndexSpell) -> None:
        """Add a spell, which lasts from now on unless its first request is still to come."""
        self._spells.append(spell)

    def recover(self) -> None:
        """End all spells, also those to come."""
        self._spells.clear()

    def now(self) -> datetime:
        """Return the simulator's time, UTC, whole seconds; it does not stop with the index."""
        return self._timeline.now()

    def channel(self, source: str, name: str) -> str | None:
        """Find a channel whatever its case; ``None`` if the source has no such channel."""
        return self._timeline.channel(source, name)

    def between(
        self,
        source: str,
        start: datetime | None,
        end: datetime | None,
        channel: str | None = None,
    ) -> list[SimulatedPost]:
        """Return what is found of the posts created in ``[start, end)``, oldest first.

        Arguments as for ``Timeline.between``.
        """
        found = self._timeline.between(source, start, end, channel)
        for spell in self._spells:
            if spell.lasts_at(self._requests):
                left = [post for post in found if self._finds(spell, post)]
                self._faults[spell.kind] += len(left) < len(found)
                found = left
        return found

    def _finds(self, spell: IndexSpell, post: SimulatedPost) -> bool:
        if spell.kind == STOPPED_INDEX:
            return post.created_at <= self._timeline.now() - spell.behind
        assert spell.kind == SHRUNKEN_INDEX
        return chance(f"lost/{self._seed}/{post.source}/{post.number}") >= spell.lost_share

"""The APIs as one application, each under its own prefix, with health and statistics."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from issue_pipeline.sandbox.apis.archive import ArchiveApi
from issue_pipeline.sandbox.apis.busy_reddit import BusyWorld
from issue_pipeline.sandbox.apis.conduct import Conduct, WatchedApp
from issue_pipeline.sandbox.apis.crowding import CrowdedWorld
from issue_pipeline.sandbox.apis.faults import INDEXED_APIS, NO_FAULTS, FaultProfile
from issue_pipeline.sandbox.apis.faulty_app import FaultyApp
from issue_pipeline.sandbox.apis.github import GitHubApi
from issue_pipeline.sandbox.apis.hackernews import HackerNewsApi
from issue_pipeline.sandbox.apis.indexes import Index
from issue_pipeline.sandbox.apis.reddit import RedditApi
from issue_pipeline.sandbox.apis.replies import JsonReply
from issue_pipeline.sandbox.apis.restless import Restlessness
from issue_pipeline.sandbox.apis.stackexchange import StackExchangeApi
from issue_pipeline.sandbox.apis.stats import CountedApp, ReplyCounts
from issue_pipeline.sandbox.apis.timeline import DEFAULT_HISTORY_DAYS, Timeline
from issue_pipeline.sandbox.world.posts import World

DEFAULT_TOKEN_LIFETIME_S = 86_400
SOURCE_BY_API = {
    "github": "github",
    "stackexchange": "stackoverflow",
    "reddit": "reddit",
    "archive": "reddit",
    "hackernews": "hackernews",
}
APIS = tuple(SOURCE_BY_API)


def create_app(
    world: World,
    *,
    reddit_client_id: str,
    reddit_client_secret: str,
    now: Callable[[], datetime] | None = None,
    github_token: str | None = None,
    stackexchange_key: str | None = None,
    reddit_token_lifetime_s: int = DEFAULT_TOKEN_LIFETIME_S,
    private_subreddits: Collection[str] = (),
    moved_repositories: Mapping[str, str] | None = None,
    busy_reddit: bool = False,
    hn_exhaustive: bool = True,
    time_scale: float = 1.0,
    history_days: int = DEFAULT_HISTORY_DAYS,
    faults: FaultProfile = NO_FAULTS,
) -> Starlette:
    """Build the simulator.

    Args:
        world: The posts; their truth is never served.
        reddit_client_id: The only application that Reddit gives tokens to.
        reddit_client_secret: Its secret.
        now: The simulator's clock, with a zone; later posts are not served. The system's clock by
            default. Limit windows and token lifetimes always run on real time.
        github_token: The only good token; ``None`` takes any. Without one a client is anonymous.
        stackexchange_key: The only good key; ``None`` takes any.
        reddit_token_lifetime_s: How long a token is good.
        private_subreddits: Names that answer 403.
        moved_repositories: Former ``owner/name`` of repositories of the world, with their present
            ones: the list of issues of such a name redirects, and a search does not know it.
        busy_reddit: Whether there is one more subreddit, in which somebody writes at any time.
        hn_exhaustive: Whether Hacker News calls its numbers of hits exhaustive.
        time_scale: How many times shorter than the real ones the limit windows are; above 0.
        history_days: How far back from its end a query finds posts, at least 1. A quiet subreddit's
            first page makes as many days of the world as it takes to fill it, up to this.
        faults: What goes wrong, and how often; nothing by default.

    Returns:
        An application with ``/github``, ``/stackexchange``, ``/reddit``, ``/archive``,
        ``/hackernews``, ``/health`` and ``/stats``. Its ``state.indexes`` are the indexes by API,
        for tests that let one stop, shrink or recover at a certain moment.

    Raises:
        ValueError: If the Reddit credentials are empty or the scale or the history is too small.
    """
    if time_scale <= 0:
        raise ValueError(f"time_scale must be above 0, got {time_scale}")
    restlessness = Restlessness(faults)
    if faults.crowded_share:
        world = CrowdedWorld(world, faults.crowded_share, faults.seed)
    if busy_reddit:
        world = BusyWorld(world)
    timeline = Timeline(world, now or _system_time, history_days, restlessness.is_visible)
    conduct = {api: Conduct() for api in APIS}
    committed: dict[str, Counter[str]] = {api: Counter() for api in APIS}
    indexes = {
        api: Index(
            timeline,
            [spell for spell in faults.index_spells if spell.api == api],
            faults.seed,
            committed[api],
        )
        for api in INDEXED_APIS
    }
    github = GitHubApi(
        timeline,
        token=github_token,
        time_scale=time_scale,
        conduct=conduct["github"],
        index=indexes["github"],
        moved={name.lower(): now_at for name, now_at in (moved_repositories or {}).items()},
        profile=faults,
        faults=committed["github"],
    )
    stackexchange = StackExchangeApi(
        indexes["stackexchange"],
        key=stackexchange_key,
        time_scale=time_scale,
        conduct=conduct["stackexchange"],
    )
    reddit = RedditApi(
        timeline,
        client_id=reddit_client_id,
        client_secret=reddit_client_secret,
        token_lifetime_s=reddit_token_lifetime_s,
        private_subreddits=private_subreddits,
        time_scale=time_scale,
        conduct=conduct["reddit"],
        profile=faults,
        faults=committed["reddit"],
    )
    archive = ArchiveApi(
        indexes["archive"],
        time_scale=time_scale,
        conduct=conduct["archive"],
        profile=faults,
        faults=committed["archive"],
    )
    hackernews = HackerNewsApi(
        indexes["hackernews"],
        time_scale=time_scale,
        conduct=conduct["hackernews"],
        exhaustive=hn_exhaustive,
    )
    apis: dict[str, ASGIApp] = {
        "github": github.app(),
        "stackexchange": stackexchange.app(),
        "reddit": reddit.app(),
        "archive": archive.app(),
        "hackernews": hackernews.app(),
    }
    counts = ReplyCounts()

    def note_request(api: str, source: str) -> None:
        restlessness.note_request(source)
        if api in indexes:
            indexes[api].note_request()

    faulty = {
        api: FaultyApp(
            apis[api],
            api,
            faults,
            time_scale=time_scale,
            conduct=conduct[api],
            note_request=partial(note_request, api, source),
            faults=committed[api],
        )
        for api, source in SOURCE_BY_API.items()
    }

    async def health(_request: Request) -> Response:
        return JsonReply({"status": "ok"})

    async def stats(_request: Request) -> Response:
        return JsonReply(
            {
                "requests": {api: counts.requests[api] for api in APIS},
                "errors": {api: counts.errors[api] for api in APIS},
                "over_limit": {api: conduct[api].over_limit for api in APIS},
                "statuses": {api: dict(counts.statuses.get(api, {})) for api in APIS},
                "violations": {api: dict(conduct[api].violations) for api in APIS},
                # Whoever counts whether something was missing may count that nothing was.
                "faults": {api: dict(+committed[api]) for api in APIS},
            }
        )

    def mounted(api: str) -> ASGIApp:
        watched = WatchedApp(faulty[api], conduct[api], one_at_a_time=api == "github")
        return CountedApp(watched, api, counts)

    routes: list[BaseRoute] = [Route("/health", health), Route("/stats", stats)]
    routes += [Mount(f"/{api}", app=mounted(api)) for api in APIS]
    app = Starlette(routes=routes)
    app.state.indexes = indexes
    return app


def _system_time() -> datetime:
    return datetime.now(UTC)

"""Everything the pipeline talks to, started together on loopback ports and stopped together."""

import argparse
import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from issue_pipeline.local.chosen_model import chosen_model
from issue_pipeline.local.errors import LocalSetupError
from issue_pipeline.local.folder_lock import only_user_of
from issue_pipeline.local.language_model import DEFAULT_THREADS, language_model_server
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.local.pocketbase_server import PocketBaseServer, Superuser
from issue_pipeline.local.ports import LOOPBACK
from issue_pipeline.local.processes import LocalServer
from issue_pipeline.sandbox.world.channels import all_channels
from issue_pipeline.utils.proxies import no_proxy_for_loopback

# The sandbox's limits last 300 times shorter than the real ones: this keeps all of them, and no run
# is as slow as those make it.
_REQUESTS_PER_MINUTE = 6000
_TOKEN_BYTES = 16
# Before every day that the sandbox shows, whatever the user's own start is.
_START_DATE = "2026-01-01"
_ANY_DAY = date(2026, 1, 1)
_LOCK_FILE = "sandbox.lock"
_LOCK_REMEDY = "stop them first, or use another folder."


@dataclass(frozen=True)
class Services:
    """What runs, where, and how to get in.

    Attributes:
        root: Folder of all data and logs.
        apis_url: Simulated APIs; each below its own prefix.
        pocketbase_url: The live store and its page.
        superuser: Who may write to it.
        language_model_url: Server of the model; ``None`` if the user named one served elsewhere.
        language_model: The variables that say which model that is, and in what style it answers.
        embedding_model: Folder of the checked weights.
        subreddits: Of the world that the APIs serve, sorted.
        reddit_client_id: The only application that the simulated Reddit knows.
        reddit_client_secret: Its secret.
        github_token: Any; the simulated GitHub takes all.
        stackexchange_key: Any; the simulated Stack Exchange takes all.
        servers: The running servers by name: ``apis``, ``pocketbase``, ``language_model``.
    """

    root: Path
    apis_url: str
    pocketbase_url: str
    superuser: Superuser
    language_model_url: str | None
    language_model: Mapping[str, str]
    embedding_model: Path
    subreddits: tuple[str, ...]
    reddit_client_id: str
    reddit_client_secret: str = field(repr=False)
    github_token: str = field(repr=False)
    stackexchange_key: str = field(repr=False)
    servers: Mapping[str, LocalServer] = field(repr=False)

    @property
    def duckdb_path(self) -> Path:
        """The sandbox's database; the services do not touch it."""
        return self.root / "issues.duckdb"

    def environment(self) -> dict[str, str]:
        """Return the variables that make the pipeline use these services, over the user's own."""
        pace = str(_REQUESTS_PER_MINUTE)
        return {
            "ISSUES_DUCKDB_PATH": str(self.duckdb_path),
            "ISSUES_START_DATE": _START_DATE,
            "ISSUES_CACHE_DIR": str(self.root / "cache"),
            "GITHUB_API_URL": f"{self.apis_url}/github",
            "GITHUB_QUERY": "is:issue",
            "GITHUB_TOKEN": self.github_token,
            "GITHUB_REQUESTS_PER_MINUTE": pace,
            "STACKEXCHANGE_API_URL": f"{self.apis_url}/stackexchange",
            "STACKEXCHANGE_KEY": self.stackexchange_key,
            "STACKEXCHANGE_REQUESTS_PER_MINUTE": pace,
            "REDDIT_API_URL": f"{self.apis_url}/reddit",
            "REDDIT_AUTH_URL": f"{self.apis_url}/reddit",
            "REDDIT_CLIENT_ID": self.reddit_client_id,
            "REDDIT_CLIENT_SECRET": self.reddit_client_secret,
            "REDDIT_SUBREDDITS": ",".join(self.subreddits),
            "REDDIT_REQUESTS_PER_MINUTE": pace,
            "HN_API_URL": f"{self.apis_url}/hackernews",
            "HN_REQUESTS_PER_MINUTE": pace,
            "EMBEDDING_MODEL": str(self.embedding_model),
            "POCKETBASE_URL": self.pocketbase_url,
            "POCKETBASE_EMAIL": self.superuser.email,
            "POCKETBASE_PASSWORD": self.superuser.password,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "HF_HUB_OFFLINE": "1",
            **no_proxy_for_loopback(os.environ),
            **self.language_model,
        }

    def require_running(self) -> None:
        """Raise ``ServiceError`` with its last words if one of the servers has ended."""
        for server in self.servers.values():
            server.require_running()


@contextlib.contextmanager
def sandbox_services(
    root: Path,
    *,
    world_args: Sequence[str] = (),
    model: Path | None = None,
    model_threads: int = DEFAULT_THREADS,
) -> Iterator[Services]:
    """Run the simulated APIs, PocketBase and, unless the user named another, a language model.

    They start concurrently, are ready when this yields, and are gone when it ends, however it ends.
    Data stays in the folder for the next time. One folder serves one sandbox at a time.

    Args:
        root: Folder for data (``pocketbase/``) and logs (``logs/``); made if missing.
        world_args: Options of ``python -m issue_pipeline.sandbox.apis`` other than host and port:
            ``["--corpus", "posts.jsonl.gz", "--days", "2026-11-20,2026-11-21"]``.
        model: GGUF file of the sandbox's own language model; SmolLM2-135M-Instruct by default.
            Ignored if ``LLM_LOCAL_MODEL`` is set, in our environment or in ``.env``: that is served
            instead if it is a GGUF file, and else used where it is.
        model_threads: Processor threads of the language model, at least 1.

    Raises:
        LocalSetupError: Something needed is missing, the corpus cannot be read, or another sandbox
            uses the folder.
        ServiceError: A server did not start.
    """
    root = root.resolve()
    logs = root / "logs"
    client_id, client_secret = secrets.token_hex(_TOKEN_BYTES), secrets.token_hex(_TOKEN_BYTES)
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_user_of(root, _LOCK_FILE, _LOCK_REMEDY))
        servers: dict[str, LocalServer] = {}
        chosen = chosen_model(model)
        if chosen.file is not None:
            servers["language_model"] = language_model_server(
                chosen.file, log=logs / "language_model.log", threads=model_threads
            )
        servers["apis"] = _apis_server(world_args, client_id, client_secret, log=logs / "apis.log")
        pocketbase = PocketBaseServer(root / "pocketbase", log=logs / "pocketbase.log")
        servers["pocketbase"] = pocketbase
        for server in servers.values():
            stack.callback(server.stop)
            server.start()
        # While they start:
        embedding_model = all_minilm_folder()
        subreddits = _subreddits(world_args)
        for server in servers.values():
            server.wait_until_ready()
        model_server = servers.get("language_model")
        model_url = None if model_server is None else model_server.url
        yield Services(
            root=root,
            apis_url=servers["apis"].url,
            pocketbase_url=pocketbase.url,
            superuser=pocketbase.superuser,
            language_model_url=model_url,
            language_model=chosen.variables(model_url),
            embedding_model=embedding_model,
            subreddits=subreddits,
            reddit_client_id=client_id,
            reddit_client_secret=client_secret,
            github_token=secrets.token_hex(_TOKEN_BYTES),
            stackexchange_key=secrets.token_hex(_TOKEN_BYTES),
            servers=servers,
        )


def _apis_server(
    world_args: Sequence[str], client_id: str, client_secret: str, *, log: Path
) -> LocalServer:
    def command(port: int) -> list[str]:
        serve = [sys.executable, "-m", "issue_pipeline.sandbox.apis"]
        return [*serve, "--host", LOOPBACK, "--port", str(port), *world_args]

    return LocalServer(
        "The server of the simulated APIs",
        command,
        health_path="/health",
        log=log,
        environment={"REDDIT_CLIENT_ID": client_id, "REDDIT_CLIENT_SECRET": client_secret},
        advice=f"Check its options: {' '.join(world_args) or 'none'}.",
    )


def _subreddits(world_args: Sequence[str]) -> tuple[str, ...]:
    """Return the subreddits of the world that these options of the simulator describe."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--corpus", type=Path)
    corpus: Path | None = parser.parse_known_args(list(world_args))[0].corpus
    if corpus is None:
        return all_channels("reddit")
    from issue_pipeline.sandbox.world.corpus import CorpusError, CorpusWorld

    try:
        # The days decide when posts appear, not where.
        return CorpusWorld(corpus, [_ANY_DAY]).channels("reddit")
    except CorpusError as error:
        raise LocalSetupError(f"The corpus cannot be served: {error}") from error

"""What stands in for a PocketBase, a language model and weights that nobody has configured.

With an empty environment a real day needs no account: PocketBase and a small language model run
beside the pipeline, and the embedding model's weights come from an installed package. Each setting
that names a service of the user's own replaces its stand-in.
"""

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from issue_pipeline.local.chosen_model import ChosenModel, chosen_model
from issue_pipeline.local.folder_lock import only_user_of
from issue_pipeline.local.language_model import DEFAULT_THREADS, language_model_server
from issue_pipeline.local.model_weights import PACKAGE as WEIGHTS_PACKAGE
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.local.processes import LocalServer
from issue_pipeline.utils.proxies import no_proxy_for_loopback

# PocketBase's own default; another one if it is taken.
PREFERRED_PORT = 8090
LOCK_FILE = "in-use.lock"
_STORE_SETTINGS = ("POCKETBASE_URL", "POCKETBASE_EMAIL", "POCKETBASE_PASSWORD")


@dataclass(frozen=True, slots=True)
class StandIns:
    """What this machine provides itself.

    Attributes:
        pocketbase: Whether a PocketBase is to run here.
        model: The language model to serve here; ``None`` if the models are served elsewhere.
        embedding_weights: Whether the packaged weights of the embedding model are to be used.
    """

    pocketbase: bool
    model: ChosenModel | None
    embedding_weights: bool

    @property
    def is_small_model(self) -> bool:
        """Whether labels come from the small model that comes along, which only chooses titles."""
        return self.model is not None and self.model.style == "choose"


def needed_stand_ins(environment: Mapping[str, str]) -> StandIns:
    """Return what stands in, since the environment does not name it.

    Args:
        environment: With what ``.env`` says in it.

    Raises:
        LocalSetupError: The small model is wanted and not installed, or a model's server is named
            but no model.
    """

    def is_set(*names: str) -> bool:
        return any((environment.get(name) or "").strip() for name in names)

    model = None
    if is_set("LLM_LOCAL_MODEL", "LLM_LOCAL_BASE_URL") or not is_set("LLM_REMOTE_MODEL"):
        chosen = chosen_model()
        model = chosen if chosen.file is not None else None
    return StandIns(
        pocketbase=not is_set(*_STORE_SETTINGS),
        model=model,
        embedding_weights=not is_set("EMBEDDING_MODEL")
        and importlib.util.find_spec(WEIGHTS_PACKAGE) is not None,
    )


@dataclass(frozen=True)
class RunningStandIns:
    """The stand-ins while they run.

    Attributes:
        variables: The settings that make the pipeline use them.
        servers: By name: ``pocketbase``, ``language_model``.
    """

    variables: Mapping[str, str] = field(repr=False)
    servers: Mapping[str, LocalServer] = field(repr=False)

    def require_running(self) -> None:
        """Raise ``ServiceError`` with its last words if one of the servers has ended."""
        for server in self.servers.values():
            server.require_running()


@contextmanager
def running_stand_ins(wanted: StandIns, folder: Path) -> Iterator[RunningStandIns]:
    """Run the stand-ins until the block ends, however it ends.

    They start concurrently and are ready when this yields. PocketBase's data and its superuser stay
    in the folder (``pocketbase/``, ``pocketbase/superuser.json`` with mode 600) for the next time.

    Args:
        wanted: Which ones.
        folder: For data and logs; made if missing.

    Raises:
        LocalSetupError: Something needed is missing, or another process serves from the folder.
        ServiceError: A server did not start.
    """
    folder = folder.resolve()
    logs = folder / "logs"
    servers: dict[str, LocalServer] = {}
    variables = no_proxy_for_loopback(os.environ)
    with ExitStack() as stack:
        if wanted.pocketbase:
            remedy = "stop it first (Ctrl-C there), or materialise the day in its UI."
            stack.enter_context(only_user_of(folder / "pocketbase", LOCK_FILE, remedy))
            servers["pocketbase"] = PocketBaseServer(
                folder / "pocketbase", log=logs / "pocketbase.log", preferred_port=PREFERRED_PORT
            )
        if wanted.model is not None and wanted.model.file is not None:
            servers["language_model"] = language_model_server(
                wanted.model.file, log=logs / "language_model.log", threads=DEFAULT_THREADS
            )
        for server in servers.values():
            stack.callback(server.stop)
            server.start()
        if wanted.embedding_weights:
            variables |= {"EMBEDDING_MODEL": str(all_minilm_folder()), "HF_HUB_OFFLINE": "1"}
        for server in servers.values():
            server.wait_until_ready()
        match servers.get("pocketbase"):
            case PocketBaseServer() as store:
                who = store.superuser
                values = (store.url, who.email, who.password)
                variables |= dict(zip(_STORE_SETTINGS, values, strict=True))
        if wanted.model is not None:
            variables |= wanted.model.variables(servers["language_model"].url)
        yield RunningStandIns(variables, servers)

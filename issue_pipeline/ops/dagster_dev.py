"""``dagster dev`` as a child: the UI, the daemon and its schedules, beside services of ours."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dotenv import load_dotenv
from rich.console import Console

from issue_pipeline.errors import ConfigurationError, IssuePipelineError
from issue_pipeline.local.errors import ServiceError
from issue_pipeline.local.processes import ManagedProcess
from issue_pipeline.local.stand_ins import needed_stand_ins, running_stand_ins
from issue_pipeline.ops.announcement import one_improvement, outlooks
from issue_pipeline.ops.dagster_home import DEFAULT_DAGSTER_HOME, prepare_dagster_home
from issue_pipeline.ops.run_day import DATA_FOLDER, require_settings
from issue_pipeline.resources.collectors.registry import SOURCES

# Time for its webserver, daemon and code server to stop in good order.
DAGSTER_GRACE_S = 20.0
_CHECK_S = 1.0
# Settings that are paths; Dagster is started in another folder.
_PATHS = {"ISSUES_DUCKDB_PATH": "data/issues.duckdb", "ISSUES_CACHE_DIR": ""}


def run_dagster_dev(
    folder: Path,
    options: Sequence[str],
    environment: Mapping[str, str],
    require_running: Callable[[], None],
) -> None:
    """Run ``dagster dev`` until Ctrl-C.

    Args:
        folder: That it starts in. Dagster reads ``.env`` there over the environment that it is
            given, so it should hold none.
        options: Of ``dagster dev``.
        environment: Variables on top of our own.
        require_running: Raises ``ServiceError`` if a service that it needs has ended.

    Raises:
        ServiceError: It, or a service, ended by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    module = ["--module-name", "issue_pipeline.definitions"]
    with ManagedProcess(
        "dagster dev",
        [sys.executable, "-m", "dagster", "dev", *module, *options],
        log=None,
        environment=os.environ | environment,
        stop_grace_s=DAGSTER_GRACE_S,
    ) as process:
        while process.is_running():
            require_running()
            time.sleep(_CHECK_S)
    raise ServiceError("dagster dev ended by itself; why, it says above.")


def run_real_dev(options: Sequence[str]) -> int:
    """Run the UI, the daemon and the schedules on the real sources until Ctrl-C.

    What nobody has configured runs beside them, as for one day (``run_day``).

    Args:
        options: Passed on to ``dagster dev``: ``["--port", "3001"]``.

    Returns:
        The exit status: 0; 1 if a service or the UI did not start or ended by itself; 2 if a
        setting is missing or malformed.
    """
    load_dotenv(".env")
    console = Console(soft_wrap=True, highlight=False)
    try:
        require_settings(os.environ)
        _run_real(options, console)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except IssuePipelineError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _run_real(options: Sequence[str], console: Console) -> None:
    # Imported late: it reads the environment when it loads, and names every malformed setting.
    import issue_pipeline.definitions  # noqa: F401
    from issue_pipeline.settings import active_sources, collect_at

    wanted, sources = needed_stand_ins(os.environ), active_sources()
    for name, one in outlooks(sources).items():
        console.print(
            f"{SOURCES[name].title}, daily at {collect_at(name):%H:%M} UTC: {one.words}",
            markup=False,
        )
    if better := one_improvement(sources, wanted, os.environ):
        console.print(f"One setting would make it better: {better}", markup=False)
    home = os.environ.get("DAGSTER_HOME", "").strip()
    prepare_dagster_home(Path(home) if home else DEFAULT_DAGSTER_HOME)
    with running_stand_ins(wanted, DATA_FOLDER) as running:
        environment = {**os.environ, **running.variables}
        console.print(f"The live page: {environment['POCKETBASE_URL'].rstrip('/')}/", markup=False)
        run_dagster_dev(
            DATA_FOLDER, options, {**environment, **_absolute(environment)}, running.require_running
        )


def _absolute(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that are paths below the folder we are in, as absolute ones."""
    values = {name: environment.get(name) or default for name, default in _PATHS.items()}
    if Path(model := environment.get("EMBEDDING_MODEL") or "").is_dir() and model:
        values["EMBEDDING_MODEL"] = model
    return {name: str(Path(value).absolute()) for name, value in values.items() if value}

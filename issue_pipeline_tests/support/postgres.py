"""A real PostgreSQL server, Debian's, in a temporary folder and on the loopback interface."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from issue_pipeline.local.ports import ReservedPort
from issue_pipeline.local.processes import ManagedProcess

# PostgreSQL refuses to run as root.
USER = "nobody"
START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server with one empty database."""

    port: int
    password: str
    log: Path

    def environment(self) -> dict[str, str]:
        """What deploy/postgres/dagster.yaml reads."""
        return {
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(self.port),
            "DAGSTER_POSTGRES_USER": "dagster",
            "DAGSTER_POSTGRES_PASSWORD": self.password,
            "DAGSTER_POSTGRES_DB": "postgres",
        }

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Run a statement that returns rows."""
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user="dagster",
            password=self.password,
            dbname="postgres",
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()


@contextmanager
def postgres_server(*options: str) -> Iterator[PostgresServer]:
    """Run a server until the block ends; skips the test where there is none to run.

    Args:
        options: Such as ``max_connections=50``.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("Debian's package postgresql is not installed")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    data, password = folder / "data", secrets.token_hex(16)
    as_user: list[str] = []
    if os.getuid() == 0:
        as_user = ["setpriv", f"--reuid={USER}", "--clear-groups"]
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    try:
        secret = folder / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        subprocess.run(
            [
                *as_user,
                str(programs / "initdb"),
                f"--pgdata={data}",
                "--username=dagster",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        secret.unlink()
        with ReservedPort() as port:
            server = PostgresServer(port.number, password, folder / "log")
            command = [*as_user, str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
            command += ["-h", "127.0.0.1", "-p", str(port.number), "-c", "fsync=off"]
            for option in options:
                command += ["-c", option]
            ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port.number)]
            process = ManagedProcess("PostgreSQL", command, log=server.log)
            with process:
                process.wait_until_ready(
                    lambda: subprocess.run(ready, capture_output=True).returncode == 0,
                    START_LIMIT_S,
                )
                yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Both stores can be copied while they are used, and put back."""

import os
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import httpx
import pytest

from issue_pipeline.errors import StoreError
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.ops.backup import back_up
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import silver

DAY = date(2026, 3, 10)


@pytest.fixture
def database(tmp_path: Path) -> IssuesDatabase:
    database = IssuesDatabase(database=str(tmp_path / "it's" / "issues.duckdb"))
    with database.write() as connection:
        silver.replace_day(connection, DAY, [], [("post", -1)])
    return database


def test_a_copy_put_in_place_is_the_database_as_it_was(database, tmp_path):
    copy = tmp_path / "backups" / "monday.duckdb"
    back_up(database, copy)
    with database.write() as connection:
        silver.replace_day(connection, DAY, [], [])
    shutil.copyfile(copy, database.database)
    with database.write() as connection:  # writable, with keys and all
        assert silver.is_clustered(connection, DAY)
        assert connection.execute("SELECT count(*) FROM migrations").fetchone() > (0,)
    assert sorted(path.name for path in copy.parent.iterdir()) == ["monday.duckdb"]


def test_no_copy_overwrites_another_one(database, tmp_path):
    copy = tmp_path / "monday.duckdb"
    copy.write_text("older")
    with pytest.raises(StoreError, match="exists already"):
        back_up(database, copy)
    assert copy.read_text() == "older"


def test_the_command_names_what_it_cannot_find(tmp_path):
    environment = {**os.environ, "ISSUES_DUCKDB_PATH": str(tmp_path / "none.duckdb")}
    command = [sys.executable, "-m", "issue_pipeline.cli", "backup", str(tmp_path / "copy")]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert "ISSUES_DUCKDB_PATH" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_pocketbase_is_restored_from_its_own_backup(tmp_path):
    issue = {"issue_date": "2026-03-10", "title": "Exports fail", "size": 7, "category": "devtools"}
    with PocketBaseServer(tmp_path / "one", log=tmp_path / "one.log") as server:
        user = {"identity": server.superuser.email, "password": server.superuser.password}
        with httpx.Client(base_url=server.url) as client:
            login = "/api/collections/_superusers/auth-with-password"
            client.headers["Authorization"] = client.post(login, json=user).json()["token"]
            made = client.post("/api/collections/issues/records", json={**ISSUE, **issue})
            assert made.is_success, made.text
            assert client.post("/api/backups", json={"name": "monday.zip"}).status_code == 204
    folder = tmp_path / "two" / "data"
    with zipfile.ZipFile(tmp_path / "one" / "data" / "backups" / "monday.zip") as backup:
        backup.extractall(folder)
    with PocketBaseServer(tmp_path / "two", log=tmp_path / "two.log") as server:
        records = httpx.get(f"{server.url}/api/collections/issues/records").json()["items"]
    assert [record["title"] for record in records] == ["Exports fail"]


ISSUE = {
    "cluster_id": 0,
    "fingerprint": "0" * 64,
    "description": "Exports stop half-way.",
    "would_pay": False,
    "impact": "low",
    "sources": {"github": 7},
    "complete": True,
}


FILLS_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from issue_pipeline.errors import StoreFullError
from issue_pipeline.ops.backup import back_up
from issue_pipeline.resources.duckdb import IssuesDatabase
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = IssuesDatabase(database=sys.argv[1])
with database.write() as connection:
    connection.execute("CREATE TABLE posts AS SELECT md5(range::VARCHAR) FROM range(200000)")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    back_up(database, Path(sys.argv[2]))
except StoreFullError as error:
    print(error.may_pass, error)
"""


@pytest.mark.parametrize("room", [4_096, 400_000])
def test_a_full_disk_leaves_no_half_copy_and_is_named(tmp_path, room):
    there, copy = tmp_path / "issues.duckdb", tmp_path / "backups" / "monday.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(there), str(copy), str(room)],
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(f"True The copy {copy} could not be made"), done.stderr
    assert f"The disk of {copy.parent} is full. The database is as it was." in done.stdout
    assert list(copy.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(database, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="name a file in a folder that can be written to"):
        back_up(database, tmp_path / "file" / "copy.duckdb")


def test_a_restore_as_documented_works_beside_what_was_written_last(database, tmp_path):
    copy = tmp_path / "monday.duckdb"
    back_up(database, copy)
    writer = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        "c.execute('CREATE TABLE late AS SELECT 1 AS one'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", writer, database.database], check=True)
    wal = Path(f"{database.database}.wal")
    assert wal.exists()
    Path(database.database).unlink()
    wal.unlink()
    shutil.copyfile(copy, database.database)
    with database.read() as connection:
        assert silver.is_clustered(connection, DAY)

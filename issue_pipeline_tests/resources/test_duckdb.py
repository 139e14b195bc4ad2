"""One file, many processes: writers take turns, readers share, nothing half-written stays."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
import stamina

from issue_pipeline.errors import StoreError, StoreFullError
from issue_pipeline.resources import duckdb as module
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import gold, live

LIMIT_S = 60
COUNT = "SELECT count(*), count(DISTINCT cluster_id) FROM gold.live_issues"

# Each turn reads the highest number there is and writes the next: lost turns would repeat one.
INSERT_NEXT = (
    "INSERT INTO gold.live_issues SELECT DATE '2026-03-10', coalesce(max(cluster_id) + 1, 0),"
    " uuid(), 'hash', 'published', '', TIMESTAMP '2026-03-12 00:00:00' FROM gold.live_issues"
)
PROGRAM = """
import os, signal, sys
from issue_pipeline.resources.duckdb import IssuesDatabase
database = IssuesDatabase(database=sys.argv[1])
task, statement = sys.argv[2:]
if task == "turns":
    for _ in range(8):
        with database.write() as connection:
            connection.execute(statement)
elif task == "hold":
    with database.write() as connection:
        connection.execute(statement)
        print("held", flush=True)
        sys.stdin.readline()
elif task == "die":
    with database.write() as connection:
        connection.execute(statement)
        os.kill(os.getpid(), signal.SIGKILL)
elif task == "read":
    with database.read() as connection:
        print(connection.execute(statement).fetchone(), flush=True)
"""


@pytest.fixture
def database(tmp_path) -> IssuesDatabase:
    return IssuesDatabase(database=str(tmp_path / "folder" / "issues.duckdb"))


def start(database: IssuesDatabase, task: str, statement: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, database.database, task, statement]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )


@contextmanager
def held(database: IssuesDatabase) -> "Iterator[subprocess.Popen[str]]":
    """Another process that has the file open for writing until it is told to go on."""
    with start(database, "hold", INSERT_NEXT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        finish(process)


def finish(process: "subprocess.Popen[str]") -> str:
    told, _ = process.communicate("go on\n" if process.poll() is None else None, timeout=LIMIT_S)
    return told


def count(database: IssuesDatabase) -> int:
    with database.read() as connection:
        total, distinct = connection.execute(COUNT).fetchone() or (0, 0)
    assert total == distinct
    return int(total)


def test_reading_before_anything_was_written_finds_empty_tables(database):
    assert count(database) == 0


def test_what_was_written_is_read(database):
    with database.write() as connection:
        connection.execute(INSERT_NEXT)
    assert count(database) == 1


def test_the_usual_way_to_get_a_connection_writes_in_a_transaction_too(database):
    with pytest.raises(ZeroDivisionError), database.get_connection() as connection:
        connection.execute(INSERT_NEXT)
        raise ZeroDivisionError
    assert count(database) == 0


def test_an_exception_takes_back_everything_and_leaves_no_lock(database):
    with database.write() as connection:
        connection.execute(INSERT_NEXT)
    with pytest.raises(ZeroDivisionError) as kept, database.write() as connection:
        connection.execute("DELETE FROM gold.live_issues")
        connection.execute(INSERT_NEXT)
        connection.execute(INSERT_NEXT)
        raise ZeroDivisionError
    # The traceback is alive, and another process can write all the same.
    with held(database):
        pass
    assert count(database) == 2
    assert kept.value is not None


def test_a_statement_that_fails_takes_back_the_ones_before(database):
    with pytest.raises(duckdb.Error), database.write() as connection:
        connection.execute(INSERT_NEXT)
        connection.execute("INSERT INTO gold.live_issues SELECT NULL")
    assert count(database) == 0


def test_readers_cannot_write(database):
    with pytest.raises(duckdb.Error, match="read-only"), database.read() as connection:
        connection.execute(INSERT_NEXT)


def test_two_processes_that_write_take_turns(database):
    with start(database, "turns", INSERT_NEXT) as one, start(database, "turns", INSERT_NEXT) as two:
        for _ in range(4):
            with database.write() as connection:
                connection.execute(INSERT_NEXT)
        finish(one)
        finish(two)
    assert (one.returncode, two.returncode) == (0, 0)
    assert count(database) == 20


def test_readers_of_two_processes_share_the_file(database):
    with database.write() as connection:
        connection.execute(INSERT_NEXT)
    with database.read() as connection, start(database, "read", COUNT) as other:
        assert finish(other) == "(1, 1)\n"
        assert connection.execute(COUNT).fetchone() == (1, 1)


def test_a_reader_waits_for_the_writer_and_sees_what_it_wrote(database):
    waiting = threading.Event()
    seen: list[int] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: waiting.set()])
    try:
        with held(database) as writer:
            reader = threading.Thread(target=lambda: seen.append(count(database)))
            reader.start()
            assert waiting.wait(LIMIT_S)  # it has met the lock
            assert seen == []
            finish(writer)
            reader.join(LIMIT_S)
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert seen == [1]


def test_a_lock_that_is_never_let_go_is_named_with_what_to_do(database, monkeypatch):
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 0.2)
    with (
        held(database),
        pytest.raises(StoreError, match=r"issues\.duckdb.*[\s\S]*Another process.*close it"),
        database.write(),
    ):
        pass


def test_a_killed_writer_leaves_what_was_there_before(database):
    with database.write() as connection:
        connection.execute(INSERT_NEXT)
    with start(database, "die", INSERT_NEXT) as victim:
        finish(victim)
    assert victim.returncode == -signal.SIGKILL
    assert count(database) == 1
    with database.write() as connection:
        connection.execute(INSERT_NEXT)
    assert count(database) == 2


def test_a_file_that_is_no_database_names_the_setting(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all " * 1000)
    with (
        pytest.raises(StoreError, match=r"notes\.txt[\s\S]*ISSUES_DUCKDB_PATH"),
        IssuesDatabase(database=str(path)).write(),
    ):
        pass


def test_settings_of_the_connection_are_used(tmp_path):
    path = str(tmp_path / "issues.duckdb")
    database = IssuesDatabase(database=path, connection_config={"threads": "1"})
    for connect in (database.write, database.read):
        with connect() as connection:
            assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)


# As this table was before labels told what they took and why there is none.
OLD_TABLE = """
CREATE SCHEMA gold;
CREATE TABLE gold.issues (
    cluster_date DATE NOT NULL, cluster_id INTEGER NOT NULL, cluster_fingerprint VARCHAR NOT NULL,
    cluster_size INTEGER NOT NULL, canonical_title VARCHAR, category VARCHAR, description VARCHAR,
    would_pay_signal BOOLEAN, impact_level VARCHAR, label_failed BOOLEAN NOT NULL,
    label_source VARCHAR NOT NULL, model VARCHAR NOT NULL, prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL, cost_usd DOUBLE NOT NULL, labeled_at TIMESTAMP NOT NULL,
    PRIMARY KEY (cluster_date, cluster_id)
);
INSERT INTO gold.issues VALUES (
    '2026-03-10', 0, 'fingerprint', 12, 'Exports fail', 'devtools', 'They do.', true, 'high', false,
    'local', 'openai/small', 812, 64, 0.3, '2026-03-12 12:00:00'
);
"""


def test_an_older_file_is_brought_up_to_date_by_whoever_opens_it_first(tmp_path):
    day = date(2026, 3, 10)
    for opening in ("read", "write"):
        path = str(tmp_path / f"{opening}.duckdb")
        with duckdb.connect(path) as connection:
            connection.execute(OLD_TABLE)
        database = IssuesDatabase(database=path)
        with getattr(database, opening)() as connection:
            [row] = gold.issues_of_day(connection, day)
        assert (row.canonical_title, row.attempts, row.seconds, row.failure) == (
            "Exports fail",
            0,
            0.0,
            "",
        )
        assert not row.is_waiting
        with database.write() as connection:
            gold.replace_day(connection, day, [row], [])
            assert gold.issues_of_day(connection, day) == [row]


def test_an_older_file_gets_room_for_a_record_that_is_withdrawn_beside_its_successor(tmp_path):
    path, day = str(tmp_path / "issues.duckdb"), date(2026, 3, 10)
    with duckdb.connect(path) as connection:
        connection.execute(
            "CREATE SCHEMA gold; CREATE TABLE gold.live_issues (cluster_date DATE NOT NULL,"
            " cluster_id INTEGER NOT NULL, record_id VARCHAR NOT NULL, content_hash VARCHAR NOT"
            " NULL, state VARCHAR NOT NULL, error VARCHAR NOT NULL, synced_at TIMESTAMP NOT NULL,"
            " PRIMARY KEY (cluster_date, cluster_id)); INSERT INTO gold.live_issues VALUES"
            " ('2026-03-10', 0, 'old', 'hash', 'published', '', '2026-03-12 12:00:00')"
        )
    with IssuesDatabase(database=path).write() as connection:
        [old] = live.rows_of_day(connection, day)
        both = [replace(old, record_id="new"), replace(old, state="withdrawing")]
        live.replace_day(connection, day, both)
        assert live.rows_of_day(connection, day) == both


def test_an_up_to_date_file_is_read_without_writing(database):
    with database.write():
        pass
    before = Path(database.database).stat().st_mtime_ns
    assert count(database) == 0
    assert Path(database.database).stat().st_mtime_ns == before


# --- A file that cannot be opened, a disk that is full ------------------------------------------

# What DuckDB says of a file system's answer to a lock: flock(2) by way of NFS, 9P, FUSE and such.
NO_LOCKS = [
    "No locks available",
    "Function not implemented",
    "File locks are not supported for this file system, cannot open the file in read-write mode",
]


@pytest.mark.parametrize("words", NO_LOCKS)
def test_a_file_system_without_locks_is_named_at_once(database, monkeypatch, words):
    opened = []

    def refuse(*_: object, **__: object) -> None:
        opened.append(1)
        raise duckdb.IOException(f'IO Error: Could not set lock on file "x.duckdb": {words}.')

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(StoreError, match="has no file locks") as caught, database.write():
        pass
    assert not caught.value.may_pass
    assert "Another process" not in str(caught.value)
    assert len(opened) == 1


@pytest.mark.parametrize("holder", ["Conflicting lock is held in PID 7", "Lock is already held"])
def test_a_lock_that_is_held_is_waited_for(database, monkeypatch, holder):
    connect, opened = duckdb.connect, []

    def refuse_once(*given: object, **named: object) -> duckdb.DuckDBPyConnection:
        opened.append(1)
        if len(opened) == 1:
            raise duckdb.IOException(f'IO Error: Could not set lock on file "x": {holder}')
        return connect(*given, **named)

    monkeypatch.setattr(duckdb, "connect", refuse_once)
    with database.write():
        pass
    assert len(opened) > 1


LEAVES_WAL = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE more AS SELECT range AS number FROM range(1000)")
os._exit(0)
"""


@pytest.fixture
def left_over(database) -> Path:
    """The .wal file of a database that was removed without it."""
    with database.write():
        pass
    subprocess.run([sys.executable, "-c", LEAVES_WAL, database.database], check=True)
    Path(database.database).unlink()
    wal = Path(f"{database.database}.wal")
    assert wal.stat().st_size > 0
    return wal


@pytest.mark.parametrize("access", ["read", "write"])
def test_the_wal_of_another_database_is_named_with_what_to_do(database, left_over, access):
    other = IssuesDatabase(database=f"{database.database}.other")
    with other.write():
        pass
    Path(other.database).rename(database.database)
    with pytest.raises(StoreError, match=r"issues\.duckdb\.wal") as caught:
        getattr(database, access)().__enter__()
    said = str(caught.value)
    assert "does not belong to the database beside it" in said
    assert "Check ISSUES_DUCKDB_PATH" not in said
    left_over.rename(f"{left_over}.away")
    assert count(database) == 0


def test_a_damaged_wal_is_named_with_what_to_do(database):
    with database.write():
        pass
    subprocess.run([sys.executable, "-c", LEAVES_WAL, database.database], check=True)
    wal = Path(f"{database.database}.wal")
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 0xFF
    wal.write_bytes(content)
    with pytest.raises(StoreError, match=r"\.wal does not belong .* or is damaged"):
        database.read().__enter__()
    wal.unlink()
    assert count(database) == 0


def test_a_damaged_database_says_so(database):
    with database.write() as connection:
        connection.execute("CREATE TABLE more AS SELECT md5(range::VARCHAR) FROM range(20000)")
    content = bytearray(Path(database.database).read_bytes())
    content[5000:9000] = b"x" * 4000
    Path(database.database).write_bytes(content)
    with pytest.raises(StoreError, match="damaged or no database"), database.read():
        pass


FILLS_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from issue_pipeline.errors import StoreFullError
from issue_pipeline.resources.duckdb import IssuesDatabase
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = IssuesDatabase(database=sys.argv[1])
with database.write() as connection:
    connection.execute("CREATE TABLE posts (number BIGINT, text VARCHAR)")
room = Path(sys.argv[1]).stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    with database.write() as connection:
        connection.execute(
            "INSERT INTO posts SELECT range, md5(range::VARCHAR) FROM range(200000)"
        )
except StoreFullError as error:
    print(error.may_pass, error)
with database.read() as connection:
    print(connection.execute("SELECT count(*) FROM posts").fetchone())
"""


@pytest.mark.parametrize("room", [10_000, 1_000_000], ids=["at once", "at commit"])
def test_a_full_disk_is_named_with_its_folder_and_may_pass(tmp_path, room):
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(tmp_path / "issues.duckdb"), str(room)],
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("True The database"), done.stdout + done.stderr
    assert f"make room on {tmp_path}" in done.stdout
    assert done.stdout.rstrip().endswith("(0,)")


@pytest.mark.parametrize(
    "error",
    [
        duckdb.TransactionException("Failed to commit: Could not write file: No space left on dev"
                                    "ice"),
        duckdb.IOException("IO Error: Could not write file: Disk quota exceeded"),
        duckdb.FatalException("Checkpoint failed: No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_every_way_in_which_duckdb_reports_a_full_disk_is_read(database, error):
    with pytest.raises(StoreFullError, match="make room on"), database.write():
        raise error


def test_a_mistake_in_a_statement_is_no_full_disk(database):
    with pytest.raises(duckdb.CatalogException), database.write() as connection:
        connection.execute("INSERT INTO nowhere VALUES (1)")


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    database = IssuesDatabase(database=str(tmp_path / "file" / "issues.duckdb"))
    with pytest.raises(StoreError, match="ISSUES_DUCKDB_PATH"), database.write():
        pass

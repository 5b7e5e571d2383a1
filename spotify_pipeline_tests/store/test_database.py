"""Opening DuckDB files: always closed, and what is wrong with the file is said."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from spotify_pipeline.store.database import (
    DatabaseBusyError,
    DatabaseError,
    connect,
    connect_apart,
    create_database,
)
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.processes import held_open_by_another_process


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "it's a.duckdb"
    create_database(path)
    with connect(path) as connection:
        connection.execute("CREATE TABLE numbers AS FROM range(200_000) AS t(number)")
    return path


def storage_version(path: Path) -> str:
    with closing(duckdb.connect(path)) as connection:
        row = connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE path IS NOT NULL"
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_the_storage_version_is_kept_by_plain_connections(database: Path) -> None:
    with closing(duckdb.connect(database)) as connection:
        connection.execute("CREATE TABLE more AS FROM numbers")
    assert storage_version(database).startswith("v1.5")


def test_a_file_opened_apart_is_the_one_that_lies_there_now(database: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.duckdb"
    create_database(newer)
    with connect(newer) as connection:
        connection.execute("CREATE TABLE numbers AS FROM range(3) AS t(number)")
    with connect_apart(database) as earlier:
        newer.replace(database)
        with connect_apart(database) as later:
            counts = [
                one.execute("SELECT count(*) FROM numbers").fetchone() for one in (earlier, later)
            ]
    assert counts == [(200_000,), (3,)]
    with pytest.raises(DatabaseError, match="there is no such database"), connect_apart(newer):
        pass


def test_creating_twice_keeps_the_content(database: Path) -> None:
    create_database(database)
    with connect(database, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (200_000,)


def test_creating_in_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="none"):
        create_database(tmp_path / "none" / "a.duckdb")


def test_a_connection_is_closed_after_an_error(database: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        connect(database) as connection,
    ):
        connection.execute("BEGIN; DELETE FROM numbers")
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")
    with held_open_by_another_process(database):
        pass
    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (200_000,)


def test_a_read_only_connection_cannot_write(database: Path) -> None:
    with (
        connect(database, read_only=True) as connection,
        pytest.raises(duckdb.InvalidInputException),
    ):
        connection.execute("DROP TABLE numbers")


def test_a_wrong_query_is_not_blamed_on_the_file(database: Path) -> None:
    with pytest.raises(duckdb.CatalogException), connect(database) as connection:
        connection.execute("FROM nowhere")


@pytest.mark.parametrize("read_only", [True, False])
def test_a_missing_database_is_an_error_and_is_not_created(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "none.duckdb"
    with pytest.raises(DatabaseError, match=r"none\.duckdb"), connect(path, read_only=read_only):
        pass
    assert not path.exists()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_held_by_another_process_is_busy(database: Path, read_only: bool) -> None:
    with (
        held_open_by_another_process(database),
        pytest.raises(DatabaseBusyError, match=r"a\.duckdb: another process"),
        connect(database, read_only=read_only),
    ):
        pass


def test_two_ways_of_opening_at_once_are_an_error(database: Path) -> None:
    with (
        connect(database, read_only=True),
        pytest.raises(DatabaseError, match=r"a\.duckdb"),
        connect(database),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"x" * 50_000])
def test_a_file_that_is_no_database_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.duckdb"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"bad\.duckdb.*damaged"), connect(path):
        pass


@pytest.mark.parametrize("kept", [1000, 8192, 20_000])
def test_a_truncated_database_is_an_error(database: Path, kept: int) -> None:
    database.write_bytes(database.read_bytes()[:kept])
    with pytest.raises(DatabaseError, match="damaged"), connect(database, read_only=True):
        pass


def test_a_damaged_block_is_an_error_that_names_the_file(database: Path) -> None:
    content = bytearray(database.read_bytes())
    for start in range(12_288, len(content), 262_144):
        content[start + 8 : start + 64] = b"z" * 56
    database.write_bytes(content)
    with (
        pytest.raises(DatabaseError, match=r"a\.duckdb.*damaged"),
        connect(database, read_only=True) as connection,
    ):
        connection.execute("SELECT sum(number) FROM numbers").fetchall()


def test_a_database_that_a_full_disk_has_no_room_for_is_created_later(small_disk: Path) -> None:
    path = small_disk / "new.duckdb"
    filler = fill(small_disk, 0)
    with pytest.raises(DatabaseError, match=r"new\.duckdb: the disk is full; nothing is lost"):
        create_database(path)
    assert list(small_disk.iterdir()) == [filler]
    filler.unlink()
    create_database(path)
    assert storage_version(path).startswith("v1.5")


def test_a_commit_that_a_full_disk_has_no_room_for_names_the_file(small_disk: Path) -> None:
    path = small_disk / "new.duckdb"
    create_database(path)
    filler = fill(small_disk, 50_000)
    with (
        pytest.raises(DatabaseError, match=r"new\.duckdb: the disk is full"),
        connect(path) as connection,
    ):
        connection.execute("CREATE TABLE numbers AS FROM range(100_000)")
    filler.unlink()
    with connect(path) as connection:
        assert connection.execute("FROM duckdb_tables()").fetchall() == []

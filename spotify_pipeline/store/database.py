"""DuckDB files: how one is created, and how every room opens and closes one.

Belongs here: creating a database file, connecting to it, and turning DuckDB's complaints about the
file itself into errors a user can act on. Does not belong here: schemas and queries; each database
has a module of its own.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb

from spotify_pipeline.errors import PipelineError

__all__ = [
    "ATTACHED",
    "STORAGE_VERSION",
    "DatabaseBusyError",
    "DatabaseError",
    "connect",
    "connect_apart",
    "connect_patiently",
    "create_database",
    "unless_busy",
]

_Read = TypeVar("_Read")

STORAGE_VERSION = "v1.5.0"
"""The file format: clients from DuckDB 1.5 on can open it, and a later client keeps it."""

BUSY_PAUSE = 0.2
"""Seconds between two tries to open a busy file."""

ATTACHED = "attached"
"""Name of a file that is opened apart."""


class DatabaseError(PipelineError):
    """A DuckDB file is missing, damaged, or cannot be read or written."""


class DatabaseBusyError(DatabaseError):
    """A DuckDB file is locked: another process has it open."""


def create_database(path: Path) -> None:
    """Create an empty DuckDB file of `STORAGE_VERSION`; an existing database stays as it is.

    Raises
    ------
    DatabaseError
        The folder is missing or not writable, or the file is there but is no database, or is one
        of a newer format.
    DatabaseBusyError
        The file is there and another process has it open.
    """
    existed = path.exists()
    try:
        with duckdb.connect() as memory:
            memory.execute(
                f"ATTACH '{_quoted(path)}' AS created"
                f" (TYPE duckdb, STORAGE_VERSION '{STORAGE_VERSION}')"
            )
    except duckdb.Error as error:
        if not existed and _is_full_disk(error):
            path.unlink(missing_ok=True)  # it would pass for a database that is damaged
        raise _database_error(path, error) from error


@contextmanager
def connect(
    path: Path, *, read_only: bool = False, row_group_rows: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for the length of a ``with`` block; it is closed whatever happens there.

    Parameters
    ----------
    path
        A file that `create_database` made: one that is missing is an error, never created here.
    read_only
        Several processes can read at once; one that writes shuts all others out.
    row_group_rows
        Rows of a group in tables that are created here, of which DuckDB keeps the least and the
        greatest value; None for its own number.

    Raises
    ------
    DatabaseError
        The file is missing, no database, or damaged, or the disk fails or is full. Other errors
        of DuckDB, such as those of a wrong query, pass through.
    DatabaseBusyError
        Another process holds the lock.
    """
    if not path.exists():
        raise DatabaseError(f"{path}: there is no such database")
    try:
        if row_group_rows is None:
            with duckdb.connect(path, read_only=read_only) as connection:
                yield connection
        else:
            # a setting of attached databases alone
            with duckdb.connect() as connection:
                connection.execute(
                    f"ATTACH '{_quoted(path)}' AS written (ROW_GROUP_SIZE {row_group_rows})"
                )
                connection.execute("USE written")
                yield connection
    except duckdb.Error as error:
        if not _is_about_the_file(error):
            raise
        raise _database_error(path, error) from error


@contextmanager
def connect_apart(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for reading as it is now, whatever this process has open of that name.

    While a file is open, DuckDB gives the same one again to whoever connects to its name, though
    another file has taken its place.

    Raises
    ------
    DatabaseError, DatabaseBusyError
        See `connect`.
    """
    if not path.exists():
        raise DatabaseError(f"{path}: there is no such database")
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{_quoted(path)}' AS {ATTACHED} (READ_ONLY)")
            connection.execute(f"USE {ATTACHED}")
            yield connection
    except duckdb.Error as error:
        if not _is_about_the_file(error):
            raise
        raise _database_error(path, error) from error


@contextmanager
def connect_patiently(
    path: Path, seconds: float, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file, for writing by default, waiting for another process to close it.

    Raises
    ------
    DatabaseBusyError
        It is still busy after so many seconds.
    DatabaseError
        See `connect`.
    """
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        while True:
            try:
                connection = stack.enter_context(connect(path, read_only=read_only))
                break
            except DatabaseBusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(BUSY_PAUSE)
        yield connection


def unless_busy(read: Callable[[Path], _Read], path: Path) -> _Read | None:
    """Read a database; None while another process writes it."""
    try:
        return read(path)
    except DatabaseBusyError:
        return None


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("'", "''")


def _is_about_the_file(error: duckdb.Error) -> bool:
    # A block that fails its checksum is raised as the bare base class.
    return (
        type(error) is duckdb.Error
        or isinstance(
            error, (duckdb.IOException, duckdb.ConnectionException, duckdb.FatalException)
        )
        or _is_full_disk(error)
    )


def _is_full_disk(error: duckdb.Error) -> bool:
    # DuckDB has no type for it: it comes as an error of a file, a commit or a checkpoint.
    return os.strerror(errno.ENOSPC) in str(error)


def _database_error(path: Path, error: duckdb.Error) -> DatabaseError:
    """Word an error about a file: what is the matter, what to do, and DuckDB's own text."""
    text = str(error)
    if "Could not set lock" in text or "being used by another process" in text:
        return DatabaseBusyError(
            f"{path}: another process has this database open: wait until it is done, or stop it, "
            f"and try again ({text})"
        )
    if type(error) is duckdb.Error or "not a valid DuckDB" in text or "read enough bytes" in text:
        return DatabaseError(
            f"{path}: the database is damaged: remove it and build it again ({text})"
        )
    if _is_full_disk(error):
        return DatabaseError(
            f"{path}: the disk is full; nothing is lost: make room, then run it again ({text})"
        )
    return DatabaseError(f"{path}: the database cannot be used ({text})")

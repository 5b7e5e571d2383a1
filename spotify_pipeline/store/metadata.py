"""``meta.duckdb``: the catalogue's tables, built beside the file in service and swapped in.

Whoever reads sees the previous file until the new one is whole. A table keeps the rows, columns and
order of its source.

Belongs here: building the file. Does not belong here: what it says of its sources
(`metadata_ledger`), reading the source's format, and questions to the catalogue.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.metadata import (
    PACKED_NAME,
    UNPACKED_NAME,
    SourceTable,
    discard_unpacked,
    inspect_table,
    read_table,
    unpack,
    unpacked_size,
)
from spotify_pipeline.dump.redirects import read_redirects
from spotify_pipeline.dump.tables import (
    ALL_TABLES,
    TABLES,
    TableDefinition,
)
from spotify_pipeline.progress import Report
from spotify_pipeline.space import AT_ONCE, SpaceGuard
from spotify_pipeline.store.database import (
    DatabaseBusyError,
    DatabaseError,
    connect,
    create_database,
)
from spotify_pipeline.store.metadata_layout import (
    KEY_SCHEMA,
    LINK_KEYS,
    ROW_GROUP_ROWS,
    SORT_MEMORY,
    build_key_tables,
    sort_links,
)
from spotify_pipeline.store.metadata_ledger import (
    LEDGER,
    LEDGER_DEFINITION,
    SourceFile,
    loaded_source,
)
from spotify_pipeline.store.metadata_types import (
    SOURCE_SCHEMA,
    database_type,
    source_view,
    typed_batch,
    typed_schema,
)
from spotify_pipeline.syncing import sync

__all__ = ["MetadataLoad", "build_metadata"]

DATABASE_RATIO = 0.7
"""Of the database, while it is written, to the SQLite file: of synthetic rows in the dump's
proportions it takes 197 bytes a track, half of the 388 of a file with the dump's indexes."""


@dataclass(frozen=True)
class MetadataLoad:
    """What a load did.

    Attributes
    ----------
    source
        The file that was loaded.
    rows
        Rows of each table that was loaded, in the tables' order.
    database_bytes
        Size of the new database.
    seconds
        How long it took, unpacking included, waiting for space not.
    nulls
        ``table.column`` to the count of NULLs, where the source promises none and has some.
    extra_columns
        ``table.column`` of each column of the source that was left out.
    """

    source: SourceFile
    rows: Mapping[str, int]
    database_bytes: int
    seconds: float
    nulls: Mapping[str, int]
    extra_columns: tuple[str, ...]


def build_metadata(
    source: Path,
    staging: Path,
    target: Path,
    *,
    tables: Sequence[str] = tuple(TABLES),
    progress: Report | None = None,
    guard: SpaceGuard = AT_ONCE,
) -> MetadataLoad:
    """Load tables of the metadata file into a new database and put it in service.

    Parameters
    ----------
    source
        ``spotify_clean.sqlite3.zst``, or the same unpacked (any name that does not end in
        ``.zst``), or another file of `dump.tables`; it is not changed.
    staging
        Folder to unpack in; what is unpacked there is removed at the end.
    target
        The database to replace. The new one is written beside it as ``<name>.new``.
    tables
        The tables to load, all of which are in the file. The others keep the rows that they have in
        the present database.
    progress
        Called with what is done, the total and a name: bytes and the source's name while
        unpacking, then rows and the table's name. It may be called from another thread.
    guard
        What to wait for space with: before and while the source is unpacked, before it is loaded.

    Raises
    ------
    MetadataError
        The source is damaged or changes meanwhile, or a table's name is unknown.
    SpaceError
        The disk has too little room, for longer than the guard's patience, or is full.
    DatabaseError
        A database cannot be read or written.
    DatabaseBusyError
        Another process is building the same database.

    After any failure the previous database is still in service.
    """
    unknown = sorted(set(tables) - ALL_TABLES.keys())
    if unknown:
        known = ", ".join(ALL_TABLES)
        raise MetadataError(f"no such tables: {', '.join(unknown)}; there are {known}")
    _wait_for_room(source, staging, target, tables, guard)
    started = time.monotonic()
    source_file = SourceFile.of(source)
    with _replacing(target) as building:
        create_database(building)
        with (
            connect(building, row_group_rows=ROW_GROUP_ROWS) as connection,
            _unpacked(source, staging, progress, guard) as database,
        ):
            needed = _database_size(database.stat().st_size, target, tables)
            guard.wait_for(target.parent, needed, f"loading {source}")
            connection.execute(f"SET temp_directory = '{_quoted(_spill(building))}'")
            connection.execute(f"SET memory_limit = '{SORT_MEMORY}'")
            build = _Build(connection, source_file, progress)
            build.create_tables()
            build.keep_tables(target, tables)
            for name in ALL_TABLES:
                if name in tables:
                    build.load_table(database, name)
            build.lay_out()
            connection.execute("CHECKPOINT")
        if SourceFile.of(source) != source_file:
            raise MetadataError(f"{source}: changed while it was read: load it when it is complete")
        database_bytes = building.stat().st_size
    return MetadataLoad(
        source=source_file,
        rows=build.rows,
        database_bytes=database_bytes,
        seconds=time.monotonic() - started,
        nulls=dict(+build.nulls),
        extra_columns=tuple(build.extra_columns),
    )


class _Build:
    """One new database while its tables are filled, and what was seen on the way."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: SourceFile,
        progress: Report | None,
    ) -> None:
        self.connection = connection
        self.source = source
        self.progress = progress
        self.rows: dict[str, int] = {}
        self.nulls: Counter[str] = Counter()
        self.extra_columns: list[str] = []

    def create_tables(self) -> None:
        """Create all tables and the ledger, empty."""
        self.connection.execute(f"CREATE SCHEMA {SOURCE_SCHEMA}")
        for table in ALL_TABLES.values():
            columns = ", ".join(
                f'"{column.name}" {database_type(column)}' for column in table.columns
            )
            self.connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
        self.connection.execute(LEDGER_DEFINITION)

    def keep_tables(self, present: Path, but: Sequence[str]) -> None:
        """Copy the present database's other tables, and their rows of the ledger.

        If all of the catalogue is loaded anew, a present database that is damaged does not matter.
        """
        try:
            loaded = [name for name in loaded_source(present) if name not in but]
        except DatabaseBusyError:
            raise
        except DatabaseError:
            if TABLES.keys() <= set(but):
                return
            raise
        if not loaded:
            return
        self.connection.execute(f"ATTACH '{_quoted(present)}' AS present (TYPE duckdb, READ_ONLY)")
        for name in loaded:
            self.connection.execute(f'INSERT INTO "{name}" BY NAME FROM present."{name}"')
            self.connection.execute(
                f"INSERT INTO {LEDGER} FROM present.{LEDGER} WHERE table_name = ?", [name]
            )
        self.connection.execute("DETACH present")

    def load_table(self, database: Path, name: str) -> None:
        """Load one table from the SQLite file and write its row of the ledger."""
        found, batches = _opened(database, name)
        table = ALL_TABLES[name]
        loaded = _insert(self.connection, table, self._watched(database, table, batches, found))
        if loaded != found.rows:
            raise _miscounted(database, name, found.rows, f"{loaded:,}")
        self.connection.execute(
            f"INSERT INTO {LEDGER} VALUES (?, ?, ?, ?, ?, ?)",
            [
                name,
                self.source.name,
                self.source.size,
                self.source.modified_ns,
                loaded,
                datetime.now(UTC).replace(tzinfo=None),
            ],
        )
        self.rows[name] = loaded
        self.extra_columns += [f"{name}.{column}" for column in found.extra_columns]

    def lay_out(self) -> None:
        """Sort the tables that were loaded, make views over all of them, and key tables."""
        for name in LINK_KEYS:
            if name in self.rows:
                sort_links(self.connection, name)
        for table in ALL_TABLES.values():
            self.connection.execute(source_view(table))
        for name in build_key_tables(self.connection):
            if self.progress is not None:
                self.progress(1, 1, f"{KEY_SCHEMA}.{name}")

    def _watched(
        self,
        database: Path,
        table: TableDefinition,
        batches: Iterable[pa.RecordBatch],
        found: SourceTable,
    ) -> Iterator[pa.RecordBatch]:
        """Give batches with the database's types.

        The progress is reported, and NULLs are counted where none are promised.
        """
        done = 0
        for batch in batches:
            for column in table.columns:
                if not column.nullable:
                    self.nulls[f"{table.name}.{column.name}"] += batch[column.name].null_count
            typed = typed_batch(batch, table, done + 1, database)
            done += batch.num_rows
            if done > found.rows:  # where pages are linked in circles, it would not end
                raise _miscounted(database, table.name, found.rows, f"{done:,} so far")
            if self.progress is not None:
                self.progress(done, found.rows, table.name)
            yield typed


def _miscounted(database: Path, name: str, counted: int, given: str) -> MetadataError:
    return MetadataError(
        f"{database}: table {name} counts {counted:,} rows and gave {given}: the file is damaged; "
        "fetch it again"
    )


def _opened(database: Path, name: str) -> tuple[SourceTable, Iterable[pa.RecordBatch]]:
    """Look at a table in an unpacked source, and give its batches."""
    if name == "artist_redirects":
        batch = read_redirects(database)
        return SourceTable(batch.num_rows, ()), [batch]
    return inspect_table(database, name), read_table(database, name)


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: TableDefinition,
    batches: Iterator[pa.RecordBatch],
) -> int:
    """Insert batches in their order and count their rows."""
    failures: list[BaseException] = []

    # DuckDB pulls the batches itself, which overlaps reading with writing, and wraps an error of
    # theirs into one of its own: the first is kept to be raised as it is.
    def relayed() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except GeneratorExit:
            raise
        except BaseException as error:  # an interrupt too, whatever it is called
            failures.append(error)
            raise

    connection.register(
        "batches", pa.RecordBatchReader.from_batches(typed_schema(table), relayed())
    )
    try:
        inserted = connection.execute(f'INSERT INTO "{table.name}" FROM batches').fetchone()
    except duckdb.Error as error:
        if failures:
            raise failures[0] from error
        raise
    finally:
        connection.unregister("batches")
    return 0 if inserted is None else int(inserted[0])


def _wait_for_room(
    source: Path, staging: Path, target: Path, tables: Sequence[str], guard: SpaceGuard
) -> None:
    """Wait for all the room that a build takes.

    What a killed run left goes first, for it would take that room. Nothing is held meanwhile, so
    another process may build; the build that follows looks again.
    """
    building = _building(target)
    _refuse_if_busy(building)
    _discard(building)
    if source.absolute() != (staging / UNPACKED_NAME).absolute():
        discard_unpacked(staging / UNPACKED_NAME)
    size = SourceFile.of(source).size
    if _is_packed(source):
        size = unpacked_size(source)
        needed = size + _database_size(size, target, tables)
        guard.wait_for(staging, needed, f"unpacking {source}")
    else:
        guard.wait_for(target.parent, _database_size(size, target, tables), f"loading {source}")


def _database_size(unpacked: int, target: Path, tables: Sequence[str]) -> int:
    """Give the bytes that a new database takes at the most, tables that are kept included."""
    keeps = set(tables) != TABLES.keys() and target.exists()
    kept = target.stat().st_size if keeps else 0
    return round(DATABASE_RATIO * unpacked) + kept


def _is_packed(source: Path) -> bool:
    return source.suffix == Path(PACKED_NAME).suffix


@contextmanager
def _unpacked(
    source: Path, staging: Path, progress: Report | None, guard: SpaceGuard
) -> Iterator[Path]:
    """Give the SQLite file of a source, unpacked into staging for as long as it is needed."""
    if not _is_packed(source):
        yield source
        return
    database = staging / UNPACKED_NAME
    report = guard.watching(
        staging, unpacked_size(source), f"unpacking {source}", progress or (lambda *_: None)
    )
    try:
        staging.mkdir(parents=True, exist_ok=True)
        unpack(source, database, report)
        yield database
    finally:
        discard_unpacked(database)


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a path to build at; it replaces the target at the end, or vanishes after a failure."""
    building = _building(target)
    _refuse_if_busy(building)
    try:
        _discard(building)
        yield building
        sync(building)
        building.replace(target)
        sync(target.parent)
    finally:
        _discard(building)


def _building(target: Path) -> Path:
    return target.with_name(f"{target.name}.new")


def _log(building: Path) -> Path:
    """Where DuckDB writes ahead."""
    return building.with_name(f"{building.name}.wal")


def _spill(building: Path) -> Path:
    """Where DuckDB puts what it sorts; it makes the folder when it needs it."""
    return building.with_name(f"{building.name}.sorting")


def _discard(building: Path) -> None:
    """Delete a database that is not whole, and all that lies beside it."""
    for left in (building, _log(building)):
        left.unlink(missing_ok=True)
    shutil.rmtree(_spill(building), ignore_errors=True)


def _quoted(path: Path) -> str:
    """Write a path as it stands in a text of SQL."""
    return str(path.absolute()).replace("'", "''")


def _refuse_if_busy(building: Path) -> None:
    """Fail while another process is building here; what a killed one left is no obstacle."""
    try:
        with connect(building):
            pass
    except DatabaseBusyError:
        raise
    except DatabaseError:
        return

"""The dump's metadata, ``spotify_clean.sqlite3.zst`` above all, unpacked and read in batches.

The file is about 37 GB, and 125 GB unpacked. It is read as a stream in the order of its rows, with
the types that its tables declare; a value of another type is an error and never a guess.

Belongs here: the tables' definitions, unpacking, and reading SQLite into Arrow. Does not belong
here: where the rows go; that is the store's business.
"""

import reprlib
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import adbc_driver_manager
import adbc_driver_sqlite
import pyarrow as pa

from spotify_pipeline.dump.compression import content_size, open_compressed
from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import ALL_TABLES, CATALOGUE, TableDefinition
from spotify_pipeline.progress import Report
from spotify_pipeline.space import naming_a_full_disk

__all__ = [
    "PACKED_NAME",
    "UNPACKED_NAME",
    "SourceTable",
    "discard_unpacked",
    "inspect_table",
    "read_table",
    "unpack",
    "unpacked_size",
]

UNPACKED_NAME, PACKED_NAME = CATALOGUE.unpacked, CATALOGUE.packed

# A block of four bytes can unpack to 128 KiB: short reads bound what a hostile file takes.
READ_BYTES = 1 << 14

# A few of DuckDB's vectors of 2,048 rows, and little enough to stay in the processor's cache.
BATCH_ROWS = 8192

LONGEST_VALUE = 1 << 18
"""Bytes of a text. Names and copyrights are far shorter; batches of longer ones take gigabytes."""

_TEXTS = "texts"

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_JOURNAL_MODES = slice(18, 20)
_ROLLBACK = b"\x01\x01"

UNPACKED_RATIO = 3.5
"""Of the unpacked to the packed size: the dump's file has 36.7 GB, and about 125 GB unpacked."""


@dataclass(frozen=True)
class SourceTable:
    """What a SQLite file holds of one table: its rows, and columns that are not part of it."""

    rows: int
    extra_columns: tuple[str, ...]


def unpack(source: Path, target: Path, progress: Report | None = None) -> None:
    """Unpack a zstd file as a stream; the target appears when it is whole, or not at all.

    Parameters
    ----------
    source
        One or several zstd frames.
    target
        Written as ``<name>.part`` beside itself first; an existing target is replaced.
    progress
        Called with the packed bytes read, the size of the source, and its name.

    Raises
    ------
    IncompleteFileError, CompressionError
        The source is truncated, damaged or not zstd.
    SpaceError
        The disk is full.
    MetadataError
        The source can't be read, or the target not be written.
    """
    partial = _partial(target)
    try:
        partial.unlink(missing_ok=True)
        total = source.stat().st_size
        with (
            naming_a_full_disk(target.parent),
            open_compressed(source) as content,
            partial.open("wb") as unpacked,
        ):
            while chunk := content.read(READ_BYTES):
                unpacked.write(chunk)
                if progress is not None:
                    progress(content.bytes_read, total, source.name)
        partial.replace(target)
    except OSError as error:
        raise MetadataError(f"{source}: cannot be unpacked to {target} ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def discard_unpacked(target: Path) -> None:
    """Delete an unpacked file, half of one too."""
    _partial(target).unlink(missing_ok=True)
    target.unlink(missing_ok=True)


def _partial(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def unpacked_size(source: Path) -> int:
    """Give the bytes that a zstd file takes unpacked: as announced in it, else by the usual ratio.

    Raises
    ------
    IncompleteFileError, CompressionError
        The source is too short for a frame, or not zstd.
    """
    packed, announced = source.stat().st_size, content_size(source)
    if announced is None or announced < packed:  # the latter is the first of several frames
        return round(UNPACKED_RATIO * packed)
    return announced


def inspect_table(database: Path, table: str) -> SourceTable:
    """Count the rows of a table in a SQLite file and compare its columns with the definition.

    Raises
    ------
    MetadataError
        The file cannot be read, lacks the table or one of its columns, or has a view or virtual
        table of that name: what these compute may have no end.
    """
    with _connect(database) as connection:
        computed = connection.execute(
            "SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE"
            " AND type IN ('table', 'view') AND coalesce(rootpage, 0) = 0",
            (table,),
        ).fetchone()
        if computed is not None:
            raise MetadataError(
                f"{database}: {table} is a view or a virtual table, not a table: it is another file"
            )
        found = [
            row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        ]
        if not found:
            raise MetadataError(
                f"{database}: has no table {table}: it is another file, or incomplete"
            )
        expected = [column.name for column in ALL_TABLES[table].columns]
        missing = [name for name in expected if name not in found]
        if missing:
            raise MetadataError(f"{database}: table {table} lacks the columns {', '.join(missing)}")
        rows = _count_rows(connection, table)
    return SourceTable(rows, tuple(name for name in found if name not in expected))


def _count_rows(connection: sqlite3.Connection, table: str) -> int:
    """Count a table's rows in a thread of its own, for nothing else could interrupt it."""
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(
            lambda: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
        )
        try:
            return int(counting.result()[0])
        except BaseException:
            connection.interrupt()
            raise


def read_table(
    database: Path, table: str, *, batch_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Read a table of a SQLite file in the order of its rows.

    The connection opens with the first batch and closes with the last, or with the generator; the
    batches may be pulled from any thread, one at a time.

    Parameters
    ----------
    database
        An unpacked file; opened read-only, and taken not to change.
    table
        One of `ALL_TABLES` that is in a SQLite file.
    batch_rows
        Rows of one batch; the last may be shorter.

    Yields
    ------
    pyarrow.RecordBatch
        With the schema of the table's definition; columns beyond it are left out.

    Raises
    ------
    MetadataError
        The file cannot be read, a table or column is missing, or a value has another type than its
        column, is text that is not UTF-8, or is longer than `LONGEST_VALUE`: the message names
        table, column, row (from 1), and value or size.
    """
    definition = ALL_TABLES[table]
    first_row = 1
    with _open_reader(database, definition, batch_rows) as reader:
        while True:
            try:
                batch = reader.read_next_batch()
                batch.validate(full=True)  # the driver lets text pass that is not UTF-8
            except StopIteration:
                return
            except (pa.ArrowException, OSError) as error:
                _check_values(database, definition, first_row, batch_rows)
                raise _damaged(database, error) from error
            texts, *values = batch.columns
            if texts.sum().as_py() != _count_texts(values):
                _check_values(database, definition, first_row, batch_rows)
                raise MetadataError(
                    f"{database}: table {table}, from row {first_row}: reads differently each "
                    "time: the file changes, or the disk fails"
                )
            yield pa.record_batch(values, schema=definition.schema)
            first_row += batch.num_rows


@contextmanager
def _open_reader(
    database: Path, definition: TableDefinition, batch_rows: int
) -> Iterator[pa.RecordBatchReader]:
    """Give a table's rows, its columns after one more: how many of the row's values are text.

    The driver takes a column's type from the values of its first batch, so the first batch is made
    up of values of the declared types, and is dropped here. In later batches the driver fails at
    whatever is no integer where integers belong; where text belongs it makes text of numbers and
    BLOBs, which only the count tells.
    """
    expected = definition.schema.insert(0, pa.field(_TEXTS, pa.int64()))
    try:
        with _reading(database, _query(definition, batch_rows), batch_rows) as reader:
            made_up = reader.read_next_batch()
            if reader.schema != expected or made_up.num_rows != batch_rows:
                raise MetadataError(
                    f"{database}: table {definition.name} cannot be read with its types: "
                    "install another version of adbc-driver-sqlite"
                )
            yield reader
    except adbc_driver_manager.Error as error:
        raise _damaged(database, error) from error


@contextmanager
def _reading(database: Path, query: str, batch_rows: int) -> Iterator[pa.RecordBatchReader]:
    """Give what a query of a SQLite file selects."""
    with (
        adbc_driver_sqlite.connect(_address(database)) as driver,
        adbc_driver_manager.AdbcConnection(driver) as connection,
        adbc_driver_manager.AdbcStatement(connection) as statement,
    ):
        option = adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value
        statement.set_options(**{option: str(batch_rows)})
        statement.set_sql_query(query)
        stream, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as reader:
            yield reader


def _query(definition: TableDefinition, batch_rows: int) -> str:
    """Select synthetic values for one batch, then the table in the order of its rows."""
    samples = {"INTEGER": "0", "TEXT": "'text'", "REAL": "0.0"}
    columns = definition.columns
    made_up = ", ".join(f'{samples[c.declared_type]} AS "{c.name}"' for c in columns)
    # UNION ALL gives all of its first part first.
    return (
        "WITH RECURSIVE numbers(number) AS "
        f"(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {batch_rows}) "
        f'SELECT 0 AS "{_TEXTS}", {made_up} FROM numbers '
        f"UNION ALL SELECT {_text_count(definition)}, {_source_columns(definition)} "
        f"FROM {_source(definition)}"
    )


def _text_count(definition: TableDefinition) -> str:
    """Count a row's values that are text; an overlong one is an error before it is read at all."""
    texts = [f'source."{c.name}"' for c in definition.columns if c.declared_type == "TEXT"]
    if not texts:
        return "0"
    # A sum without branches: the same in ANDs and ORs takes SQLite half as long again.
    count = " + ".join(f"(typeof({text}) = 'text')" for text in texts)
    overlong = " OR ".join(f"octet_length({text}) > {LONGEST_VALUE}" for text in texts)
    # abs() of the least integer fails; SQLite must not find out that this one is constant
    failure = f"abs(-{2**63 - 1} - (typeof({texts[0]}) <> ''))"
    return f"CASE WHEN {overlong} THEN {failure} ELSE {count} END"


def _source_columns(definition: TableDefinition) -> str:
    # SQLite takes a quoted name that is no column for a text, unless a table stands before it.
    return ", ".join(f'source."{column.name}"' for column in definition.columns)


def _source(definition: TableDefinition) -> str:
    # An index that covers the columns would be read in its own order.
    return f'"{definition.name}" AS source NOT INDEXED'


def _count_texts(values: Sequence[pa.Array]) -> int:
    """Count the values that are not NULL in columns of text."""
    return sum(len(c) - c.null_count for c in values if c.type == pa.string())


def _check_values(
    database: Path, definition: TableDefinition, first_row: int, batch_rows: int
) -> None:
    """Look through the rows of one batch, and fail at the first value of a wrong type or size.

    It takes a second, slower reading that tells a value's own type, so only what is known to be
    wrong is read like this.
    """
    _check_sizes(database, definition, first_row, batch_rows)
    with _connect(database) as connection:
        connection.text_factory = _text_or_bytes
        rows = connection.execute(
            f"SELECT {_source_columns(definition)} FROM {_source(definition)} LIMIT ? OFFSET ?",
            (batch_rows, first_row - 1),
        )
        for number, row in enumerate(rows, first_row):
            for column, value in zip(definition.columns, row, strict=True):
                if type(value) not in column.value_types:
                    position = f"table {definition.name}, column {column.name}, row {number}"
                    raise MetadataError(
                        f"{database}: {position}: {reprlib.repr(value)} where "
                        f"{column.declared_type} belongs: fetch the file again"
                    )


def _check_sizes(
    database: Path, definition: TableDefinition, first_row: int, batch_rows: int
) -> None:
    """Fail at the first value of a batch that is too long, without reading it."""
    sizes = ", ".join(f'octet_length(source."{c.name}") AS "{c.name}"' for c in definition.columns)
    query = f"SELECT {sizes} FROM {_source(definition)} LIMIT {batch_rows} OFFSET {first_row - 1}"
    try:
        with _reading(database, query, batch_rows) as reader:
            rows = reader.read_all().to_pylist()
    except (adbc_driver_manager.Error, pa.ArrowException, OSError):
        return  # damaged, as the reading of the values tells
    for number, row in enumerate(rows, first_row):
        for name, size in row.items():
            if size is not None and size > LONGEST_VALUE:
                raise MetadataError(
                    f"{database}: table {definition.name}, column {name}, row {number}: {size:,} "
                    f"bytes where at most {LONGEST_VALUE:,} belong: fetch the file again"
                )


def _text_or_bytes(value: bytes) -> str | bytes:
    """Decode a text of SQLite; one that is not UTF-8 stays what it is."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


@contextmanager
def _connect(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for reading, value by value."""
    address = _address(database)
    try:
        # one thread at a time, but not always the same
        with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise _damaged(database, error) from error


def _address(database: Path) -> str:
    """Give the address by which a SQLite file is read without locks or side files.

    Raises
    ------
    MetadataError
        The file is not whole, another program is writing it, or a file beside it holds changes
        that would be missed.
    """
    for suffix in ("-wal", "-journal"):
        pending = database.with_name(database.name + suffix)
        if _holds_changes(pending):
            raise MetadataError(
                f"{database}: {pending.name} beside it holds changes that are not in it yet: "
                "close the program that has it open, or open and close it once with sqlite3"
            )
    address = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with database.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        _check_header(database, header)
    except OSError as error:
        raise _damaged(database, error) from error
    if header[_JOURNAL_MODES] == _ROLLBACK:  # to look at a WAL's locks makes files beside it
        _refuse_if_locked(database, address)
    return f"{address}&immutable=1"


def _holds_changes(pending: Path) -> bool:
    """Tell whether a file beside a database has to do with what the database holds.

    A journal that begins with 0 was never needed: SQLite passes over it as well.
    """
    try:
        with pending.open("rb") as file:
            first = file.read(1)
    except OSError:
        return False
    return first not in (b"", b"\0")


def _check_header(database: Path, header: bytes) -> None:
    """Fail if a file does not begin as SQLite's do, or is shorter than it says that it is.

    The format is that of https://www.sqlite.org/fileformat2.html, section 1.3.
    """
    if not header:
        raise MetadataError(f"{database}: is empty: unpack or fetch it again")
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        raise MetadataError(
            f"{database}: not a SQLite database, or an encrypted one: unpack or fetch it again"
        )
    page = int.from_bytes(header[16:18])
    size = int.from_bytes(header[28:32]) * (page if page > 1 else 1 << 16)
    found = database.stat().st_size
    # what an old version of SQLite changed last tells no size
    if header[24:28] == header[92:96] and found < size:
        raise MetadataError(
            f"{database}: incomplete: has {found:,} of {size:,} bytes: unpack or fetch it again"
        )


def _refuse_if_locked(database: Path, address: str) -> None:
    """Fail if another program is writing a file."""
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise MetadataError(
                f"{database}: locked by another program: load it when that has closed it"
            ) from error
    except sqlite3.Error:
        pass  # whatever is damaged is reported where it is read


def _damaged(database: Path, error: Exception) -> MetadataError:
    return MetadataError(
        f"{database}: damaged, incomplete, or not a SQLite database: "
        f"unpack or fetch it again ({str(error) or type(error).__name__})"
    )

"""The dump's metadata, ``spotify_clean.sqlite3.zst``: nine tables, unpacked and read in batches.

The file is about 37 GB, and 125 GB unpacked. It is read as a stream in the order of its rows, with
the types that its tables declare; a cell of another type is an error and never a guess.

Belongs here: the tables' definitions, unpacking, and reading SQLite into Arrow. Does not belong
here: where the rows go; that is the store's business.
"""

import reprlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from spotify_pipeline.dump.compression import content_size, open_compressed
from spotify_pipeline.dump.tables import TABLES, TableDefinition
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report
from spotify_pipeline.space import naming_a_full_disk

__all__ = [
    "PACKED_NAME",
    "UNPACKED_NAME",
    "MetadataError",
    "SourceTable",
    "discard_unpacked",
    "find_source",
    "inspect_table",
    "read_table",
    "require_source",
    "unpack",
    "unpacked_size",
]

UNPACKED_NAME = "spotify_clean.sqlite3"
PACKED_NAME = f"{UNPACKED_NAME}.zst"

# A block of four bytes can unpack to 128 KiB: short reads bound what a hostile file takes.
READ_BYTES = 1 << 14

UNPACKED_RATIO = 3.5
"""Of the unpacked to the packed size: the dump's file has 36.7 GB, and about 125 GB unpacked."""


class MetadataError(PipelineError):
    """The metadata file is incomplete, damaged or not what it should be."""


@dataclass(frozen=True)
class SourceTable:
    """What a SQLite file holds of one table: its rows, and columns that are not part of it."""

    rows: int
    extra_columns: tuple[str, ...]


def find_source(incoming: Path) -> Path | None:
    """Find the metadata file anywhere below a folder; one that is unpacked already comes first."""
    for name in (UNPACKED_NAME, PACKED_NAME):
        for path in sorted(incoming.rglob(name)):
            if path.is_file():
                return path
    return None


def require_source(incoming: Path) -> Path:
    """Find the metadata file anywhere below a folder.

    Raises
    ------
    MetadataError
        It is not there.
    """
    source = find_source(incoming)
    if source is None:
        raise MetadataError(f"{PACKED_NAME} is not in {incoming} or a folder below it")
    return source


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
        The file cannot be read, or lacks the table or one of its columns.
    """
    with _connect(database) as connection:
        found = [
            row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        ]
        if not found:
            raise MetadataError(
                f"{database}: has no table {table}: it is another file, or incomplete"
            )
        expected = [column.name for column in TABLES[table].columns]
        missing = [name for name in expected if name not in found]
        if missing:
            raise MetadataError(f"{database}: table {table} lacks the columns {', '.join(missing)}")
        (rows,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return SourceTable(rows, tuple(name for name in found if name not in expected))


def read_table(database: Path, table: str, *, batch_rows: int = 20_000) -> Iterator[pa.RecordBatch]:
    """Read a table of a SQLite file in the order of its rows.

    The connection opens with the first batch and closes with the last, or with the generator; the
    batches may be pulled from any thread, one at a time.

    Parameters
    ----------
    database
        An unpacked file; opened read-only, and taken not to change.
    table
        One of `TABLES`.
    batch_rows
        Rows of one batch; the last may be shorter.

    Yields
    ------
    pyarrow.RecordBatch
        With the schema of the table's definition; columns beyond it are left out.

    Raises
    ------
    MetadataError
        The file cannot be read, a table or column is missing, or a cell has another type than its
        column: the message names table, column, row (from 1) and value.
    """
    definition = TABLES[table]
    # SQLite takes a quoted name that is no column for a text, unless a table stands before it.
    columns = ", ".join(f'source."{column.name}"' for column in definition.columns)
    schema = definition.schema
    first_row = 1
    with _connect(database) as connection:
        # An index that covers the columns would be read in its own order.
        cursor = connection.execute(f'SELECT {columns} FROM "{table}" AS source NOT INDEXED')
        while rows := cursor.fetchmany(batch_rows):
            cells = list(zip(*rows, strict=True))
            _check_types(database, definition, cells, first_row)
            arrays = [pa.array(c, type=t) for c, t in zip(cells, schema.types, strict=True)]
            yield pa.record_batch(arrays, schema=schema)
            first_row += len(rows)


def _check_types(
    database: Path,
    definition: TableDefinition,
    cells: Sequence[Sequence[Any]],
    first_row: int,
) -> None:
    """Fail at the first cell that is neither NULL nor of its column's type."""
    for column, values in zip(definition.columns, cells, strict=True):
        accepted = column.cell_types
        if accepted.issuperset(map(type, values)):
            continue
        index = next(i for i, value in enumerate(values) if type(value) not in accepted)
        place = f"table {definition.name}, column {column.name}, row {first_row + index}"
        raise MetadataError(
            f"{database}: {place}: {reprlib.repr(values[index])} where {column.declared_type} "
            "belongs: fetch the file again"
        )


@contextmanager
def _connect(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for reading, without locks or side files."""
    for suffix in ("-wal", "-journal"):
        pending = database.with_name(database.name + suffix)
        if pending.exists() and pending.stat().st_size:
            raise MetadataError(
                f"{database}: {pending.name} beside it holds changes that are not in it yet: "
                "close the program that has it open, or open and close it once with sqlite3"
            )
    address = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise MetadataError(
            f"{database}: damaged, incomplete, or not a SQLite database: "
            f"unpack or fetch it again ({error})"
        ) from error

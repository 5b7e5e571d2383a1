"""The tables of the parts that are kept beside the detection fields.

Belongs here: their columns in DuckDB, replacing a shard's rows. Does not belong here: what a part
is (`dump.parts`), transactions (`audio`).
"""

import duckdb
import pyarrow as pa

from spotify_pipeline.dump.parts import PARTS, VECTOR_LENGTH
from spotify_pipeline.dump.staged_extract import StagedExtract

__all__ = ["replace_parts"]

_TYPES = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.list_(pa.float32(), VECTOR_LENGTH): f"FLOAT[{VECTOR_LENGTH}]",
}


def replace_parts(connection: duckdb.DuckDBPyConnection, extract: StagedExtract) -> None:
    """Put a staged extract's parts in place of those that its shard has, within a transaction."""
    summary = extract.summary()
    present = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    for part in PARTS:
        if (part,) in present:
            connection.execute(f"DELETE FROM {part} WHERE shard = ?", [summary.shard])
    for part in summary.parts:
        columns = ", ".join(f"{field.name} {_TYPES[field.type]}" for field in PARTS[part])
        connection.execute(f"CREATE TABLE IF NOT EXISTS {part} (shard VARCHAR NOT NULL, {columns})")
        connection.execute(
            f"INSERT INTO {part} BY NAME SELECT *, ? AS shard FROM read_parquet(?)",
            [summary.shard, str(extract.part(part))],
        )

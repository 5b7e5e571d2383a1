"""Rows to a Parquet file, a batch at a time.

Belongs here: batching. Does not belong here: schemas.
"""

from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["BATCH_ROWS", "BatchWriter"]

BATCH_ROWS = 2000
"""Rows that are held in memory before they are written; a track's takes about 10 kB."""


class BatchWriter:
    """Writes rows to a file, as a context; `rows` counts them."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._batch: list[tuple[Any, ...]] = []
        # read once, soon, from the same disk; and fingerprints are packed already
        self._writer = pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)

    def __enter__(self) -> Self:
        return self

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row: a value for each column."""
        self.rows += 1
        self._batch.append(row)
        if len(self._batch) == BATCH_ROWS:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._batch:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*self._batch, strict=True), self.schema, strict=True)
        ]
        self._batch.clear()
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self.schema))

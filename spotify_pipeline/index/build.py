"""The feature index made from the tracks in ``audio.duckdb``.

Belongs here: rows to trains to an index. Does not belong here: the index's layout
(`feature_index`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from spotify_pipeline.fingerprint import BANDS, OnsetTrains, unpack_echoprint, unpack_trains
from spotify_pipeline.index.feature_index import FeatureIndex, IndexedTrack, IndexInfo
from spotify_pipeline.store.audio import fingerprint_batches, ledger

__all__ = ["IndexBuild", "build_index"]


@dataclass(frozen=True)
class IndexBuild:
    """What was built.

    Attributes
    ----------
    info
        What the published index holds.
    unrecovered
        Tracks whose Echoprint codes are not those of any onset trains; they are indexed by their
        rhythm alone.
    """

    info: IndexInfo
    unrecovered: int


def build_index(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    progress: Callable[[int], None] | None = None,
) -> IndexBuild:
    """Index all tracks of the database and publish the result.

    Parameters
    ----------
    connection
        To ``audio.duckdb``.
    folder
        The index folder.
    progress
        Called with the number of tracks read so far.
    """
    shards = {shard: row.checksum for shard, row in ledger(connection).items()}
    unrecovered = 0
    tracks: list[IndexedTrack] = []
    if shards:
        for batch in fingerprint_batches(connection):
            for track, recovered in _tracks(batch):
                tracks.append(track)
                unrecovered += not recovered
            if progress is not None:
                progress(len(tracks))
    info = FeatureIndex.build(tracks).publish(folder, shards)
    return IndexBuild(info, unrecovered)


def _tracks(batch: pa.RecordBatch) -> Iterator[tuple[IndexedTrack, bool]]:
    """Give a batch's tracks, and whether their Echoprint trains were recovered."""
    for row in batch.to_pylist():
        rhythm = unpack_trains(row["rhythm"])
        echoprint = unpack_echoprint(row["echoprint_form"], row["echoprint"])
        recovered = echoprint is not None
        trains = echoprint if echoprint is not None else OnsetTrains.from_bands([()] * BANDS)
        yield IndexedTrack(row["track_id"], row["duration"], rhythm, trains), recovered

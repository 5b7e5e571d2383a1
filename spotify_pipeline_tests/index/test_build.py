"""The index made of what was ingested: every track, also those whose codes can't be undone."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from spotify_pipeline.dump.reduction import reduce_shard
from spotify_pipeline.fingerprint import (
    EchoprintCodes,
    Fingerprint,
    codes_of_trains,
    encode_echoprint,
)
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.index.build import build_index
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.store.audio import create_audio_database, ledger
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.ingestion import ingest_reduction
from spotify_pipeline_tests.documents import (
    Document,
    echoprint_trains,
    make_documents,
    make_track_id,
    rhythm_trains,
    write_shard,
)
from spotify_pipeline_tests.tracks import NO_ONSETS

FOREIGN_CODES = encode_echoprint(
    EchoprintCodes(np.arange(40, dtype=np.uint32), np.arange(40, dtype=np.uint32))
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    create_audio_database(tmp_path / "audio.duckdb")
    with connect(tmp_path / "audio.duckdb") as opened:
        yield opened


def ingest(
    connection: duckdb.DuckDBPyConnection, folder: Path, shard: str, documents: list[Document]
) -> None:
    source = write_shard(folder / "incoming", shard, documents)
    ingest_reduction(connection, reduce_shard(source, shard, folder / "staging"), "run")


def test_every_track_comes_into_the_index_with_its_onsets(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ingest(connection, tmp_path, "0a", make_documents("0a", 3))
    ingest(connection, tmp_path, "0A", make_documents("0A", 2))
    build = build_index(connection, tmp_path / "index")
    index = FeatureIndex.open(tmp_path / "index")
    ids = [track_id.decode() for track_id in index.track_ids]
    assert sorted(ids) == sorted(
        [make_track_id("0a", n) for n in range(3)] + [make_track_id("0A", n) for n in range(2)]
    )
    assert (build.info.tracks, build.unrecovered) == (5, 0)
    for number, track_id in enumerate(ids):
        assert index.durations[number] == 30.0
        assert index.rhythm.trains(number) == rhythm_trains(track_id)
        recovered = codes_of_trains(index.echoprint.trains(number))
        assert recovered == codes_of_trains(echoprint_trains(track_id))


def test_the_index_knows_the_shards_that_it_was_made_of(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ingest(connection, tmp_path, "0a", make_documents("0a", 1))
    ingest(connection, tmp_path, "0A", make_documents("0A", 1))
    expected = {shard: row.checksum for shard, row in ledger(connection).items()}
    assert build_index(connection, tmp_path / "index").info.shards == expected
    assert set(expected) == {"0a", "0A"}


def test_a_track_whose_codes_cannot_be_undone_is_counted_and_found_by_its_rhythm(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    documents = make_documents("0a", 3)
    documents[1]["track"]["echoprintstring"] = FOREIGN_CODES
    ingest(connection, tmp_path, "0a", documents)
    build = build_index(connection, tmp_path / "index")
    assert (build.info.tracks, build.unrecovered) == (3, 1)
    index = FeatureIndex.open(tmp_path / "index")
    best = Identifier(index).matches(Fingerprint(NO_ONSETS, rhythm_trains(make_track_id("0a", 1))))[
        0
    ]
    assert index.track_ids[best.track].decode() == make_track_id("0a", 1)
    assert best.confidence >= THRESHOLD


def test_a_track_without_fingerprints_or_duration_is_in_the_index(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    documents = make_documents("0a", 1)
    for field in ("echoprintstring", "rhythmstring", "duration"):
        del documents[0]["track"][field]
    ingest(connection, tmp_path, "0a", documents)
    build = build_index(connection, tmp_path / "index")
    index = FeatureIndex.open(tmp_path / "index")
    assert (build.info.tracks, build.info.postings, build.unrecovered) == (1, 0, 0)
    assert np.isnan(index.durations[0])


def test_an_empty_database_gives_an_empty_index(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    build = build_index(connection, tmp_path / "index")
    assert (build.info.tracks, build.info.shards) == (0, {})
    assert len(FeatureIndex.open(tmp_path / "index")) == 0


def test_progress_ends_with_all_tracks(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ingest(connection, tmp_path, "0a", make_documents("0a", 4))
    reports: list[int] = []
    build_index(connection, tmp_path / "index", reports.append)
    assert reports == sorted(reports)
    assert reports[-1] == 4

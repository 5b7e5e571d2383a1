"""Recordings that stand in the catalogue several times."""

from pathlib import Path

import pytest

from spotify_pipeline.catalog import same_fingerprint, same_isrc
from spotify_pipeline.catalog.errors import CatalogError
from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import DatabaseError, connect, create_database
from spotify_pipeline_tests.catalogue_made import make_home, track_id
from spotify_pipeline_tests.documents import make_document, make_track_id, write_shard


def test_tracks_of_one_isrc_are_together_and_those_without_are_left_out(tmp_path: Path) -> None:
    (found,) = same_isrc(make_home(tmp_path, text=False).metadata_database)
    assert found.isrc == "GBAYE6500521"
    assert [track.track_id for track in found.tracks] == [track_id(3), track_id(2)]
    assert [track.album for track in found.tracks] == ["1 (Remastered)", "Help!"]
    assert [track.duration_ms for track in found.tracks] == [125_400, 125_400]


def test_tracks_of_equal_onsets_are_together(tmp_path: Path) -> None:
    ids = [make_track_id("0a", number) for number in range(4)]
    documents = [make_document(ids[number]) for number in (0, 1, 2, 3)]
    documents[2]["track"] = documents[0]["track"]
    shard = write_shard(tmp_path, "0a", documents)
    database = tmp_path / "audio.duckdb"
    create_audio_database(database)
    with connect(database) as connection:
        ingest_extract(connection, reduce_shard(shard, "0a", tmp_path / "staging"), "run")
    (found,) = same_fingerprint(database)
    assert found.isrc is None
    assert [track.track_id for track in found.tracks] == [ids[0], ids[2]]


def test_without_a_database_or_its_tables_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="there is no such database"):
        next(same_isrc(tmp_path / "meta.duckdb"))
    create_database(tmp_path / "audio.duckdb")
    with pytest.raises(CatalogError, match="run 'ingest' first"):
        next(same_fingerprint(tmp_path / "audio.duckdb"))

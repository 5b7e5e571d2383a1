"""Names behind track ids."""

from pathlib import Path

import duckdb
import pytest

from spotify_pipeline.catalog import TrackNames, track_names
from spotify_pipeline.store.database import DatabaseError, connect, create_database
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.metadata_file import TRACK_IDS, write_metadata

FIRST = TrackNames(
    track_id=TRACK_IDS[0],
    title="Δέλτα",
    artists=("Abba\x00nul", "Zoë", ""),
    album="Ænima",
    isrc="USABC9600001",
    popularity=44,
    duration_ms=61_000,
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    source = write_metadata(folder / "source.sqlite3")
    build_metadata(source, folder, folder / "meta.duckdb")
    return folder / "meta.duckdb"


def test_names_come_in_the_order_asked_with_artists_in_the_order_of_their_rows(
    catalog: Path,
) -> None:
    found = track_names(catalog, [TRACK_IDS[2], "unknown", TRACK_IDS[0], TRACK_IDS[2]])
    assert list(found) == [TRACK_IDS[2], TRACK_IDS[0]]
    assert found[TRACK_IDS[0]] == FIRST


def test_a_track_without_album_or_isrc_is_still_named(catalog: Path) -> None:
    found = track_names(catalog, TRACK_IDS)
    assert found[TRACK_IDS[2]].album == ""
    assert found[TRACK_IDS[1]].isrc is None


def test_an_open_connection_is_used_and_left_open(catalog: Path) -> None:
    with connect(catalog, read_only=True) as connection:
        assert track_names(connection, [TRACK_IDS[0]]) == {TRACK_IDS[0]: FIRST}
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_tracks_alone_give_titles(tmp_path: Path) -> None:
    source = write_metadata(tmp_path / "source.sqlite3")
    build_metadata(source, tmp_path, tmp_path / "meta.duckdb", tables=["tracks"])
    names = track_names(tmp_path / "meta.duckdb", [TRACK_IDS[0]])[TRACK_IDS[0]]
    assert (names.title, names.artists, names.album) == ("Δέλτα", (), "")


def test_no_ids_no_catalogue_or_no_tables_give_nothing(catalog: Path, tmp_path: Path) -> None:
    create_database(tmp_path / "empty.duckdb")
    assert track_names(catalog, []) == {}
    assert track_names(tmp_path / "missing.duckdb", TRACK_IDS) == {}
    assert track_names(tmp_path / "empty.duckdb", TRACK_IDS) == {}
    assert track_names(duckdb.connect(), TRACK_IDS) == {}


def test_a_damaged_catalogue_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "meta.duckdb").write_bytes(b"x" * 50_000)
    with pytest.raises(DatabaseError):
        track_names(tmp_path / "meta.duckdb", TRACK_IDS)

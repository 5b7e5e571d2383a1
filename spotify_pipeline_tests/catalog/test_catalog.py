"""Look-ups by key."""

from dataclasses import replace
from pathlib import Path

import pytest

from spotify_pipeline.catalog import Album, Artist, Catalog, Image, Track, TrackNames
from spotify_pipeline.catalog.catalog import FEW
from spotify_pipeline.store.database import DatabaseError, connect, create_database
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.metadata_file import ROWS, TRACK_IDS, write_metadata

ABBA = Artist("artist2", 2, "Abba\x00nul", 0, 0, ("zydeco", "bossa nova"))
ZOE = Artist("artist1", 1, "Zoë", 100, 2**40, ("ambient",))
NAMELESS = Artist("artist3", 3, "", 50, 2**63 - 1)
AENIMA = Album(
    "album1", 1, "Ænima", "album", "1996-10-01", "day", "", None, 9, 15
)  # fmt: skip
FIRST = Track(
    track_id=TRACK_IDS[0],
    rowid=1,
    title="Δέλτα",
    artists=(ABBA, ZOE, NAMELESS),
    album=AENIMA,
    isrc="USABC9600001",
    duration_ms=61_000,
    popularity=44,
    explicit=False,
    disc_number=1,
    track_number=1,
    preview_url=None,
)
SLEEVE = Image("https://i.example/1", 64, 64)
FACE = Image("https://i.example/a", 160, 160)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    source = write_metadata(folder / "source.sqlite3")
    build_metadata(source, folder, folder / "meta.duckdb")
    return folder / "meta.duckdb"


def test_tracks_come_in_the_order_asked_with_artists_in_the_order_of_their_rows(
    database: Path,
) -> None:
    with Catalog(database) as catalog:
        found = catalog.tracks([TRACK_IDS[2], "unknown", "it's", TRACK_IDS[0], TRACK_IDS[2]])
        assert list(found) == [TRACK_IDS[2], TRACK_IDS[0]]
        assert found[TRACK_IDS[0]] == FIRST
        assert catalog.tracks_at([1]) == {1: FIRST}


def test_names_are_those_of_the_tracks(database: Path) -> None:
    with Catalog(database) as catalog:
        tracks = catalog.tracks(TRACK_IDS)
        names = catalog.names([*TRACK_IDS, "unknown"])
        assert names.keys() == tracks.keys()
        for name in TrackNames.__dataclass_fields__:
            for track_id in tracks:
                assert getattr(names[track_id], name) == getattr(tracks[track_id], name)


def test_more_keys_than_stand_in_a_query_give_the_same(database: Path) -> None:
    with Catalog(database) as catalog:
        many = [f"{number:022d}" for number in range(FEW)]
        assert catalog.tracks([*many, *TRACK_IDS]) == catalog.tracks(TRACK_IDS)
        assert catalog.tracks_at([*range(50, 50 + FEW), 1]) == {1: FIRST}


def test_a_track_without_album_or_isrc_is_still_found(database: Path) -> None:
    with Catalog(database) as catalog:
        found = catalog.tracks(TRACK_IDS)
    assert found[TRACK_IDS[2]].album is None
    assert found[TRACK_IDS[2]].album_title == ""
    assert found[TRACK_IDS[1]].isrc is None
    assert found[TRACK_IDS[1]].explicit is True


def test_markets_and_images_come_when_asked_for(database: Path) -> None:
    with Catalog(database) as catalog:
        found = catalog.tracks(TRACK_IDS, markets=True, images=True)
    assert found[TRACK_IDS[0]].markets == ("DE", "FR", "US")
    assert found[TRACK_IDS[1]].markets == ()
    assert found[TRACK_IDS[0]].album == replace(AENIMA, images=(SLEEVE,))
    assert found[TRACK_IDS[0]].artists[1] == replace(ZOE, images=(FACE,))


@pytest.mark.parametrize("isrc", ["USABC9600001", "usabc9600001", "US-ABC-96-00001"])
def test_the_tracks_of_an_isrc_come_the_most_popular_first(database: Path, isrc: str) -> None:
    with Catalog(database) as catalog:
        (asked, tracks), *others = catalog.tracks_of_isrcs([isrc, "GBXYZ0000000"]).items()
    assert (asked, others) == (isrc, [])
    assert [track.rowid for track in tracks] == [1, 3]


def test_an_isrc_that_the_source_writes_otherwise_is_found(tmp_path: Path) -> None:
    track = list(ROWS["tracks"][0])
    track[7] = "us-abc-96-00001"
    source = write_metadata(tmp_path / "source.sqlite3", {"tracks": [tuple(track)]})
    build_metadata(source, tmp_path, tmp_path / "meta.duckdb")
    with Catalog(tmp_path / "meta.duckdb") as catalog:
        (found,) = catalog.tracks_of_isrcs(["USABC9600001"])["USABC9600001"]
    assert found.isrc == "us-abc-96-00001"


def test_the_tracks_of_albums_and_artists_are_found(database: Path) -> None:
    with Catalog(database) as catalog:
        assert catalog.tracks_of_albums(["album1", "none"]) == {"album1": [FIRST]}
        assert [t.rowid for t in catalog.tracks_of_upcs(["123"])["123"]] == [2]
        of_artists = catalog.tracks_of_artists(["artist3", "artist1", "none"])
        assert {key: [t.rowid for t in tracks] for key, tracks in of_artists.items()} == {
            "artist3": [1, 2],
            "artist1": [1, 3],
        }
        assert [t.rowid for t in catalog.tracks_of_artists(["artist3"], limit=1)["artist3"]] == [1]


def test_albums_and_artists_are_found_by_id(database: Path) -> None:
    with Catalog(database) as catalog:
        assert catalog.albums(["album1"], images=False) == {"album1": AENIMA}
        assert catalog.artists(["none", "artist1"]) == {"artist1": replace(ZOE, images=(FACE,))}
        assert catalog.albums_of_artists(["artist2", "artist1"]) == {
            "artist2": [AENIMA],
        }


def test_tracks_alone_give_titles(tmp_path: Path) -> None:
    source = write_metadata(tmp_path / "source.sqlite3")
    build_metadata(source, tmp_path, tmp_path / "meta.duckdb", tables=["tracks"])
    with Catalog(tmp_path / "meta.duckdb") as catalog:
        track = catalog.tracks([TRACK_IDS[0]])[TRACK_IDS[0]]
    assert (track.title, track.artists, track.album_title) == ("Δέλτα", (), "")


def test_no_ids_no_catalogue_or_no_tables_give_nothing(database: Path, tmp_path: Path) -> None:
    create_database(tmp_path / "empty.duckdb")
    with Catalog(database) as catalog:
        assert catalog.tracks([]) == {}
    for name in ("missing.duckdb", "empty.duckdb"):
        with Catalog(tmp_path / name) as catalog:
            assert catalog.tracks(TRACK_IDS) == {}
            assert catalog.tracks_of_isrcs(["USABC9600001"]) == {}
            assert catalog.tracks_of_artists(["artist1"]) == {}


def test_a_damaged_catalogue_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "meta.duckdb").write_bytes(b"x" * 50_000)
    with pytest.raises(DatabaseError):
        Catalog(tmp_path / "meta.duckdb")


def test_a_catalogue_of_an_earlier_version_is_an_error(tmp_path: Path) -> None:
    create_database(tmp_path / "meta.duckdb")
    with connect(tmp_path / "meta.duckdb") as connection:
        connection.execute("CREATE TABLE tracks (id VARCHAR)")
    with pytest.raises(DatabaseError, match="load the metadata's tables again"):
        Catalog(tmp_path / "meta.duckdb")

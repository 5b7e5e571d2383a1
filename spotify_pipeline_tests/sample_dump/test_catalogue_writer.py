"""The catalogue's tables against the dump's, and what fills them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.sample_dump.catalogue_writer import CatalogueTrack, base62, write_catalogue
from spotify_pipeline.sample_dump.tags import Tags

NILE = CatalogueTrack(
    "7Z" + "a" * 20,
    Tags(
        "Nile", ("Ann", "Bob"), album="Rivers", date="2004-05", isrc="GBAYE0601498", genres=("Dub",)
    ),
    61_500,
)
DELTA = CatalogueTrack("7Y" + "b" * 20, Tags("Delta", ("Ann",), album="Rivers", label="L"), 1_000)
SINGLE = CatalogueTrack("7X" + "c" * 20, Tags("Sole", ("Eve",)), 2_000)

COLUMNS = {
    "artists": "rowid! id! fetched_at! name! followers_total! popularity!",
    "artist_genres": "artist_rowid! genre!",
    "artist_images": "artist_rowid! width! height! url!",
    "artist_albums": "artist_rowid! album_rowid! is_appears_on! is_implicit_appears_on!"
    " index_in_album",
    "available_markets": "rowid! available_markets!",
    "albums": "rowid! id! fetched_at! name! album_type! available_markets_rowid! external_id_upc"
    " external_id_amgid copyright_c copyright_p label! popularity! release_date!"
    " release_date_precision! total_tracks!",
    "album_images": "album_rowid! width! height! url!",
    "tracks": "rowid! id! fetched_at! name! preview_url album_rowid! track_number!"
    " external_id_isrc external_id_ean external_id_upc popularity! available_markets_rowid!"
    " disc_number! duration_ms! explicit!",
    "track_artists": "track_rowid! artist_rowid!",
}
"""The columns of each table in order; ``!`` is NOT NULL."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite3"
    write_catalogue(path, iter([NILE, DELTA, SINGLE]), fetched_at=1_700_000_000_000)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_the_tables_and_columns_are_those_of_the_dump(catalogue: sqlite3.Connection) -> None:
    names = catalogue.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    found = {
        name: " ".join(
            f"{column}!" if not_null else column
            for _, column, _, not_null, _, _ in catalogue.execute(f"PRAGMA table_info({name})")
        )
        for (name,) in names.fetchall()
    }
    assert found == COLUMNS


@pytest.mark.parametrize("table", COLUMNS)
def test_every_table_has_rows(catalogue: sqlite3.Connection, table: str) -> None:
    assert catalogue.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0


@pytest.mark.parametrize("table", ["artists", "albums", "tracks", "available_markets"])
def test_unique_indexes_reject_duplicates(catalogue: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in catalogue.execute(f"PRAGMA table_info({table})")]
    others = ", ".join(column for column in columns if column != "rowid")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        catalogue.execute(f"INSERT INTO {table} ({others}) SELECT {others} FROM {table} LIMIT 1")


@pytest.mark.parametrize(
    "indexed",
    [
        "artists.name artists.popularity artists.followers_total",
        "albums.name albums.popularity",
        "tracks.popularity tracks.album_rowid tracks.external_id_isrc",
        "artist_genres.artist_rowid artist_genres.genre",
        "track_artists.track_rowid track_artists.artist_rowid",
        "artist_albums.artist_rowid artist_albums.album_rowid",
        "artist_images.artist_rowid album_images.album_rowid",
    ],
)
def test_the_columns_that_the_dump_indexes_are_indexed(
    catalogue: sqlite3.Connection, indexed: str
) -> None:
    for table, _, column in (name.partition(".") for name in indexed.split()):
        query = f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 1"
        assert "USING INDEX" in str(catalogue.execute(query).fetchall()), (table, column)


def test_a_track_is_joined_with_its_album_and_all_its_artists(
    catalogue: sqlite3.Connection,
) -> None:
    rows = catalogue.execute(
        "SELECT tracks.id, tracks.external_id_isrc, tracks.duration_ms, albums.name,"
        " albums.release_date, albums.release_date_precision, artists.name"
        " FROM tracks JOIN albums ON albums.rowid = album_rowid"
        " JOIN track_artists ON track_rowid = tracks.rowid"
        " JOIN artists ON artists.rowid = artist_rowid"
        " WHERE tracks.name = 'Nile' ORDER BY artists.name"
    ).fetchall()
    album = (NILE.track_id, "GBAYE0601498", 61_500, "Rivers", "2004-05", "month")
    assert rows == [(*album, "Ann"), (*album, "Bob")]


def test_tracks_of_one_album_share_its_row(catalogue: sqlite3.Connection) -> None:
    rows = catalogue.execute("SELECT name, album_type, total_tracks FROM albums ORDER BY name")
    assert rows.fetchall() == [("Rivers", "album", 2), ("Sole", "single", 1)]


def test_an_artist_without_a_genre_gets_the_unknown_one(catalogue: sqlite3.Connection) -> None:
    rows = catalogue.execute(
        "SELECT name, genre FROM artist_genres JOIN artists ON artists.rowid = artist_rowid"
    )
    assert set(rows) == {("Ann", "Dub"), ("Bob", "Dub"), ("Eve", "unknown")}


def test_ids_follow_from_the_names_alone(tmp_path: Path, catalogue: sqlite3.Connection) -> None:
    other = tmp_path / "other.sqlite3"
    write_catalogue(other, [SINGLE, DELTA])
    with closing(sqlite3.connect(other)) as connection:
        query = "SELECT id FROM artists UNION SELECT id FROM albums"
        ids = {identifier for (identifier,) in connection.execute(query)}
        assert ids < {identifier for (identifier,) in catalogue.execute(query)}
    assert {len(identifier) for identifier in ids} == {22}


def test_a_track_id_given_twice_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"twice\.sqlite3.*tracks\.id"):
        write_catalogue(tmp_path / "twice.sqlite3", [NILE, NILE])


def test_a_folder_that_is_missing_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="missing"):
        write_catalogue(tmp_path / "missing" / "a.sqlite3", [NILE])


def test_an_earlier_catalogue_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    for tracks in ([NILE, DELTA], [SINGLE]):
        write_catalogue(path, tracks)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM tracks").fetchall() == [("Sole",)]


def test_base62_uses_digits_then_lower_then_upper_case() -> None:
    assert [base62(number, 1) for number in (9, 10, 35, 36, 61)] == ["9", "a", "z", "A", "Z"]
    assert base62(62**3 + 62, 2) == "10"

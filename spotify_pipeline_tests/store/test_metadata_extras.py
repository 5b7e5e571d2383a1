"""Audio features and redirects beside the nine tables: loaded alone, kept, found by look-ups."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import ARTIST_REDIRECTS, AUDIO_FEATURES, TABLES
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline.store.metadata_checks import count_rows, look_at_ids
from spotify_pipeline.store.metadata_ledger import loaded_source
from spotify_pipeline_tests.metadata_file import (
    FEATURES,
    NEW_ID,
    OLD_ID,
    ROWS,
    TRACK_IDS,
    write_features,
    write_metadata,
    write_redirects,
)


class Home:
    """The files of an installation's metadata."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder / "meta.duckdb"
        self.features = write_features(folder / AUDIO_FEATURES.unpacked)
        self.redirects = write_redirects(folder / ARTIST_REDIRECTS.unpacked)
        artists = [(*row[:1], NEW_ID, *row[2:]) if row[0] == 1 else row for row in ROWS["artists"]]
        self.catalogue = write_metadata(folder / "catalogue.sqlite3", {**ROWS, "artists": artists})

    def load(self, source: Path, tables: Sequence[str] = tuple(TABLES)) -> None:
        """Load all of a file."""
        build_metadata(source, self.folder / "staging", self.target, tables=tables)

    def load_all(self) -> None:
        """Load the three files."""
        self.load(self.features, AUDIO_FEATURES.tables)
        self.load(self.catalogue)
        self.load(self.redirects, ARTIST_REDIRECTS.tables)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_every_value_arrives_and_the_view_gives_it_as_it_was(home: Home) -> None:
    home.load_all()
    with connect(home.target, read_only=True) as connection:
        assert connection.execute("FROM source.track_audio_features").fetchall() == FEATURES
        assert connection.execute("FROM artist_redirects").fetchall() == [(OLD_ID, NEW_ID)]
        (kind,) = connection.execute(
            "SELECT typeof(null_response) FROM track_audio_features"
        ).fetchall()[0]
    assert kind == "BOOLEAN"


def test_a_load_of_one_file_keeps_what_came_of_the_others(home: Home) -> None:
    home.load_all()
    home.load(home.catalogue)
    assert {source.name for source in loaded_source(home.target).values()} == {
        AUDIO_FEATURES.unpacked,
        ARTIST_REDIRECTS.unpacked,
        "catalogue.sqlite3",
    }
    with connect(home.target, read_only=True) as connection:
        assert count_rows(connection, "track_audio_features") == (2, 2)
        assert count_rows(connection, "tracks") == (3, 3)


def test_a_track_has_its_features_and_a_redirected_artist_is_found(home: Home) -> None:
    home.load_all()
    with Catalog(home.target) as catalog:
        tracks = catalog.tracks(TRACK_IDS)
        artists = catalog.artists([OLD_ID, NEW_ID])
    found = tracks[TRACK_IDS[0]].features
    assert found is not None
    assert (found.tempo, found.key, found.loudness) == (120.5, 7, -7.25)
    assert tracks[TRACK_IDS[1]].features is tracks[TRACK_IDS[2]].features is None
    assert artists[OLD_ID] == artists[NEW_ID]


def test_ids_of_features_are_looked_at(home: Home) -> None:
    with closing(sqlite3.connect(home.features)) as connection:
        again = "INSERT INTO track_audio_features (rowid, track_id, fetched_at, null_response)"
        connection.execute(f"{again} VALUES (3, ?, 0, 0), (4, 'x', 0, 0)", (TRACK_IDS[0],))
        connection.commit()
    home.load_all()
    with connect(home.target, read_only=True) as connection:
        found = look_at_ids(connection, "track_audio_features")
    assert (found.ids, found.repeated, found.ill_formed) == (4, 1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not an object of old ids and new ids"),
        ('{"' + OLD_ID + '": 5}', "not an object of old ids and new ids"),
        ('{"' + OLD_ID + '": "it\'s"}', "\"it's\" where an artist's id belongs"),
        ('{"' + OLD_ID, "not an object of old ids and new ids"),
        ("\udcff", "not an object of old ids and new ids"),
    ],
)
def test_redirects_that_are_none_are_reported_and_the_previous_stay(
    home: Home, content: str, message: str
) -> None:
    home.load_all()
    before = home.target.read_bytes()
    home.redirects.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(MetadataError, match=message):
        home.load(home.redirects, ARTIST_REDIRECTS.tables)
    assert home.target.read_bytes() == before


def test_features_of_another_schema_are_reported_and_the_previous_stay(home: Home) -> None:
    home.load_all()
    before = home.target.read_bytes()
    with pytest.raises(MetadataError, match="has no table track_audio_features"):
        home.load(home.catalogue, AUDIO_FEATURES.tables)
    assert home.target.read_bytes() == before

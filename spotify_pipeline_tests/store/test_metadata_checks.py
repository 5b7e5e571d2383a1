"""Checks of the catalogue's tables: what is wrong is counted, what is right is not."""

from pathlib import Path

import pytest

from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata_checks import (
    FOREIGN_KEYS,
    ID_TABLES,
    IdCheck,
    count_rows,
    count_uncatalogued,
    count_unresolved,
    look_at_ids,
)
from spotify_pipeline.store.metadata_layout import KEY_TABLES, build_key_tables
from spotify_pipeline_tests.catalogue_made import TITLES, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_home(tmp_path_factory.mktemp("home"), text=False)


def test_a_whole_catalogue_passes(home: Settings) -> None:
    with connect(home.metadata_database, read_only=True) as connection:
        for table in TABLES:
            source, rows = count_rows(connection, table)
            assert source == rows
        for table in ID_TABLES:
            assert look_at_ids(connection, table) == IdCheck(count_rows(connection, table)[1], 0, 0)
        for table, columns in FOREIGN_KEYS.items():
            assert count_unresolved(connection, table) == dict.fromkeys(columns, 0)


def test_what_is_wrong_is_counted(tmp_path: Path) -> None:
    home = make_home(tmp_path, text=False)
    with connect(home.metadata_database) as connection:
        connection.execute('DELETE FROM tracks WHERE "rowid" IN (1, 3)')
        connection.execute("UPDATE tracks SET id = 'zzz' WHERE \"rowid\" IN (2, 4)")
        connection.execute("DROP SCHEMA keys CASCADE")
        assert len(list(build_key_tables(connection))) == len(KEY_TABLES)
        source, rows = count_rows(connection, "tracks")
        assert (source, rows) == (len(TITLES), len(TITLES) - 2)
        assert look_at_ids(connection, "tracks") == IdCheck(len(TITLES) - 2, 1, 2)
        assert count_unresolved(connection, "track_artists")["track_rowid"] == 2


def test_audio_that_the_catalogue_does_not_know_is_counted(home: Settings, tmp_path: Path) -> None:
    audio = tmp_path / "audio.duckdb"
    create_audio_database(audio)
    with connect(home.metadata_database, read_only=True) as connection:
        assert count_uncatalogued(connection, audio) == (0, 0)

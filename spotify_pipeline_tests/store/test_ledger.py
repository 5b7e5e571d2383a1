"""The ledger as others read it; what stands in it, the tests of `audio` tell."""

from pathlib import Path

import pytest

from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import append_extract, create_audio_database
from spotify_pipeline.store.database import DatabaseError, connect
from spotify_pipeline.store.ledger import ledger, ledger_row, read_ledger
from spotify_pipeline_tests.documents import make_documents
from spotify_pipeline_tests.extracts import reduce_documents, settings_of
from spotify_pipeline_tests.processes import held_open_by_another_process


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


def append_documents(home: Settings, shard: str, count: int) -> None:
    extract = reduce_documents(home, shard, make_documents(shard, count, duration=10.0))
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        append_extract(connection, extract, "run")


def test_one_shards_row_is_the_one_of_the_whole_ledger(home: Settings) -> None:
    append_documents(home, "0A", 1)
    append_documents(home, "0a", 2)
    with connect(home.audio_database) as connection:
        connection.execute("UPDATE checks SET passed = FALSE WHERE shard = '0a'")
        rows = ledger(connection)
        assert {shard: ledger_row(connection, shard) for shard in rows} == rows
        assert ledger_row(connection, "0b") is None
    assert rows["0A"].failed_checks == ()
    assert len(rows["0a"].failed_checks) == 4


def test_the_ledger_of_a_missing_database_is_empty(home: Settings) -> None:
    assert read_ledger(home.audio_database) == {}
    assert not home.audio_database.exists()


def test_the_ledger_is_read_from_the_database(home: Settings) -> None:
    append_documents(home, "0a", 2)
    assert {shard: row.tracks for shard, row in read_ledger(home.audio_database).items()} == {
        "0a": 2
    }
    with (
        held_open_by_another_process(home.audio_database),
        pytest.raises(DatabaseError, match="another process"),
    ):
        read_ledger(home.audio_database)

"""What is wrong with a shard's rows is counted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.store.audio import append_extract, create_audio_database
from spotify_pipeline.store.checks import ShardCheck, check_shard
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.findings import CHECKS
from spotify_pipeline_tests.documents import make_documents
from spotify_pipeline_tests.extracts import reduce_documents, settings_of

SOUND = ShardCheck(
    ledger_tracks=3,
    tracks=3,
    different_ids=3,
    ill_formed_ids=0,
    with_echoprint=3,
    with_rhythm=3,
    unrecovered=0,
    damaged=0,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    home = settings_of(tmp_path)
    create_audio_database(home.audio_database)
    with connect(home.audio_database) as connection:
        for shard in ("0a", "0A"):
            extract = reduce_documents(home, shard, make_documents(shard, 3, duration=30))
            append_extract(connection, extract, "run")
        yield connection


def test_a_sound_shard_has_nothing_wrong(database: duckdb.DuckDBPyConnection) -> None:
    assert check_shard(database, "0a") == SOUND


def test_a_shard_that_is_not_there_has_no_rows(database: duckdb.DuckDBPyConnection) -> None:
    check = check_shard(database, "0b")
    assert (check.ledger_tracks, check.tracks) == (None, 0)


@pytest.mark.parametrize(
    ("change", "attribute", "value"),
    [
        ("DELETE FROM tracks WHERE track_id LIKE '0a%1'", "tracks", 2),
        ("UPDATE shards SET tracks = 7 WHERE shard = '0a'", "ledger_tracks", 7),
        ("UPDATE tracks SET track_id = '0a' WHERE track_id LIKE '0a%1'", "ill_formed_ids", 1),
        ("UPDATE tracks SET track_id = '0a' WHERE shard = '0a'", "different_ids", 1),
        ("UPDATE tracks SET shard = '0a' WHERE track_id LIKE '0A%1'", "ill_formed_ids", 1),
        ("UPDATE tracks SET echoprint = '' WHERE track_id LIKE '0a%2'", "with_echoprint", 2),
        ("UPDATE tracks SET rhythm = '' WHERE shard = '0a'", "with_rhythm", 0),
        ("UPDATE tracks SET rhythm = 'nonsense' WHERE track_id LIKE '0a%2'", "damaged", 1),
        ("UPDATE tracks SET harmony = 'nonsense' WHERE track_id LIKE '0a%2'", "damaged", 1),
        ("UPDATE tracks SET echoprint_form = 'codes' WHERE shard = '0a'", "unrecovered", 3),
    ],
)
def test_what_is_wrong_is_counted(
    database: duckdb.DuckDBPyConnection, change: str, attribute: str, value: int
) -> None:
    database.execute(change)
    assert getattr(check_shard(database, "0a"), attribute) == value
    assert check_shard(database, "0a") != SOUND


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, []),
        ({"ledger_tracks": 4}, ["ledger_equals_table"]),
        ({"different_ids": 2}, ["ids_unique_and_well_formed"]),
        ({"ill_formed_ids": 1}, ["ids_unique_and_well_formed"]),
        ({"damaged": 1}, ["codes_in_range"]),
        ({"with_rhythm": 2}, []),
        ({"with_rhythm": 1}, ["fingerprints_present"]),
        ({"with_echoprint": 0}, ["fingerprints_present"]),
    ],
)
def test_what_was_counted_is_judged(changed: dict[str, int], failed: list[str]) -> None:
    findings = replace(SOUND, **changed).findings(TrainsChoice.BOTH)
    assert [finding.name for finding in findings] == list(CHECKS)
    assert [finding.name for finding in findings if not finding.passed] == failed


def test_a_fingerprint_that_is_not_kept_may_be_missing() -> None:
    check = replace(SOUND, with_echoprint=0)
    assert all(finding.passed for finding in check.findings(TrainsChoice.RHYTHM))
    assert not all(finding.passed for finding in check.findings(TrainsChoice.ECHOPRINT))


@pytest.mark.parametrize(
    ("tracks", "rhythm", "sound"),
    [(0, 0, True), (1, 0, False), (1, 1, True), (20, 18, True), (20, 17, False)],
)
def test_a_tenth_of_the_fingerprints_may_be_missing_or_one(
    tracks: int, rhythm: int, sound: bool
) -> None:
    check = ShardCheck(tracks, tracks, tracks, 0, tracks, rhythm, 0, 0)
    assert all(finding.passed for finding in check.findings(TrainsChoice.BOTH)) == sound

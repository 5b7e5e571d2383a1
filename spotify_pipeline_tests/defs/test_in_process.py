"""Everything that waits, run in this process: what earlier runs left does not get in the way."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
import yaml

from spotify_pipeline.catalog import Catalog, TextSearch
from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.in_process import JobOutcome, run_waiting
from spotify_pipeline.settings import Settings, TrainsChoice
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.defs.test_dead_runs import tag_of_a_process_that_has_ended
from spotify_pipeline_tests.documents import make_documents, write_lines, write_shard
from spotify_pipeline_tests.metadata_file import (
    TRACK_IDS,
    write_features,
    write_metadata,
    write_redirects,
)
from spotify_pipeline_tests.processes import CHECKOUT


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    dagster_home = tmp_path / "dagster-home"
    dagster_home.mkdir()
    concurrency = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())["concurrency"]
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump({"concurrency": concurrency}))
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    found = Settings(tmp_path / "home", tmp_path / "home" / "incoming")
    found.create_folders()
    return found


def outcomes(settings: Settings) -> list[JobOutcome]:
    return list(run_waiting(settings, lambda done, total, what: None, pytest.fail))


def test_a_pool_slot_of_a_killed_ingest_does_not_block_the_next(settings: Settings) -> None:
    with dg.DagsterInstance.get() as instance:
        job = build_defs(settings).resolve_job_def("ingest")
        dead = instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.STARTED, tags=tag_of_a_process_that_has_ended()
        )
        storage = instance.event_log_storage
        storage.initialize_concurrency_limit_to_default("audio_database")
        claim = storage.claim_concurrency_slot("audio_database", dead.run_id, "ingested_shard")
        assert claim.is_claimed
    write_shard(settings.incoming, "0a", make_documents("0a", 1))
    assert [outcome.error for outcome in outcomes(settings)] == [None, None]
    with dg.DagsterInstance.get() as instance:
        failed = instance.get_run_by_id(dead.run_id)
        assert failed is not None
        assert failed.status == dg.DagsterRunStatus.FAILURE


def test_metadata_is_loaded_and_its_words_indexed_and_a_lost_text_index_made_anew(
    settings: Settings,
) -> None:
    write_metadata(settings.incoming / "spotify_clean.sqlite3")
    assert [(outcome.job, outcome.error) for outcome in outcomes(settings)] == [("metadata", None)]
    assert TextSearch.open(settings.text_index).search("drop table") == [3]
    shutil.rmtree(settings.text_index)
    assert [(outcome.job, outcome.error) for outcome in outcomes(settings)] == [("text", None)]
    assert TextSearch.open(settings.text_index).search("drop table") == [3]
    assert outcomes(settings) == []


def test_files_that_not_everyone_has_are_loaded_if_they_are_there(settings: Settings) -> None:
    write_features(settings.incoming / "spotify_clean_audio_features.sqlite3")
    write_redirects(settings.incoming / "spotify_artist_redirects.json")
    write_metadata(settings.incoming / "spotify_clean.sqlite3")
    assert [(outcome.job, outcome.error) for outcome in outcomes(settings)] == [
        ("audio_features", None),
        ("redirects", None),
        ("metadata", None),
    ]
    assert outcomes(settings) == []
    with Catalog(settings.metadata_database) as catalog:
        features = catalog.tracks(TRACK_IDS)[TRACK_IDS[0]].features
    assert features is not None
    assert features.tempo == 120.5


def test_a_file_that_is_kept_is_reported_and_not_read_again(settings: Settings) -> None:
    write_lines(settings.incoming / "0a.jsonl.zst", [b"nonsense\n"])
    (ingest, _) = outcomes(settings)
    assert ingest.note == "done; its file is kept: none of its lines was taken"
    (again,) = outcomes(settings)
    assert again.note is not None
    assert again.note.startswith("is in the database already")


def test_a_committed_file_that_was_not_retired_goes_without_being_read_again(
    settings: Settings,
) -> None:
    source = write_shard(settings.incoming, "0a", make_documents("0a", 1))
    outcomes(replace(settings, sources="keep"))
    assert source.exists()
    (only,) = outcomes(settings)
    assert (only.error, only.note) == (None, None)
    assert not source.exists()


def test_a_file_that_comes_back_changed_takes_the_place_of_what_was_ingested(
    settings: Settings,
) -> None:
    for tracks in (1, 3):
        source = write_shard(settings.incoming, "0a", make_documents("0a", tracks))
        assert {outcome.error for outcome in outcomes(settings)} == {None}
        assert not source.exists()
        assert read_ledger(settings.audio_database)["0a"].tracks == tracks


@pytest.mark.parametrize("sources", ["delete", "keep"])
def test_a_file_that_comes_back_with_the_same_content_is_not_ingested_again(
    settings: Settings, sources: str
) -> None:
    chosen = replace(settings, sources=sources)
    source = write_shard(settings.incoming, "0a", make_documents("0a", 2))
    outcomes(chosen)
    before = read_ledger(settings.audio_database)["0a"]
    write_shard(settings.incoming / "again", "0a", make_documents("0a", 2))
    source.unlink(missing_ok=True)
    (again,) = outcomes(chosen)
    assert again.error is None
    assert str(again.note).startswith("already ingested, with the same content; its file ")
    assert source.parent.joinpath("again", source.name).exists() == (sources == "keep")
    after = read_ledger(settings.audio_database)["0a"]
    assert after.ingested_at == before.ingested_at
    (*later,) = outcomes(chosen)  # a file that is kept is known by its time from now on
    assert [str(outcome.note) for outcome in later] == [
        "is in the database already; its file is kept: files are kept by choice"
    ] * (sources == "keep")


def test_a_file_that_comes_back_is_ingested_for_what_its_rows_lack(settings: Settings) -> None:
    fewer = replace(settings, keep_harmony=False, kept_trains=TrainsChoice.RHYTHM)
    more = [settings, replace(settings, parts=("sections",))]
    for chosen in (fewer, *more):
        write_shard(settings.incoming, "0a", make_documents("0a", 2))
        assert {outcome.note for outcome in outcomes(chosen)} == {None}
    with connect(settings.audio_database, read_only=True) as connection:
        rows = connection.execute(
            "SELECT octet_length(echoprint) > 0, harmony IS NOT NULL FROM tracks"
        )
        assert rows.fetchall() == [(True, True)] * 2
        assert connection.execute("SELECT count(*) FROM sections").fetchall() == [(2,)]


def test_a_file_as_long_as_the_ingested_one_with_other_content_is_ingested(
    settings: Settings,
) -> None:
    for byte in (b"a", b"b"):
        # incompressible by so little: two files of the same length
        write_lines(settings.incoming / "0a.jsonl.zst", [byte * 8 + b"\n"])
        outcomes(settings)
    with connect(settings.audio_database, read_only=True) as connection:
        assert connection.execute("SELECT excerpt FROM rejects").fetchall() == [(b"b" * 8,)]


def test_a_link_to_nowhere_waits_and_does_not_stop_the_others(settings: Settings) -> None:
    (settings.incoming / "0a.jsonl.zst").symlink_to(settings.incoming / "nowhere")
    write_shard(settings.incoming, "0b", make_documents("0b", 1))
    found = {outcome.shard: outcome for outcome in outcomes(settings) if outcome.job == "ingest"}
    assert "No such file" in str(found["0a"].note)
    assert found["0b"].error is None


def test_what_is_passed_over_is_reported_and_the_newest_metadata_file_is_loaded(
    settings: Settings,
) -> None:
    leftover = settings.incoming / "metadata" / "spotify_clean.sqlite3"
    leftover.parent.mkdir()
    leftover.write_bytes(b"of the demo")
    os.utime(leftover, ns=(1, 1))
    (settings.incoming / "0a (1).jsonl.zst").touch()
    newest = write_metadata(settings.incoming / "spotify_clean.sqlite3")
    copy, older, metadata = outcomes(settings)
    assert str(copy.note).startswith(f"{settings.incoming / '0a (1).jsonl.zst'} is passed over: ")
    assert str(older.note).startswith(f"{leftover} is passed over: {newest} is newer and counts")
    assert (metadata.job, metadata.error) == ("metadata", None)


def test_a_file_whose_rows_fail_a_check_is_kept_and_an_error_each_time(settings: Settings) -> None:
    documents = make_documents("0a", 2)
    for document in documents:
        document["track"] |= {"echoprintstring": "", "rhythmstring": ""}
    source = write_shard(settings.incoming, "0a", documents)
    (first, _) = outcomes(settings)
    (again,) = outcomes(settings)
    for outcome in (first, again):
        assert outcome.shard == "0a"
        assert "its rows fail fingerprints_present" in str(outcome.error)
    assert source.exists()


def test_a_damaged_database_is_named(settings: Settings) -> None:
    create_audio_database(settings.audio_database)
    settings.audio_database.write_bytes(b"x" * 10_000)
    write_shard(settings.incoming, "0a", make_documents("0a", 1))
    with pytest.raises(Exception, match=r"audio\.duckdb"):
        outcomes(settings)

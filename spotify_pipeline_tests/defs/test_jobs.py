"""The jobs, run in this process on a small data home."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Timer

import dagster as dg
import pytest

from spotify_pipeline.defs import build_defs, resources
from spotify_pipeline.dump.failure import failures
from spotify_pipeline.settings import Settings
from spotify_pipeline.status import gather_status, size_on_disk
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import make_documents, write_lines, write_shard
from spotify_pipeline_tests.metadata_file import write_metadata
from spotify_pipeline_tests.processes import held_open_by_another_process

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / "incoming")
    found.create_folders()
    return found


def run_job(settings: Settings, job: str, shard: str | None = None) -> dg.ExecuteInProcessResult:
    return (
        build_defs(settings)
        .resolve_job_def(job)
        .execute_in_process(run_config=QUIET, partition_key=shard, raise_on_error=False)
    )


def materialise_segment(settings: Settings, shard: str) -> dg.ExecuteInProcessResult:
    return (
        build_defs(settings)
        .resolve_implicit_global_asset_job_def()
        .get_subset(asset_selection={dg.AssetKey("shard_segment")})
        .execute_in_process(run_config=QUIET, partition_key=shard, raise_on_error=False)
    )


def failure_message(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None
    assert failure.description is not None
    return failure.description


def test_materialising_a_partition_ingests_its_shard_and_counts_it(settings: Settings) -> None:
    source = write_shard(settings.incoming, "0A", make_documents("0A", 3))
    size = source.stat().st_size
    result = run_job(settings, "ingest", "0A")
    assert result.success
    (reduced,) = result.asset_materializations_for_node("reduced_shard")
    (ingested,) = result.asset_materializations_for_node("ingested_shard")
    assert reduced.metadata["source_bytes"].value == size
    assert ingested.metadata["tracks"].value == 3
    assert ingested.metadata["source_kept_because"].value == ""
    assert not source.exists()
    assert read_ledger(settings.audio_database)["0A"].run_id == result.run_id


@pytest.mark.parametrize("keep", [True, False])
def test_harmony_is_kept_as_the_settings_say(settings: Settings, keep: bool) -> None:
    documents = make_documents("0A", 3)
    del documents[0]["segments"]
    write_shard(settings.incoming, "0A", documents)
    result = run_job(replace(settings, keep_harmony=keep), "ingest", "0A")
    (reduced,) = result.asset_materializations_for_node("reduced_shard")
    assert reduced.metadata["with_harmony"].value == (2 if keep else 0)
    reasons = {"segments are missing": 1} if keep else {}
    assert reduced.metadata["without_harmony"].value == reasons
    assert gather_status(settings).tracks_with_harmony == (2 if keep else 0)


def why_it_waits(result: dg.ExecuteInProcessResult) -> str | None:
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("file_is_whole", False)
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert not result.get_asset_materialization_events()
    assert [e.step_key for e in result.all_events if e.is_step_skipped] == ["ingested_shard"]
    return check.description


def test_a_shard_that_is_not_there_is_skipped_with_the_reason(settings: Settings) -> None:
    result = run_job(settings, "ingest", "0a")
    assert result.success
    assert why_it_waits(result) == (
        f"0a.jsonl.zst is not in {settings.incoming} or a folder below it"
    )
    assert failures(settings.staging) == {}


def test_a_shard_that_lies_there_twice_fails_with_a_message(settings: Settings) -> None:
    for folder in ("one", "two"):
        write_shard(settings.incoming / folder, "0a", make_documents("0a", 1))
    result = run_job(settings, "ingest", "0a")
    assert failure_message(result).endswith(": remove one")


def test_a_cut_off_shard_waits_and_is_ingested_once_it_is_whole(settings: Settings) -> None:
    source = write_shard(settings.incoming, "0a", make_documents("0a", 3))
    whole = source.read_bytes()
    source.write_bytes(whole[:-10])
    result = run_job(settings, "ingest", "0a")
    assert result.success
    assert str(source) in (why_it_waits(result) or "")
    assert failures(settings.staging)["0a"].incomplete
    assert source.exists()
    assert "0a" not in read_ledger(settings.audio_database)
    source.write_bytes(whole)
    assert run_job(settings, "ingest", "0a").success
    assert not source.exists()
    assert failures(settings.staging) == {}


def test_a_damaged_shard_fails_and_stays(settings: Settings) -> None:
    source = write_shard(settings.incoming, "0a", make_documents("0a", 3))
    source.write_bytes(b"not zstd at all")
    result = run_job(settings, "ingest", "0a")
    assert "not a zstd file, or damaged" in failure_message(result)
    assert source.exists()
    assert not failures(settings.staging)["0a"].incomplete


def test_a_shard_with_many_rejects_keeps_its_source(settings: Settings) -> None:
    source = write_lines(settings.incoming / "0a.jsonl.zst", [b"nonsense\n"] * 5)
    result = run_job(settings, "ingest", "0a")
    (ingested,) = result.asset_materializations_for_node("ingested_shard")
    assert ingested.metadata["rejects"].value == 5
    assert ingested.metadata["source_kept_because"].value == "none of its lines was taken"
    assert source.exists()


def write_silent_shard(settings: Settings, shard: str) -> Path:
    """Write documents whose fingerprints are empty."""
    documents = make_documents(shard, 3)
    for document in documents:
        document["track"] |= {"echoprintstring": "", "rhythmstring": ""}
    return write_shard(settings.incoming, shard, documents)


@pytest.mark.parametrize("shards", [["0a", "0b"], ["0b", "0a"]])
def test_a_failed_check_keeps_the_file_fails_the_run_and_is_its_partitions(
    settings: Settings, shards: list[str]
) -> None:
    silent = write_silent_shard(settings, "0a")
    write_shard(settings.incoming, "0b", make_documents("0b", 3))
    key = dg.AssetCheckKey(dg.AssetKey("ingested_shard"), "fingerprints_present")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(settings).resolve_job_def("ingest")
        results = {
            shard: job.execute_in_process(
                run_config=QUIET, partition_key=shard, instance=instance, raise_on_error=False
            )
            for shard in shards
        }
        found = instance.event_log_storage.get_asset_check_partition_info([key])
    assert {shard: result.success for shard, result in results.items()} == {"0a": False, "0b": True}
    message = failure_message(results["0a"])
    assert message.startswith(f"{silent} was kept: its rows fail fingerprints_present (tracks 3,")
    assert silent.exists()
    assert {info.partition_key: info.latest_execution_status.value for info in found} == {
        "0a": "FAILED",
        "0b": "SUCCEEDED",
    }
    assert list(gather_status(settings).failed) == ["0a"]


def test_the_index_holds_what_was_ingested(settings: Settings) -> None:
    write_shard(settings.incoming, "0a", make_documents("0a", 4))
    assert run_job(settings, "ingest", "0a").success
    result = run_job(settings, "index")
    *_, materialization = result.asset_materializations_for_node("feature_index.merged_segments")
    assert materialization.metadata["tracks"].value == 4
    assert materialization.metadata["shards"].value == 1


def test_the_index_job_notes_the_segments_of_shards_it_made(settings: Settings) -> None:
    write_shard(settings.incoming, "0a", make_documents("0a", 4))
    assert run_job(settings, "ingest", "0a").success
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(settings).resolve_job_def("index")
        assert job.execute_in_process(run_config=QUIET, instance=instance).success
        assert instance.get_materialized_partitions(dg.AssetKey("shard_segment")) == {"0a"}


def test_materialising_a_segment_indexes_its_shard_with_the_figures(settings: Settings) -> None:
    for shard, tracks in (("0a", 4), ("0b", 3)):
        write_shard(settings.incoming, shard, make_documents(shard, tracks))
        assert run_job(settings, "ingest", shard).success
    result = materialise_segment(settings, "0b")
    (made,) = result.asset_materializations_for_node("shard_segment")
    assert made.metadata["tracks"].value == 3
    size = sum(path.stat().st_size for path in settings.index.glob("segment-*"))
    assert made.metadata["segment_bytes"].value == size
    assert set(made.metadata) >= {"postings", "bytes_per_track", "tracks_per_second"}
    index = run_job(settings, "index")
    *_, materialization = index.asset_materializations_for_node("feature_index.merged_segments")
    assert materialization.metadata["tracks"].value == 7


def test_the_segment_of_a_shard_that_is_not_ingested_fails_with_a_message(
    settings: Settings,
) -> None:
    message = failure_message(materialise_segment(settings, "0a"))
    assert message.startswith("shard 0a is not in audio.duckdb")


def test_a_build_on_a_busy_database_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(resources, "RETRY_SECONDS", 0.5)
    monkeypatch.setattr(resources, "RETRIES", 1000)
    write_shard(settings.incoming, "0a", make_documents("0a", 2))
    run_job(settings, "ingest", "0a")
    with ExitStack() as stack:
        stack.enter_context(held_open_by_another_process(settings.audio_database))
        Timer(3.0, stack.close).start()
        result = run_job(settings, "index")
    assert result.success
    assert result.retry_attempts_for_node("feature_index.segments_of_shards") > 0


def test_a_build_on_a_damaged_database_is_not_tried_again(settings: Settings) -> None:
    settings.audio_database.write_bytes(b"damaged")
    result = run_job(settings, "index")
    assert str(settings.audio_database) in failure_message(result)
    assert not [event for event in result.all_events if event.is_step_restarted]


def test_an_index_of_nothing_is_empty_and_not_an_error(settings: Settings) -> None:
    assert run_job(settings, "index").success


def test_metadata_without_its_file_fails_with_a_message(settings: Settings) -> None:
    result = run_job(settings, "metadata")
    assert "spotify_clean.sqlite3.zst is not in" in failure_message(result)


def test_a_kept_source_stays_and_does_not_wait_any_more(settings: Settings) -> None:
    keeping = replace(settings, sources="keep")
    source = write_shard(settings.incoming, "0a", make_documents("0a", 3))
    assert gather_status(keeping).waiting == ["0a"]
    assert run_job(keeping, "ingest", "0a").success
    assert source.exists()
    assert gather_status(keeping).waiting == []


def test_the_metadata_job_indexes_words_and_tells_how_fast(settings: Settings) -> None:
    write_metadata(settings.incoming / "spotify_clean.sqlite3")
    result = run_job(settings, "metadata")
    assert result.success
    (made,) = result.asset_materializations_for_node("text_index")
    assert made.metadata["tracks"].value == 3
    assert made.metadata["index_bytes"].value == size_on_disk(
        next(settings.text_index.glob("terms-*"))
    )
    assert set(made.metadata) >= {"bytes_per_track", "seconds", "tracks_per_second"}
    assert run_job(settings, "text").success


def test_the_metadata_job_checks_its_tables_and_what_audio_they_cover(settings: Settings) -> None:
    write_shard(settings.incoming, "0a", make_documents("0a", 3))
    assert run_job(settings, "ingest", "0a").success
    write_metadata(settings.incoming / "spotify_clean.sqlite3")
    found = {
        f"{check.asset_key.to_user_string()}.{check.check_name}": check
        for check in run_job(settings, "metadata").get_asset_check_evaluations()
    }
    assert found["tracks.rows_equal_source"].passed
    assert found["tracks.rows_equal_source"].metadata["rows"].value == 3
    assert found["tracks.ids_unique_and_well_formed"].passed
    assert set(found["track_artists.foreign_keys_resolve"].metadata) == {
        "unresolved_share_artist_rowid",
        "unresolved_share_track_rowid",
    }
    cover = found["tracks.tracks_cover_audio"]
    assert cover.metadata["tracks_with_audio"].value == 3
    assert cover.severity == dg.AssetCheckSeverity.WARN


def test_a_text_index_without_tables_fails_with_a_message(settings: Settings) -> None:
    result = run_job(settings, "text")
    assert "there is nothing to index" in failure_message(result)

"""The first shards of real data: what is sound goes in, what is not stays and is reported."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from spotify_pipeline.settings import INCOMING_VARIABLE
from spotify_pipeline_tests.documents import Document, make_documents, write_shard
from spotify_pipeline_tests.metadata_file import write_metadata
from spotify_pipeline_tests.processes import (
    DAGSTER,
    SPOTIFY_PIPELINE,
    environment,
    held_open_by_another_process,
    run,
    run_here,
)


def add(home: Path, shard: str, documents: Iterable[Document] | None = None) -> Path:
    """Put a shard into the incoming folder, a sound one by default."""
    return write_shard(home / "incoming", shard, documents or make_documents(shard, 2))


def silent(shard: str) -> list[Document]:
    """Make documents whose fingerprints are empty."""
    documents = make_documents(shard, 2)
    for document in documents:
        document["track"] |= {"echoprintstring": "", "rhythmstring": ""}
    return documents


def ingest(home: Path) -> subprocess.CompletedProcess[str]:
    return run_here(home, "ingest")


def status(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_here(home, "status", "--json").stdout)
    return found


def run_for_partition(home: Path, shard: str) -> subprocess.CompletedProcess[str]:
    """Run the job for a shard, as materialising its partition does."""
    job = ["job", "execute", "-m", "spotify_pipeline.definitions", "-j", "ingest"]
    return run(home, DAGSTER, *job, "--tags", json.dumps({"dagster/partition": shard}))


def test_a_shard_that_fails_a_check_is_kept_and_told_until_a_sound_one_takes_its_place(
    tmp_path: Path,
) -> None:
    bad, good = add(tmp_path, "0a", silent("0a")), add(tmp_path, "0b")
    first = ingest(tmp_path)
    assert first.returncode == 1
    assert f"ingest 0a: {bad} was kept: its rows fail fingerprints_present" in first.stderr
    assert "ingest 0b: done" in first.stdout
    assert (bad.exists(), good.exists()) == (True, False)
    found = status(tmp_path)
    assert "but its rows fail fingerprints_present" in found["failed"]["0a"]
    assert found["shards"] == {"ingested": 2, "waiting": 0, "failed": 1, "of_the_dump": 484}

    add(tmp_path, "0c")
    second = ingest(tmp_path)
    assert second.returncode == 1
    assert "ingest 0c: done" in second.stdout
    assert "its rows fail fingerprints_present" in second.stderr
    assert list(status(tmp_path)["failed"]) == ["0a"]

    add(tmp_path, "0a")
    third = ingest(tmp_path)
    assert (third.returncode, third.stderr) == (0, "")
    assert status(tmp_path)["failed"] == {}


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ingest a shard from a folder outside the home."""
    home, elsewhere = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("torrents")
    source = write_shard(elsewhere, "0a", make_documents("0a", 2))
    command = [SPOTIFY_PIPELINE, "ingest"]
    variables = environment(home) | {INCOMING_VARIABLE: str(elsewhere)}
    subprocess.run(command, env=variables, cwd=elsewhere, check=True, capture_output=True)
    assert not source.exists()
    return home


def what_is_ingested(home: Path) -> tuple[int, int, dict[str, str]]:
    found = status(home)
    return found["shards"]["ingested"], found["tracks"], found["failed"]


def test_status_tells_what_was_ingested_from_another_folder_and_whatever_runs_are_remembered(
    ingested: Path,
) -> None:
    assert what_is_ingested(ingested) == (1, 2, {})
    shutil.rmtree(ingested / "dagster-home")
    assert what_is_ingested(ingested) == (1, 2, {})
    again = ingest(ingested)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"nothing waits in {ingested / 'incoming'}\n"


def test_a_run_for_a_shard_whose_file_is_gone_changes_nothing(ingested: Path) -> None:
    skipped = run_for_partition(ingested, "0a")
    assert skipped.returncode == 0
    assert "shard 0a waits: 0a.jsonl.zst is not in" in skipped.stderr
    assert what_is_ingested(ingested) == (1, 2, {})


def test_while_another_process_writes_nothing_is_lost_and_status_says_unknown(
    ingested: Path,
) -> None:
    source = add(ingested, "0c")
    with held_open_by_another_process(ingested / "audio.duckdb"):
        refused = ingest(ingested)
        found = status(ingested)
    assert refused.returncode == 1
    assert "audio.duckdb" in refused.stderr
    assert "another process" in refused.stderr
    assert source.exists()
    assert (found["tracks"], found["busy"], found["waiting"]) == (None, ["audio.duckdb"], ["0c"])
    assert ingest(ingested).returncode == 0
    assert not source.exists()
    assert what_is_ingested(ingested) == (2, 4, {})


def test_what_is_passed_over_is_named_by_ingest_and_by_status(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    copy, plain = incoming / "0a (1).jsonl.zst", incoming / "0b.jsonl"
    older = write_metadata(tmp_path / "older.sqlite3").rename(incoming / "spotify_clean.sqlite3")
    os.utime(older, ns=(1, 1))
    (incoming / "new").mkdir()
    write_metadata(incoming / "new" / "spotify_clean.sqlite3")
    for path in (copy, plain):
        path.touch()
    shown = ingest(tmp_path)
    assert shown.returncode == 0
    reported = status(tmp_path)["passed_over"]
    assert reported.keys() == {str(copy), str(plain), str(older)}
    for path, reason in reported.items():
        assert f"ingest: {path} is passed over: {reason}" in shown.stdout


def test_a_shard_that_is_cut_off_waits_and_the_others_go_in(tmp_path: Path) -> None:
    cut_off, whole = add(tmp_path, "0a"), add(tmp_path, "0b")
    cut_off.write_bytes(cut_off.read_bytes()[:-10])
    shown = ingest(tmp_path)
    assert shown.returncode == 0
    assert f"ingest 0a: waits, {cut_off}" in shown.stdout
    assert (cut_off.exists(), whole.exists()) == (True, False)
    found = status(tmp_path)
    assert str(cut_off) in found["not_ready"]["0a"]
    assert (found["waiting"], found["failed"], found["tracks"]) == (["0a"], {}, 2)

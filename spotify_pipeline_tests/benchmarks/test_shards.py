"""Benchmarks of ingesting: shards are made and ingested, and all ways give the same rows."""

from pathlib import Path

import pytest

from benchmarks import backfill, ingest, shards, store
from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline_tests.benchmarks.made import Made, numbers


def parts(made: Made) -> list[str]:
    return ["--documents", str(made.documents), "--strings", str(made.strings)]


def test_a_shard_is_as_large_as_was_asked_for(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "0b.jsonl.zst"
    shards.main([*parts(made), "--megabytes", "1", "--shard", "0b", str(target)])
    count, size = numbers(capsys.readouterr().out)
    assert size == target.stat().st_size
    with open_compressed(target) as stream:
        lines = stream.read().splitlines()
    assert len(lines) == count
    assert 1_000_000 <= sum(map(len, lines)) < 1_600_000
    assert all(b'"track_id":"0b' in line for line in lines)


def test_all_ways_to_ingest_give_the_same_rows(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest.main([*parts(made), "--megabytes", "1", "--runs", "1", "--ways", "ours,read_json"])
    made_line, *_, ours, read_json, rows = capsys.readouterr().out.splitlines()[1:]
    documents, _ = numbers(made_line)
    assert rows == f"rows: {documents:.0f}, the same in all"
    for line in (ours, read_json):
        zstd, seconds, ratio, *_ = numbers(line)
        # all three are rounded to hundredths
        assert (seconds - 0.005) / (zstd + 0.005) - 0.01 < ratio
        assert ratio * max(zstd - 0.005, 0) < seconds + 0.005
        assert zstd < seconds


def test_a_database_s_bytes_and_strings_are_measured(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    store.main(["--shard", str(made.shard)])
    printed = capsys.readouterr().out
    assert "3 tracks; audio.duckdb" in printed
    rhythm, echoprint = numbers(next(x for x in printed.splitlines() if x.startswith("as strings")))
    assert 1_000 < rhythm < echoprint < 100_000
    for kind in ("rhythm", "echoprint"):
        unpacked = next(x for x in printed.splitlines() if x.startswith(f"{kind} unpacked"))
        rate, onsets = numbers(unpacked)
        assert rate > 0
        assert 100 < onsets < 10_000


def test_a_command_and_runs_ingest_the_same_tracks(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--megabytes", "1", "--shards", "1", "--ways", "command", "runs"]
    backfill.main([*parts(made), *few])
    command, runs, same = capsys.readouterr().out.splitlines()[1:]
    assert command.strip().startswith("command:")
    assert runs.strip().startswith("runs:")
    assert 0 < numbers(command)[0] < 600 > numbers(runs)[0] > 0
    assert same.endswith("tracks, the same in all")
    assert numbers(same)[0] >= 2

"""Which shard files look finished, and what the others wait for."""

import os
from pathlib import Path

from spotify_pipeline.dump.readiness import survey_incoming


def shard(folder: Path, name: str, content: bytes = b"x" * 1000) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_finished_shard_is_ready(tmp_path: Path) -> None:
    path = shard(tmp_path, "0a.jsonl.zst")
    assert survey_incoming(tmp_path).ready == {"0a": path}


def test_temporary_names_are_no_shards(tmp_path: Path) -> None:
    for suffix in (".!qB", ".part", ".aria2", ".crdownload", "~"):
        shard(tmp_path, f"0a.jsonl.zst{suffix}")
    shard(tmp_path, ".0a.jsonl.zst")
    survey = survey_incoming(tmp_path)
    assert not survey.ready
    assert not survey.waiting


def test_an_empty_file_waits(tmp_path: Path) -> None:
    shard(tmp_path, "0a.jsonl.zst", b"")
    assert survey_incoming(tmp_path).waiting == {"0a": "the file is empty"}


def test_a_file_smaller_than_listed_waits_and_others_do_not(tmp_path: Path) -> None:
    sizes = tmp_path / "sizes.csv"
    sizes.write_text("name,bytes\n0a.jsonl.zst,1001\n0A.jsonl.zst,1000\n")
    for name in ("0a", "0A", "0b"):
        shard(tmp_path, f"{name}.jsonl.zst")
    survey = survey_incoming(tmp_path, sizes)
    assert survey.waiting == {"0a": "1,000 of 1,001 bytes are there"}
    assert set(survey.ready) == {"0A", "0b"}


def test_a_file_with_holes_waits(tmp_path: Path) -> None:
    path = shard(tmp_path, "0a.jsonl.zst")
    os.truncate(path, 10_000_000)
    assert survey_incoming(tmp_path).waiting == {"0a": "the file is allocated but not filled"}


def test_a_file_waits_until_two_looks_find_it_the_same(tmp_path: Path) -> None:
    path = shard(tmp_path, "0a.jsonl.zst")
    first = survey_incoming(tmp_path, earlier={})
    assert "0a" in first.waiting
    path.write_bytes(b"x" * 2000)
    second = survey_incoming(tmp_path, earlier=first.states)
    assert "0a" in second.waiting
    third = survey_incoming(tmp_path, earlier=second.states)
    assert third.ready == {"0a": path}


def test_a_file_that_changes_without_growing_waits(tmp_path: Path) -> None:
    path = shard(tmp_path, "0a.jsonl.zst")
    first = survey_incoming(tmp_path)
    os.utime(path, ns=(1, 1))
    assert "0a" in survey_incoming(tmp_path, earlier=first.states).waiting


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert not survey_incoming(tmp_path / "none").states

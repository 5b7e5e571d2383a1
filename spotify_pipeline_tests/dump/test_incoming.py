"""The incoming folder: files are taken by their exact names, and deleted only if unchanged."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from spotify_pipeline.dump.incoming import SourcePolicy, find_shard, find_shards, retire_source
from spotify_pipeline.dump.staged_extract import ExtractSummary, reduce_shard
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.shards import SHARDS
from spotify_pipeline_tests.documents import make_documents, write_shard


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    path = tmp_path / "incoming"
    path.mkdir()
    return path


def put(incoming: Path, *names: str) -> None:
    for name in names:
        path = incoming / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")


def test_shards_are_found_in_partition_order(incoming: Path) -> None:
    shards = ["7Z", "0A", "7z", "00", "1a", "0a"]
    put(incoming, *(f"{shard}.jsonl.zst" for shard in shards))
    found = find_shards(incoming)
    assert list(found) == ["00", "0a", "0A", "1a", "7z", "7Z"] == sorted(shards, key=SHARDS.index)
    assert {shard: path.name for shard, (path,) in found.items()} == {
        shard: f"{shard}.jsonl.zst" for shard in shards
    }


@pytest.mark.parametrize(
    "name",
    [
        "0a.jsonl.zst.part",
        "0a.jsonl.zst.!qB",
        "0a.jsonl.zst~",
        ".0a.jsonl.zst",
        "0a.jsonl",
        "0a.zst",
        "0a.JSONL.ZST",
        "0a",
        ".jsonl.zst",
        "0.jsonl.zst",
        "0aa.jsonl.zst",
        "8a.jsonl.zst",
        "0-.jsonl.zst",
        "a0.jsonl.zst",
        "0a (1).jsonl.zst",
        "spotify_clean.sqlite3.zst",
    ],
)
def test_other_names_are_left_alone(incoming: Path, name: str) -> None:
    put(incoming, name)
    assert find_shards(incoming) == {}


def test_names_are_told_apart_by_case(incoming: Path) -> None:
    put(incoming, "0a.jsonl.zst")
    assert find_shard(incoming, "0a").name == "0a.jsonl.zst"
    with pytest.raises(PipelineError, match=r"0A\.jsonl\.zst is not in"):
        find_shard(incoming, "0A")


def test_shards_are_found_in_folders_below(incoming: Path) -> None:
    put(incoming, "torrent/audio_analysis/0a.jsonl.zst", "0b.jsonl.zst", "other/0B.jsonl.zst")
    assert find_shards(incoming) == {
        "0a": [incoming / "torrent" / "audio_analysis" / "0a.jsonl.zst"],
        "0b": [incoming / "0b.jsonl.zst"],
        "0B": [incoming / "other" / "0B.jsonl.zst"],
    }


def test_a_folder_with_the_name_of_a_shard_is_none(incoming: Path) -> None:
    (incoming / "0a.jsonl.zst").mkdir()
    assert find_shards(incoming) == {}


@pytest.mark.parametrize("folder", ["incoming", "missing"])
def test_an_empty_or_missing_folder_has_no_shards(tmp_path: Path, folder: str) -> None:
    (tmp_path / "incoming").mkdir()
    assert find_shards(tmp_path / folder) == {}


def test_a_shard_that_lies_there_twice_is_an_error_that_names_both(incoming: Path) -> None:
    put(incoming, "0a.jsonl.zst", "copy/0a.jsonl.zst", "0b.jsonl.zst")
    with pytest.raises(PipelineError, match="remove one") as error:
        find_shard(incoming, "0a")
    assert str(incoming / "0a.jsonl.zst") in str(error.value)
    assert str(incoming / "copy" / "0a.jsonl.zst") in str(error.value)


def test_a_missing_shard_is_an_error_that_names_the_folder(incoming: Path) -> None:
    with pytest.raises(PipelineError, match=r"0a\.jsonl\.zst") as error:
        find_shard(incoming, "0a")
    assert str(incoming) in str(error.value)


@dataclass(frozen=True)
class ReadShard:
    """A shard's file and what was noted when it was read."""

    path: Path
    summary: ExtractSummary


DELETE = SourcePolicy.parse("delete")


def retire(summary: ExtractSummary, policy: SourcePolicy) -> str | None:
    state = (summary.source_bytes, summary.source_modified_ns)
    return retire_source(Path(summary.source), state, policy)


@pytest.fixture
def shard(incoming: Path, tmp_path: Path) -> ReadShard:
    path = write_shard(incoming, "0a", make_documents("0a", 1, duration=1.0))
    return ReadShard(path, reduce_shard(path, "0a", tmp_path / "staging").summary())


def test_a_source_that_is_unchanged_is_deleted(shard: ReadShard) -> None:
    assert retire(shard.summary, DELETE) is None
    assert not shard.path.exists()


def test_nothing_but_the_source_is_deleted(shard: ReadShard, incoming: Path) -> None:
    put(incoming, "0A.jsonl.zst", "0a.jsonl.zst.part")
    retire(shard.summary, DELETE)
    assert sorted(path.name for path in incoming.iterdir()) == ["0A.jsonl.zst", "0a.jsonl.zst.part"]


def test_a_source_of_another_size_stays(shard: ReadShard) -> None:
    modified_ns = shard.path.stat().st_mtime_ns
    with shard.path.open("ab") as file:
        file.write(b"more")
    os.utime(shard.path, ns=(modified_ns, modified_ns))
    assert retire(shard.summary, DELETE) is not None
    assert shard.path.exists()


def test_a_source_that_was_written_again_stays(shard: ReadShard) -> None:
    modified_ns = shard.path.stat().st_mtime_ns + 1000
    os.utime(shard.path, ns=(modified_ns, modified_ns))
    assert retire(shard.summary, DELETE) is not None
    assert shard.path.exists()


def test_a_source_that_is_gone_is_not_deleted(shard: ReadShard) -> None:
    shard.path.unlink()
    assert retire(shard.summary, DELETE) is not None


def test_a_source_in_a_folder_that_is_gone_is_not_deleted(shard: ReadShard) -> None:
    missing = shard.path.parent / "gone" / shard.path.name
    summary = msgspec.structs.replace(shard.summary, source=str(missing))
    assert retire(summary, DELETE) is not None
    assert shard.path.exists()


def test_a_source_is_kept_by_choice(shard: ReadShard) -> None:
    assert retire(shard.summary, SourcePolicy.parse("keep")) is not None
    assert shard.path.exists()


def test_a_source_is_moved_by_choice(shard: ReadShard, tmp_path: Path) -> None:
    content = shard.path.read_bytes()
    policy = SourcePolicy.parse(f"move:{tmp_path / 'done' / 'with'}")
    assert retire(shard.summary, policy) is None
    assert not shard.path.exists()
    assert (tmp_path / "done" / "with" / shard.path.name).read_bytes() == content


def test_a_moved_source_replaces_nothing(shard: ReadShard, tmp_path: Path) -> None:
    other = tmp_path / "done" / shard.path.name
    other.parent.mkdir()
    other.write_text("another")
    reason = retire(shard.summary, SourcePolicy.parse(f"move:{other.parent}"))
    assert "is there already" in str(reason)
    assert shard.path.exists()
    assert other.read_text() == "another"


@pytest.mark.parametrize("text", ["", "remove", "move", "move:", "delete:now"])
def test_an_unknown_policy_is_refused(text: str) -> None:
    with pytest.raises(
        PipelineError,
        match=r"^SPOTIFY_PIPELINE_SOURCES is .* delete, keep or move:FOLDER$",
    ):
        SourcePolicy.parse(text)

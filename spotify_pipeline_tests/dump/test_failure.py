"""Notes of failures: made when an error leaves the block, forgotten when none does."""

import time
from pathlib import Path

import pytest

from spotify_pipeline.dump.failure import failures, noting_failure
from spotify_pipeline.errors import PipelineError
from spotify_pipeline_tests.disks import fill


def fail(staging: Path, shard: str, error: BaseException) -> None:
    with pytest.raises(type(error)), noting_failure(staging, shard):
        raise error


def test_a_folder_without_notes_has_no_failures(tmp_path: Path) -> None:
    assert failures(tmp_path) == {}
    assert failures(tmp_path / "missing") == {}


@pytest.mark.parametrize("error", [PipelineError("0a is cut off"), OSError("0a is cut off")])
def test_an_error_is_noted_and_passed_on(tmp_path: Path, error: Exception) -> None:
    before = time.time()
    fail(tmp_path / "staging", "0a", error)
    (note,) = failures(tmp_path / "staging").values()
    assert (note.shard, note.error) == ("0a", "0a is cut off")
    assert before <= note.failed_at <= time.time()


def test_the_last_error_counts(tmp_path: Path) -> None:
    fail(tmp_path, "0a", PipelineError("first"))
    fail(tmp_path, "0a", PipelineError("second"))
    assert failures(tmp_path)["0a"].error == "second"


def test_a_success_forgets_the_failure_of_its_shard_alone(tmp_path: Path) -> None:
    for shard in ("0a", "0A", "0b"):
        fail(tmp_path, shard, PipelineError(shard))
    with noting_failure(tmp_path, "0a"):
        pass
    assert {shard: note.error for shard, note in failures(tmp_path).items()} == {
        "0A": "0A",
        "0b": "0b",
    }


def test_a_success_without_earlier_failure_leaves_nothing(tmp_path: Path) -> None:
    with noting_failure(tmp_path / "staging", "0a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_notes_of_shards_that_differ_in_case_do_not_meet(tmp_path: Path) -> None:
    for shard in ("0a", "0A"):
        fail(tmp_path, shard, PipelineError(shard))
    assert len({path.name.casefold() for path in tmp_path.iterdir()}) == 2


def test_an_interruption_is_no_failure_of_the_shard(tmp_path: Path) -> None:
    fail(tmp_path, "0a", KeyboardInterrupt())
    assert failures(tmp_path) == {}


def test_an_earlier_failure_outlives_an_interruption(tmp_path: Path) -> None:
    fail(tmp_path, "0a", PipelineError("cut off"))
    fail(tmp_path, "0a", KeyboardInterrupt())
    assert failures(tmp_path)["0a"].error == "cut off"


def test_an_error_that_names_a_file_that_is_not_utf8_is_noted(tmp_path: Path) -> None:
    fail(tmp_path, "0a", PipelineError("/music/\udcff/0a.jsonl.zst: cut off"))
    assert failures(tmp_path)["0a"].error == "/music/\\udcff/0a.jsonl.zst: cut off"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"shard":7}', b"\xff"])
def test_a_damaged_note_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    fail(tmp_path, "0a", PipelineError("cut off"))
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    with pytest.raises(PipelineError, match="remove it") as error:
        failures(tmp_path)
    assert str(path) in str(error.value)


def test_a_note_that_a_full_disk_has_no_room_for_does_not_hide_the_failure(
    small_disk: Path,
) -> None:
    filler = fill(small_disk, 0)
    fail(small_disk, "0a", PipelineError("0a is cut off"))
    assert list(small_disk.iterdir()) == [filler]
    filler.unlink()
    fail(small_disk, "0a", PipelineError("0a is cut off again"))
    assert failures(small_disk)["0a"].attempts == 1

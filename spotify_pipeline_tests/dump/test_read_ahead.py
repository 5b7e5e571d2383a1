"""Reading ahead: what the other process needs is there before it starts."""

import tempfile
from pathlib import Path

import pytest

from spotify_pipeline.dump.read_ahead import CHUNK_BYTES, ReadAhead
from spotify_pipeline.space import SpaceError
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.documents import write_lines

LINES = [b"line %d\n" % number for number in range(10_000)]


def read(path: Path) -> bytes:
    return b"".join(bytes(chunk) for chunk in ReadAhead(path))


@pytest.mark.parametrize("left", [20_000, CHUNK_BYTES, 3 * CHUNK_BYTES])
def test_a_temporary_folder_without_room_for_the_shared_memory_is_reported(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    source = write_lines(tmp_path / "lines.zst", LINES)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    fill(small_disk, left)
    with pytest.raises(SpaceError, match="small disk: the disk is full"):
        read(source)
    monkeypatch.undo()
    assert read(source) == b"".join(LINES)

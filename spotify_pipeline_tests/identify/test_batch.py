"""Files, folders and lists to the recordings that are meant."""

import os
from pathlib import Path

import pytest

from spotify_pipeline.identify.batch import expanded, listed
from spotify_pipeline.recording import RecordingError


def touch(folder: Path, *names: str) -> list[Path]:
    """Create empty files."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_a_folder_stands_for_the_audio_files_below_it_in_the_order_of_their_names(
    tmp_path: Path,
) -> None:
    last, first, middle = touch(tmp_path, "c.FLAC", "a/z.mp3", "b.ogg")
    touch(tmp_path, "cover.jpg", "a/notes.txt", "line.json")
    assert expanded([tmp_path]) == [first, middle, last]


def test_files_are_taken_as_they_are_named(tmp_path: Path) -> None:
    (document,) = touch(tmp_path, "line.json")
    missing = tmp_path / "missing.wav"
    assert expanded([missing, document]) == [missing, document]


def test_a_file_that_is_named_twice_is_meant_once(tmp_path: Path) -> None:
    first, second = touch(tmp_path, "a.mp3", "b.mp3")
    assert expanded([second, tmp_path, first]) == [second, first]


def test_a_folder_without_audio_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(RecordingError, match="holds no audio file"):
        expanded([tmp_path])


def test_a_list_has_a_path_a_line() -> None:
    lines = [b"a b.mp3\n", b"\r\n", b" c.mp3\r\n", b"d.mp3"]
    assert listed(lines) == [Path("a b.mp3"), Path(" c.mp3"), Path("d.mp3")]


def test_a_list_may_name_a_file_of_any_bytes() -> None:
    (path,) = listed([b"\xff.mp3\n"])
    assert os.fsencode(path) == b"\xff.mp3"

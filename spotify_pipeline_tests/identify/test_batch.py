"""Files, folders and lists to the recordings that are meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotify_pipeline.identify.batch import expanded, listed
from spotify_pipeline.recording import RecordingError, read_recording


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


def test_a_folder_without_audio_is_given_and_reading_it_says_why(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    (tmp_path / "gone.mp3").symlink_to("nowhere")
    assert expanded([tmp_path]) == [tmp_path]
    with pytest.raises(RecordingError, match="holds no audio file"):
        read_recording(tmp_path, 11025)


def test_a_folder_that_can_not_be_read_stands_among_what_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.mp3", "locked/b.mp3", "z.mp3")
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # nobody may come here from above
    Path("locked").chmod(0)
    with without_privilege():
        assert expanded([Path()]) == [Path("a.mp3"), Path("locked"), Path("z.mp3")]
        assert expanded([Path("locked/b.mp3"), Path("z.mp3")])[-1] == Path("z.mp3")
        for path in ("locked", "locked/b.mp3"):
            with pytest.raises(RecordingError, match=f"{path}: can't be read: Permission denied"):
                read_recording(Path(path), 11025)
    Path("locked").chmod(0o755)


@contextmanager
def without_privilege() -> Iterator[None]:
    """Be a user who may not read everything."""
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_list_has_a_path_a_line() -> None:
    lines = [b"\xef\xbb\xbfa b.mp3\n", b"\r\n", b" c.mp3\r\n", b"d.mp3"]
    assert listed(lines) == [Path("a b.mp3"), Path(" c.mp3"), Path("d.mp3")]


def test_a_list_may_name_a_file_of_any_bytes() -> None:
    (path,) = listed([b"\xff.mp3\n"])
    assert os.fsencode(path) == b"\xff.mp3"

"""The index on disk: what is published is what is opened, and damage and failures are told.

Whatever goes wrong while a new generation is written, the old one stays in service.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.index.feature_index import (
    FORMAT_VERSION,
    FeatureIndex,
    FeatureIndexError,
    IndexedTrack,
    read_info,
)
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, make_tracks

SHARDS = {"0a": "checksum a", "0A": "checksum A"}


@pytest.fixture(scope="module")
def index() -> FeatureIndex:
    return FeatureIndex.build(make_tracks(5, duration=20))


@pytest.fixture
def folder(tmp_path: Path, index: FeatureIndex) -> Path:
    index.publish(tmp_path / "index", SHARDS)
    return tmp_path / "index"


def files_below(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def assert_same(found: FeatureIndex, expected: FeatureIndex) -> None:
    """Compare what two indexes hold, and what they answer."""
    np.testing.assert_array_equal(found.track_ids, expected.track_ids)
    np.testing.assert_array_equal(found.durations, expected.durations)
    for number in range(len(expected)):
        assert found.rhythm.trains(number) == expected.rhythm.trains(number)
        assert found.echoprint.trains(number) == expected.echoprint.trains(number)
    query = fingerprint_of(make_track(3, duration=20), start=5, seconds=10)
    assert Identifier(found).matches(query) == Identifier(expected).matches(query)


def test_what_is_published_is_what_is_opened(folder: Path, index: FeatureIndex) -> None:
    assert_same(FeatureIndex.open(folder), index)


def test_the_info_tells_what_is_in_the_index(folder: Path, index: FeatureIndex) -> None:
    info = read_info(folder)
    assert info is not None
    assert (info.format_version, info.tracks, info.postings, info.shards) == (
        FORMAT_VERSION,
        5,
        index.postings,
        SHARDS,
    )


def test_a_track_without_duration_or_onsets_is_kept(tmp_path: Path) -> None:
    bare = IndexedTrack("0a" + "z" * 20, None, NO_ONSETS, NO_ONSETS)
    FeatureIndex.build([bare, make_track(1)]).publish(tmp_path, {})
    opened = FeatureIndex.open(tmp_path)
    assert opened.track_ids[0].decode() == bare.track_id
    assert np.isnan(opened.durations[0])
    assert opened.rhythm.trains(0) == opened.echoprint.trains(0) == NO_ONSETS
    assert opened.rhythm.trains(1) == make_track(1).rhythm


def test_an_empty_index_can_be_published_and_opened(tmp_path: Path) -> None:
    FeatureIndex.build([]).publish(tmp_path, {})
    opened = FeatureIndex.open(tmp_path)
    assert len(opened) == opened.postings == 0
    assert Identifier(opened).matches(fingerprint_of(make_track(1))) == []


def test_without_an_index_the_error_says_what_to_run(tmp_path: Path) -> None:
    assert read_info(tmp_path) is None
    with pytest.raises(FeatureIndexError, match=r"no index yet; run 'spotify-pipeline ingest' or"):
        FeatureIndex.open(tmp_path / "none")


def test_an_index_of_another_format_is_refused(folder: Path) -> None:
    path = folder / "current.json"
    path.write_text(
        path.read_text().replace(f'"format_version": {FORMAT_VERSION}', '"format_version": 0')
    )
    with pytest.raises(FeatureIndexError, match=r"format 0.*run the job 'index' again"):
        FeatureIndex.open(folder)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"format_version": 1, "gen', b"\x00" * 200]
)
def test_a_damaged_current_json_is_named(folder: Path, content: bytes) -> None:
    (folder / "current.json").write_bytes(content)
    for read in (read_info, FeatureIndex.open):
        with pytest.raises(FeatureIndexError, match=r"current\.json: damaged.*run the job 'index'"):
            read(folder)


def test_an_index_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("not a folder")
    with pytest.raises(FeatureIndexError, match="index"):
        FeatureIndex.open(tmp_path / "index")


def array_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*/*.npy"))
    assert files
    return files


def test_a_missing_array_is_named(folder: Path) -> None:
    for path in array_files(folder):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(FeatureIndexError, match=f"{path.name}.*run the job 'index' again"):
            FeatureIndex.open(folder)
        path.write_bytes(content)


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.999])
def test_a_truncated_array_is_named(folder: Path, kept: float) -> None:
    for path in array_files(folder):
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
        with pytest.raises(FeatureIndexError, match=f"{path.name}.*run the job 'index' again"):
            FeatureIndex.open(folder)
        path.write_bytes(content)


@pytest.mark.parametrize("start", [b"\x00" * 8, b"PK\x03\x04", b"not an array at all" * 20])
def test_something_else_in_the_place_of_an_array_is_named(folder: Path, start: bytes) -> None:
    path = array_files(folder)[0]
    path.write_bytes(start + path.read_bytes()[len(start) :])
    with pytest.raises(FeatureIndexError, match=f"{path.name}.*run the job 'index' again"):
        FeatureIndex.open(folder)


@pytest.mark.parametrize("bracket", [b"(", b"}", b"'"])
def test_a_damaged_header_of_an_array_is_named(folder: Path, bracket: bytes) -> None:
    path = array_files(folder)[0]
    path.write_bytes(path.read_bytes().replace(bracket, b"[", 1))
    with pytest.raises(FeatureIndexError, match=f"{path.name}.*run the job 'index' again"):
        FeatureIndex.open(folder)


def test_pickled_objects_are_never_loaded(folder: Path) -> None:
    path = array_files(folder)[0]
    np.save(path, np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(FeatureIndexError, match=path.name):
        FeatureIndex.open(folder)


def test_a_new_generation_replaces_the_old_one(folder: Path) -> None:
    before = files_below(folder)
    FeatureIndex.build(make_tracks(2)).publish(folder, {"0b": "checksum"})
    after = files_below(folder)
    assert len(FeatureIndex.open(folder)) == 2
    assert after.keys() & before.keys() == {"current.json"}
    assert len(after) == len(before)


def test_an_open_reader_keeps_working_after_a_new_generation(
    folder: Path, index: FeatureIndex
) -> None:
    opened = FeatureIndex.open(folder)
    FeatureIndex.build(make_tracks(2)).publish(folder, {})
    assert_same(opened, index)


@pytest.mark.parametrize("successful_writes", [0, 1, 7, 14])
def test_a_failed_publish_leaves_everything_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, successful_writes: int
) -> None:
    before = files_below(folder)
    synchronised = os.fsync
    left = successful_writes

    def full_disk(descriptor: int) -> None:
        nonlocal left
        if left == 0:
            raise OSError(28, "No space left on device")
        left -= 1
        synchronised(descriptor)

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(FeatureIndexError, match="No space"):
        FeatureIndex.build(make_tracks(2)).publish(folder, {})
    assert files_below(folder) == before
    assert len(FeatureIndex.open(folder)) == 5


def test_a_publish_that_is_interrupted_leaves_everything_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_below(folder)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        FeatureIndex.build(make_tracks(2)).publish(folder, {})
    assert files_below(folder) == before


def test_a_failed_first_publish_leaves_no_index(tmp_path: Path) -> None:
    (tmp_path / "current.json.new").mkdir()
    with pytest.raises(FeatureIndexError, match=r"current\.json"):
        FeatureIndex.build(make_tracks(1)).publish(tmp_path, {})
    assert read_info(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["current.json.new"]


@pytest.mark.parametrize("left", [0, 10_000, 100_000])
def test_a_full_disk_is_told_and_leaves_the_index_that_was_there(
    small_disk: Path, index: FeatureIndex, left: int
) -> None:
    folder = small_disk / "index"
    index.publish(folder, SHARDS)
    before = files_below(folder)
    filler = fill(small_disk, left)
    with pytest.raises(FeatureIndexError, match=r"can't be written .*the one before still counts"):
        index.publish(folder, {})
    assert files_below(folder) == before
    filler.unlink()
    index.publish(folder, {})
    assert_same(FeatureIndex.open(folder), index)

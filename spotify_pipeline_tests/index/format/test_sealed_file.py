"""Sealed files: there whole or not at all, and no damaged byte is ever used."""

import os
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.sealed_file import SealedFile, writing_sealed_file
from spotify_pipeline_tests.disks import fill

NUMBERS = np.random.default_rng(1).integers(0, 2**63, 300_000, np.uint64)
LETTERS = np.frombuffer(b"some letters", np.uint8)
SIZES = {"letters": LETTERS.nbytes, "nothing": 0, "numbers": NUMBERS.nbytes}


def write(path: Path) -> None:
    with writing_sealed_file(path, "content", 3, {"a": 1}, SIZES) as writer:
        half = len(NUMBERS) // 2
        writer.write("numbers", 8 * half, NUMBERS[half:])
        writer.write("letters", 0, LETTERS)
        writer.write("numbers", 0, NUMBERS[:half])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "sealed"
    write(target)
    return target


def read_all(path: Path) -> None:
    """Open a file and use all of it."""
    file = SealedFile(path, "content", (3,))
    for section in SIZES:
        file.check_section(section)
    assert bytes(file.info) == b'{"a":1}'
    np.testing.assert_array_equal(file.section("numbers", np.uint64), NUMBERS)
    np.testing.assert_array_equal(file.section("letters", np.uint8), LETTERS)


def test_sections_come_back(path: Path) -> None:
    read_all(path)
    assert len(SealedFile(path, "content", (3,)).section("nothing", np.uint8)) == 0


def test_the_last_section_grows_by_what_is_appended(tmp_path: Path) -> None:
    sizes = {"letters": LETTERS.nbytes, "numbers": 0}
    with writing_sealed_file(tmp_path / "grown", "content", 3, {}, sizes) as writer:
        for part in np.array_split(NUMBERS, 3):
            writer.append(part)
        writer.write("letters", 0, LETTERS)
    file = SealedFile(tmp_path / "grown", "content", (3,))
    for section in sizes:
        file.check_section(section)
    np.testing.assert_array_equal(file.section("numbers", np.uint64), NUMBERS)
    np.testing.assert_array_equal(file.section("letters", np.uint8), LETTERS)


def test_any_flipped_bit_is_found_and_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(2)
    positions = [*range(200), *rng.integers(0, len(content), 100), *range(-50, 0)]
    for position in positions:
        flipped = content.copy()
        flipped[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            read_all(path)
        except FeatureIndexError as error:
            assert str(path) in str(error)
        else:  # what lies between two sections is of no use
            assert content[position] == 0
    path.write_bytes(content)
    read_all(path)


@pytest.mark.parametrize("fraction", [0, 0.0001, 0.001, 0.5, 0.99, 0.9999])
def test_a_truncated_file_is_found_and_named(path: Path, fraction: float) -> None:
    os.truncate(path, int(fraction * path.stat().st_size))
    with pytest.raises(FeatureIndexError, match="sealed: "):
        SealedFile(path, "content", (3,))


def test_only_the_blocks_that_are_used_are_checked(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)
    file = SealedFile(path, "content", (3,))
    file.check("numbers", np.array([0]), np.array([8]))
    with pytest.raises(FeatureIndexError, match="damaged between bytes"):
        file.check("numbers", np.array([0, 8]), np.array([8, NUMBERS.nbytes]))


@pytest.mark.parametrize(("content", "version"), [("other", 3), ("content", 4)])
def test_a_file_of_another_kind_or_version_is_named(path: Path, content: str, version: int) -> None:
    with pytest.raises(FeatureIndexError, match="is content of version 3, not"):
        SealedFile(path, content, (version,))


def test_a_file_of_another_format_and_a_missing_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not an index " * 100)
    with pytest.raises(FeatureIndexError, match="text: is no file of an index"):
        SealedFile(tmp_path / "text", "content", (3,))
    with pytest.raises(FeatureIndexError, match="none: missing"):
        SealedFile(tmp_path / "none", "content", (3,))


def test_a_failure_leaves_nothing_and_what_was_there(path: Path) -> None:
    before = path.read_bytes()
    with (
        pytest.raises(KeyboardInterrupt),
        writing_sealed_file(path, "content", 3, {}, {"letters": 4}),
    ):
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_more_than_was_announced_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="letters: 12 bytes where 4"),
        writing_sealed_file(tmp_path / "new", "content", 3, {}, {"letters": 4}) as writer,
    ):
        writer.write("letters", 0, LETTERS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [0, 10_000, 100_000])
def test_a_full_disk_is_reported_and_leaves_what_was_there(small_disk: Path, left: int) -> None:
    path = small_disk / "sealed"
    write(path)
    before = path.read_bytes()
    filler = fill(small_disk, left)
    with pytest.raises(FeatureIndexError, match=r"can't be written .*what was there still counts"):
        write(path)
    assert path.read_bytes() == before
    assert sorted(small_disk.iterdir()) == [filler, path]

"""Compressed files as users have them: whole, cut off, damaged, in several frames, or not zstd."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.dump.compression import (
    CompressionError,
    IncompleteFileError,
    checksum_of,
    content_size,
    open_compressed,
)

CONTENT = b"".join(b"%d %d\n" % (number, number**7) for number in range(3000))
SKIPPABLE = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"


def frame(content: bytes = CONTENT, *, announce_size: bool = True) -> bytes:
    compressor = zstandard.ZstdCompressor(write_checksum=True, write_content_size=announce_size)
    return compressor.compress(content)


def frame_with_window(window_log: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(
        window_log=window_log, strategy=1, hash_log=6, chain_log=6, write_content_size=False
    )
    # In one go the library would shrink the window to the content.
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(CONTENT) + stream.flush()


def read(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    with open_compressed(path) as file:
        return file.read()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0a.jsonl.zst"


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One file that all examples of a property write."""
    yield tmp_path_factory.mktemp("damaged") / "0a.jsonl.zst"


def test_content_comes_back(path: Path) -> None:
    assert read(path, frame()) == CONTENT


@pytest.mark.parametrize("size", [17, 18, 40, 1000, 10**6])
def test_pieces_of_any_size_join_to_the_content(path: Path, size: int) -> None:
    path.write_bytes(frame() + frame())
    with open_compressed(path) as file:
        assert b"".join(iter(lambda: file.read(size), b"")) == CONTENT + CONTENT
        assert file.bytes_read == path.stat().st_size
        assert file.checksum == xxhash.xxh3_128(path.read_bytes()).hexdigest()


def test_the_checksum_is_that_of_reading_and_takes_no_unpacking(path: Path) -> None:
    for data in (frame() + SKIPPABLE + frame(), frame()[:-5], b"no zstd"):
        path.write_bytes(data)
        read: list[int] = []
        assert checksum_of(path, read.append) == xxhash.xxh3_128(data).hexdigest()
        assert read[-1] == len(data)


@pytest.mark.parametrize(
    ("data", "content"),
    [
        pytest.param(frame() + frame(), CONTENT + CONTENT, id="two frames"),
        pytest.param(SKIPPABLE + frame(), CONTENT, id="skippable frame first"),
        pytest.param(frame() + SKIPPABLE + frame(b"x"), CONTENT + b"x", id="skippable between"),
        pytest.param(frame() + SKIPPABLE, CONTENT, id="skippable frame last"),
        pytest.param(frame(b"") + frame(), CONTENT, id="empty frame first"),
        pytest.param(frame(b""), b"", id="empty frame"),
        pytest.param(frame(announce_size=False), CONTENT, id="size not announced"),
    ],
)
def test_every_frame_is_read(path: Path, data: bytes, content: bytes) -> None:
    assert read(path, data) == content


@pytest.mark.parametrize("window_log", [27, 31])
def test_a_long_window_is_accepted(path: Path, window_log: int) -> None:
    data = frame_with_window(window_log)
    assert zstandard.get_frame_parameters(data).window_size == 2**window_log
    assert read(path, data) == CONTENT


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(frame()) - 1))
def test_a_cut_anywhere_is_an_incomplete_file(damaged: Path, length: int) -> None:
    with pytest.raises(IncompleteFileError, match="incomplete") as error:
        read(damaged, frame()[:length])
    assert str(damaged) in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(frame() + frame()[:-1], id="in the second frame"),
        pytest.param(frame() + frame()[:3], id="in the second frame's magic number"),
        pytest.param(frame() + SKIPPABLE[:-2], id="in a skippable frame"),
        pytest.param(frame() + SKIPPABLE[:6], id="in a skippable frame's header"),
    ],
)
def test_a_file_that_ends_early_is_incomplete(path: Path, data: bytes) -> None:
    with pytest.raises(IncompleteFileError, match="incomplete"):
        read(path, data)


def test_what_precedes_the_cut_can_be_read_before_the_error(path: Path) -> None:
    path.write_bytes(frame() + frame()[:-1])
    with open_compressed(path) as file:
        assert file.read(len(CONTENT)) == CONTENT[: len(CONTENT) - 16]
        with pytest.raises(IncompleteFileError):
            file.read()


@settings(deadline=None, max_examples=500)
@given(st.integers(0, 8 * len(frame()) - 1))
def test_a_flipped_bit_never_changes_the_content(damaged: Path, bit: int) -> None:
    data = bytearray(frame())
    data[bit // 8] ^= 1 << bit % 8
    try:
        content = read(damaged, bytes(data))
    except CompressionError as error:
        assert str(damaged) in str(error)
    else:
        assert content == CONTENT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(CONTENT, id="text"),
        pytest.param(gzip.compress(CONTENT), id="gzip"),
        pytest.param(bytes(4096), id="allocated but not written"),
        pytest.param(frame() + b"\n", id="newline after the frame"),
        pytest.param(frame() + b"trailing garbage", id="garbage after the frame"),
        pytest.param(frame() + bytes(4096), id="zeros after the frame"),
        pytest.param(frame()[:2000] + bytes(len(frame()) - 2000), id="zeros within the frame"),
    ],
)
def test_what_is_not_zstd_throughout_is_damaged(path: Path, data: bytes) -> None:
    with pytest.raises(CompressionError, match=r"0a\.jsonl\.zst: .*fetch it again"):
        read(path, data)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(frame(), len(CONTENT), id="announced"),
        pytest.param(frame(announce_size=False), None, id="not announced"),
        pytest.param(frame()[:18], len(CONTENT), id="header alone"),
        pytest.param(SKIPPABLE + SKIPPABLE + frame(), len(CONTENT), id="skippable frames first"),
    ],
)
def test_the_content_size_is_what_the_first_frame_announces(
    path: Path, data: bytes, size: int | None
) -> None:
    path.write_bytes(data)
    assert content_size(path) == size


@pytest.mark.parametrize("data", [b"", frame()[:3], CONTENT], ids=["empty", "cut", "text"])
def test_the_content_size_of_what_has_no_header_is_an_error(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(CompressionError, match=r"0a\.jsonl\.zst"):
        content_size(path)

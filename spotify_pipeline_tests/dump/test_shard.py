"""A shard's lines: which are taken, which are rejected and why, and what reading them costs."""

import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash
import zstandard

from spotify_pipeline.dump import lines, shard
from spotify_pipeline.dump.compression import CompressionError, IncompleteFileError
from spotify_pipeline.dump.document import DetectionFields, parse_document
from spotify_pipeline.dump.lines import LINE_LIMIT
from spotify_pipeline.dump.shard import Document, NotAShardError, Reject, ShardReader
from spotify_pipeline_tests.documents import (
    json_line,
    make_document,
    make_documents,
    make_track_id,
    write_lines,
)

SHARD = "0a"
LINES = [json_line(document) for document in make_documents("0a", 5, duration=2.0)]
FIELDS = [parse_document(line) for line in LINES]
TRACK_IDS = [fields.track_id for fields in FIELDS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0a.jsonl.zst"


def read(path: Path, *lines: bytes) -> list[str | Reject]:
    """Write lines, read them, and give the track id of each one that was taken."""
    write_lines(path, lines)
    return [
        row if isinstance(row, Reject) else row.fields.track_id for row in ShardReader(path, SHARD)
    ]


def limit_lines(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", limit)
    monkeypatch.setattr(shard, "LINE_LIMIT", limit)


def test_documents_come_in_order_with_their_fields(path: Path) -> None:
    write_lines(path, LINES)
    assert list(ShardReader(path, SHARD)) == [Document(fields, {}) for fields in FIELDS]


def test_many_lines_of_different_sizes_come_in_order(path: Path) -> None:
    durations = [1.0, 200.0, 1.0, 90.0, 2.0, 1.0]
    documents = [
        make_document(make_track_id("0a", number), durations[number % len(durations)])
        for number in range(130)
    ]
    rows = read(path, *map(json_line, documents))
    assert rows == [document["meta"]["track_id"] for document in documents]


def test_lines_are_parsed_side_by_side(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_at_work = threading.Barrier(shard.PARSERS)

    def parse_with_others(line: memoryview, **settings: bool) -> DetectionFields:
        all_at_work.wait(timeout=60)
        return parse_document(line, **settings)

    monkeypatch.setattr(shard, "parse_document", parse_with_others)
    assert read(path, *LINES[: 2 * shard.PARSERS]) == TRACK_IDS[: 2 * shard.PARSERS]


def test_a_read_shard_is_counted_and_digested(path: Path) -> None:
    data = write_lines(path, [*LINES, b"\n", b"broken\n"]).read_bytes()
    reader = ShardReader(path, SHARD)
    list(reader)
    assert reader.lines == 6
    assert reader.bytes_read == len(data)
    assert reader.checksum == xxhash.xxh3_128(data).hexdigest()


def test_skippable_frames_are_part_of_the_checksum(path: Path) -> None:
    data = write_lines(path, LINES).read_bytes()
    path.write_bytes(data + b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc")
    reader = ShardReader(path, SHARD)
    list(reader)
    assert reader.checksum == xxhash.xxh3_128(path.read_bytes()).hexdigest()


def test_progress_tells_bytes_that_ascend_to_the_file_size(path: Path) -> None:
    write_lines(path, LINES)
    reported: list[int] = []
    list(ShardReader(path, SHARD, reported.append))
    assert len(reported) == len(LINES)
    assert reported == sorted(reported)
    assert reported[0] > 0
    assert reported[-1] == path.stat().st_size


def test_a_document_of_another_shard_is_rejected(path: Path) -> None:
    (stray,) = make_documents("0A", 1, duration=2.0)
    first, reject, last = read(path, LINES[0], json_line(stray), LINES[1])
    assert (first, last) == (TRACK_IDS[0], TRACK_IDS[1])
    assert isinstance(reject, Reject)
    assert reject.line == 2
    assert "is not one of shard 0a" in reject.reason


def test_windows_line_ends_are_accepted(path: Path) -> None:
    lines = [line.replace(b"\n", b"\r\n") for line in LINES]
    assert read(path, *lines, b"\r\n") == TRACK_IDS


def test_a_byte_order_mark_is_accepted_at_the_start_alone(path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    first, second = read(path, mark + LINES[0], mark + LINES[1])
    assert first == TRACK_IDS[0]
    assert isinstance(second, Reject)
    assert second.line == 2


def test_the_last_line_needs_no_newline(path: Path) -> None:
    assert read(path, LINES[0], LINES[1].rstrip()) == TRACK_IDS[:2]


def test_a_shard_without_lines_is_read(path: Path) -> None:
    reader = ShardReader(write_lines(path, []), SHARD)
    assert list(reader) == []
    assert reader.lines == 0
    assert reader.checksum == xxhash.xxh3_128(path.read_bytes()).hexdigest()


def test_blank_lines_count_for_line_numbers_and_nothing_else(path: Path) -> None:
    write_lines(path, [b"\n", LINES[0], b" \t\r\n", b"broken\n", b"\n", LINES[1], b"\n"])
    reader = ShardReader(path, SHARD)
    _, reject, _ = list(reader)
    assert isinstance(reject, Reject)
    assert reject.line == 4
    assert reader.lines == 3


def test_a_reject_tells_line_reason_and_the_start_of_the_line(path: Path) -> None:
    failed = b'{"meta":{"track_id":"%s"}}\n' % TRACK_IDS[0].encode()
    long = b'{"unclosed":"' + 1000 * b"\xff"
    rows = read(path, LINES[0], failed, LINES[1], long + b"\n", b"null\n", LINES[2])
    rejects = [row for row in rows if isinstance(row, Reject)]
    assert [row for row in rows if isinstance(row, str)] == TRACK_IDS[:3]
    assert rejects[0] == Reject(2, "track is missing (a failed analysis)", failed.rstrip())
    assert (rejects[1].line, rejects[1].excerpt) == (4, long[:200])
    assert (rejects[2].line, rejects[2].excerpt) == (5, b"null")
    assert all(row.reason for row in rejects)


@pytest.mark.parametrize("over", [1, 2, 3000, 3001, 3002, 9000])
def test_an_overlong_line_is_rejected_and_the_next_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    limit = 3000
    limit_lines(monkeypatch, limit)
    short = [b'{"meta":{"track_id":"%s"},"track":{}}\n' % name.encode() for name in TRACK_IDS[:2]]
    overlong = b"x" * (limit + over) + b"\n"
    assert read(path, short[0], overlong, short[1], b"bad\n")[:3] == [
        TRACK_IDS[0],
        Reject(2, "longer than 3000 bytes", overlong[:200].rstrip()),
        TRACK_IDS[1],
    ]
    last = read(path, short[0], overlong, b"bad\n")[-1]
    assert isinstance(last, Reject)
    assert (last.line, last.excerpt) == (3, b"bad")


def test_an_overlong_last_line_without_newline_is_rejected(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_lines(monkeypatch, 100)
    rows = read(path, b"x" * 1000)
    assert rows == [Reject(1, "longer than 100 bytes", b"x" * 101)]


def test_a_document_as_long_as_the_limit_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_lines(monkeypatch, len(LINES[0]) - 1)
    assert read(path, LINES[0])[0] == TRACK_IDS[0]
    limit_lines(monkeypatch, len(LINES[0]) - 2)
    assert isinstance(read(path, LINES[0])[0], Reject)


def test_an_overlong_line_that_starts_blank_is_rejected_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_lines(monkeypatch, 100)
    (row,) = read(path, b" " * 200 + LINES[0])
    assert isinstance(row, Reject)
    assert row.reason == "longer than 100 bytes"


def test_the_limit_leaves_room_for_real_documents() -> None:
    assert LINE_LIMIT >= 16 * 2**20


def test_a_64_mb_line_does_not_take_64_mb(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 2**20
    limit_lines(monkeypatch, limit)
    with zstandard.open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(2**20))
        file.write(b"\n" + LINES[0][: limit // 2])
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    try:
        overlong, taken = list(ShardReader(path, SHARD))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(overlong, Reject)
    assert isinstance(taken, Document)
    assert peak < 32 * limit


def cut_shards(path: Path) -> Iterator[bytes]:
    data = write_lines(path, LINES).read_bytes()
    for length in range(0, len(data), len(data) // 20):
        yield data[:length]


def test_a_shard_that_is_cut_off_is_incomplete_wherever_the_cut_is(path: Path) -> None:
    for data in list(cut_shards(path)):
        path.write_bytes(data)
        with pytest.raises(IncompleteFileError, match=r"0a\.jsonl\.zst"):
            list(ShardReader(path, SHARD))


def test_a_damaged_shard_is_an_error(path: Path) -> None:
    data = bytearray(write_lines(path, LINES).read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CompressionError, match=r"0a\.jsonl\.zst"):
        list(ShardReader(path, SHARD))


def test_frames_may_end_anywhere_in_a_line(path: Path) -> None:
    content = b"".join(LINES)
    middle = len(content) // 2 + 17
    first = write_lines(path, [content[:middle]]).read_bytes()
    path.write_bytes(first + zstandard.compress(content[middle:]))
    assert list(ShardReader(path, SHARD)) == [Document(fields, {}) for fields in FIELDS]


@pytest.mark.parametrize("line", [b"\n", b"{}\n"])
def test_a_file_of_millions_of_lines_is_given_up_soon(
    path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(shard, "MOST_LINES", 200_000)
    write_lines(path, [line * 2**21] * 16)
    assert path.stat().st_size < 50_000
    reader = ShardReader(path, SHARD)
    with pytest.raises(NotAShardError, match=r"0a\.jsonl\.zst: has more than 200,000 lines"):
        list(reader)
    assert reader.lines < shard.MOST_LINES


def test_a_file_that_unpacks_to_hundreds_of_times_its_size_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "MOST_UNPACKED", 2**24)
    write_lines(path, [b" " * 2**26])
    with pytest.raises(NotAShardError, match="bytes of it unpack to"):
        list(ShardReader(path, SHARD))

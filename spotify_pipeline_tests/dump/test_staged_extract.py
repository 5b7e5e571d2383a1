"""Reductions: everything that was read is in them or counted, and half of one is never left."""

import itertools
import shutil
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import xxhash

from spotify_pipeline.dump import parquet
from spotify_pipeline.dump.compression import CompressionError, IncompleteFileError
from spotify_pipeline.dump.document import DetectionFields, parse_document
from spotify_pipeline.dump.staged_extract import (
    REJECTS_SCHEMA,
    TRACKS_SCHEMA,
    StagedExtract,
    reduce_shard,
    require_extract,
)
from spotify_pipeline.errors import PipelineError
from spotify_pipeline_tests.documents import (
    json_line,
    make_document,
    make_documents,
    make_track_id,
    write_lines,
    write_shard,
)

DOCUMENTS = make_documents("0a", 4, duration=4.0)
LINES = [json_line(document) for document in DOCUMENTS]
TRACK_IDS = [make_track_id("0a", number) for number in range(4)]

BATCH_ROWS = 40
REJECTED = [b"broken\n", b'{"meta":{"track_id":"%s"}}\n' % TRACK_IDS[0].encode(), b"\xff\xfe\n"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "incoming" / "0a.jsonl.zst", LINES)


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    return tmp_path / "staging"


def read_ids(extract: StagedExtract) -> list[str]:
    ids: list[str] = pq.read_table(extract.tracks)["track_id"].to_pylist()
    return ids


def row_of(line: bytes) -> dict[str, Any]:
    """Give the row of a document that has harmony."""
    row = asdict(parse_document(line))
    assert row.pop("without_harmony") is None
    return row


def test_rows_hold_the_fields_of_their_documents(source: Path, staging: Path) -> None:
    extract = reduce_shard(source, "0a", staging)
    rows = pq.read_table(extract.tracks).to_pylist()
    assert rows == [row_of(line) for line in LINES]


def test_missing_fields_and_fingerprints_are_nulls_and_no_bytes(
    tmp_path: Path, staging: Path
) -> None:
    bare = {"meta": {"track_id": TRACK_IDS[1]}, "track": {}}
    source = write_shard(tmp_path, "0a", [DOCUMENTS[0], bare, DOCUMENTS[2]])
    rows = pq.read_table(reduce_shard(source, "0a", staging).tracks).to_pylist()
    assert [row["track_id"] for row in rows] == TRACK_IDS[:3]
    assert {name: value for name, value in rows[1].items() if value is not None} == {
        "track_id": TRACK_IDS[1],
        "echoprint_form": "trains",
        "echoprint": b"",
        "rhythm": b"",
    }
    assert rows[2] == row_of(LINES[2])


@pytest.mark.parametrize("lines", [LINES, LINES + REJECTED, REJECTED, []])
def test_the_files_have_the_declared_schemas(
    tmp_path: Path, staging: Path, lines: list[bytes]
) -> None:
    source = write_lines(tmp_path / "0a.jsonl.zst", lines)
    extract = reduce_shard(source, "0a", staging)
    assert pq.read_schema(extract.tracks).equals(TRACKS_SCHEMA)
    assert pq.read_schema(extract.rejects).equals(REJECTS_SCHEMA)
    assert [field.name for field in fields(DetectionFields)] == [
        *TRACKS_SCHEMA.names,
        "without_harmony",
    ]


def test_the_summary_tells_what_was_read(source: Path, staging: Path) -> None:
    summary = reduce_shard(source, "0a", staging).summary()
    assert (summary.shard, summary.source) == ("0a", str(source))
    assert summary.source_bytes == source.stat().st_size
    assert summary.source_modified_ns == source.stat().st_mtime_ns
    assert summary.checksum == xxhash.xxh3_128(source.read_bytes()).hexdigest()


def test_counts_add_up(tmp_path: Path, staging: Path) -> None:
    lines = [LINES[0], REJECTED[0], b"\n", LINES[1], LINES[0], REJECTED[1], LINES[2], LINES[0]]
    extract = reduce_shard(write_lines(tmp_path / "0a.jsonl.zst", lines), "0a", staging)
    summary = extract.summary()
    assert (summary.lines, summary.tracks, summary.rejects, summary.duplicates) == (7, 3, 2, 2)
    assert read_ids(extract) == TRACK_IDS[:3]


def test_the_first_of_duplicate_tracks_counts(tmp_path: Path, staging: Path) -> None:
    other = make_document(TRACK_IDS[0], duration=9.0)
    source = write_shard(tmp_path, "0a", [DOCUMENTS[0], other])
    extract = reduce_shard(source, "0a", staging)
    assert pq.read_table(extract.tracks)["duration"].to_pylist() == [4.0]
    assert extract.summary().duplicates == 1


def test_harmony_is_counted_and_why_there_is_none_of_a_track(tmp_path: Path, staging: Path) -> None:
    (segment,) = DOCUMENTS[1]["segments"]
    unordered = {**DOCUMENTS[1], "segments": [{**segment, "start": start} for start in (1, 0.5)]}
    bare = [{"meta": document["meta"], "track": {}} for document in DOCUMENTS[2:]]
    reject = [{**DOCUMENTS[0], "meta": {}}, {**DOCUMENTS[0], "segments": []}]
    source = write_shard(tmp_path, "0a", [DOCUMENTS[0], unordered, *bare, *reject])
    extract = reduce_shard(source, "0a", staging)
    summary = extract.summary()
    assert (summary.tracks, summary.rejects, summary.duplicates) == (4, 1, 1)
    assert summary.with_harmony == 1
    assert summary.without_harmony == {
        "segments are missing": 2,
        "segments are not in order of time": 1,
    }
    rows = pq.read_table(extract.tracks).to_pylist()
    assert [row["harmony"] for row in rows] == [row_of(LINES[0])["harmony"], None, None, None]
    assert all(row["rhythm"] for row in rows[:2])


def test_harmony_that_is_not_wanted_is_not_kept(source: Path, staging: Path) -> None:
    extract = reduce_shard(source, "0a", staging, with_harmony=False)
    summary = extract.summary()
    assert (summary.tracks, summary.with_harmony, summary.without_harmony) == (4, 0, {})
    rows = pq.read_table(extract.tracks).to_pylist()
    assert rows == [row_of(line) | {"harmony": None} for line in LINES]


def test_rejects_keep_line_reason_and_excerpt(tmp_path: Path, staging: Path) -> None:
    source = write_lines(tmp_path / "0a.jsonl.zst", [LINES[0], *REJECTED])
    rows = pq.read_table(reduce_shard(source, "0a", staging).rejects).to_pylist()
    assert [(row["line"], row["excerpt"]) for row in rows] == [
        (line, reject.rstrip()) for line, reject in enumerate(REJECTED, 2)
    ]
    assert rows[1]["reason"] == "track is missing (a failed analysis)"


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", BATCH_ROWS)


@pytest.mark.usefixtures("small_batches")
def test_more_tracks_than_a_batch_come_out_in_order(tmp_path: Path, staging: Path) -> None:
    count = 2 * BATCH_ROWS + 3
    ids = [make_track_id("0a", number) for number in range(count)]
    tracks = itertools.cycle(document["track"] for document in DOCUMENTS)
    documents = [
        {"meta": {"track_id": track_id}, "track": track}
        for track_id, track in zip(ids, tracks, strict=False)
    ]
    extract = reduce_shard(write_shard(tmp_path, "0a", documents), "0a", staging)
    assert read_ids(extract) == ids
    assert extract.summary().tracks == count
    rows = pq.read_table(extract.tracks, columns=["rhythm"]).to_pylist()
    assert rows[-1] == rows[(count - 1) % 4] != rows[0]


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("count", [BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1])
def test_no_row_is_lost_or_doubled_where_a_batch_ends(
    tmp_path: Path, staging: Path, count: int
) -> None:
    ids = [make_track_id("0a", number) for number in range(count)]
    documents = [{"meta": {"track_id": track_id}, "track": {}} for track_id in ids]
    extract = reduce_shard(write_shard(tmp_path, "0a", documents), "0a", staging)
    assert read_ids(extract) == ids


def test_progress_reaches_the_size_of_the_file(source: Path, staging: Path) -> None:
    reported: list[int] = []
    reduce_shard(source, "0a", staging, reported.append)
    assert reported[-1] == source.stat().st_size


def test_a_staged_extract_that_is_there_is_replaced(source: Path, staging: Path) -> None:
    reduce_shard(source, "0a", staging)
    write_lines(source, LINES[1:2])
    extract = reduce_shard(source, "0a", staging)
    assert read_ids(extract) == TRACK_IDS[1:2]
    assert extract.summary().tracks == 1
    assert list(staging.iterdir()) == [extract.folder]


def test_a_complete_staged_extract_is_found_and_removed(source: Path, staging: Path) -> None:
    extract = reduce_shard(source, "0a", staging)
    assert require_extract(staging, "0a") == extract
    extract.remove()
    assert list(staging.iterdir()) == []
    with pytest.raises(PipelineError, match="shard 0a is not reduced"):
        require_extract(staging, "0a")


def cut(source: Path) -> None:
    source.write_bytes(source.read_bytes()[:-10])


def damage(source: Path) -> None:
    data = bytearray(source.read_bytes())
    data[len(data) // 2] ^= 0xFF
    source.write_bytes(data)


unreadable = pytest.mark.parametrize(
    ("spoil", "error"),
    [(cut, IncompleteFileError), (damage, CompressionError), (Path.unlink, FileNotFoundError)],
)


@unreadable
def test_a_shard_that_cannot_be_read_to_its_end_leaves_nothing_in_staging(
    source: Path, staging: Path, spoil: Callable[[Path], None], error: type[Exception]
) -> None:
    spoil(source)
    with pytest.raises(error, match=r"0a\.jsonl\.zst"):
        reduce_shard(source, "0a", staging)
    assert list(staging.iterdir()) == []


@unreadable
def test_a_shard_that_cannot_be_read_to_its_end_keeps_the_earlier_staged_extract(
    source: Path, staging: Path, spoil: Callable[[Path], None], error: type[Exception]
) -> None:
    earlier = reduce_shard(source, "0a", staging).summary()
    spoil(source)
    with pytest.raises(error):
        reduce_shard(source, "0a", staging)
    kept = require_extract(staging, "0a")
    assert kept.summary() == earlier
    assert read_ids(kept) == TRACK_IDS


def test_what_an_interrupted_run_left_is_cleared(source: Path, staging: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reduce_shard(source, "0a", staging, interrupt)
    assert list(staging.iterdir()) == []

    killed = staging / "shard-0a.partial"
    killed.mkdir()
    (killed / "tracks.parquet").write_bytes(b"half")
    with pytest.raises(PipelineError):
        require_extract(staging, "0a")
    assert read_ids(reduce_shard(source, "0a", staging)) == TRACK_IDS
    assert not killed.exists()


def test_a_removal_that_is_interrupted_leaves_no_half_staged_extract(
    source: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract = reduce_shard(source, "0a", staging)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", remove_one_file_and_die)
        with pytest.raises(KeyboardInterrupt):
            extract.remove()
    with pytest.raises(PipelineError):
        require_extract(staging, "0a")
    again = reduce_shard(source, "0a", staging)
    again.remove()
    assert list(staging.iterdir()) == []


def remove_one_file_and_die(folder: Path) -> None:
    next(folder.iterdir()).unlink()
    raise KeyboardInterrupt


def test_shards_that_differ_in_case_do_not_meet_on_a_disk_that_folds_it(
    tmp_path: Path, staging: Path
) -> None:
    shards = ["0a", "0A", "0b", "0B"]
    for shard in shards:
        source = write_shard(tmp_path / shard, shard, make_documents(shard, 1, duration=1.0))
        reduce_shard(source, shard, staging)
    folders = [path.name.casefold() for path in staging.iterdir()]
    assert len(set(folders)) == len(shards)
    for shard in shards:
        extract = require_extract(staging, shard)
        assert extract.summary().shard == shard
        assert read_ids(extract) == [make_track_id(shard, 0)]

"""Documents as impostors: their trains, and errors that name the line."""

from pathlib import Path

import msgspec
import pytest
import zstandard

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.documents import Document, read_documents
from spotify_pipeline_tests.documents import (
    echoprint_trains,
    json_line,
    make_document,
    make_track_id,
    rhythm_trains,
)

IDS = [make_track_id("0a", number) for number in range(3)]
LINES = b"".join(json_line(make_document(track_id)) for track_id in IDS)


def read(path: Path, content: bytes) -> list[Document]:
    path.write_bytes(content)
    return list(read_documents([path]))


@pytest.mark.parametrize("compressed", [False, True])
def test_documents_give_their_trains(tmp_path: Path, compressed: bool) -> None:
    content = zstandard.compress(LINES) if compressed else LINES
    found = read(tmp_path / ("d.jsonl.zst" if compressed else "d.jsonl"), content)
    assert [document.name for document in found] == IDS
    for track_id, document in zip(IDS, found, strict=True):
        assert document.fingerprint.rhythm == rhythm_trains(track_id, 30.0)
        assert document.duration == 30.0
        counts = document.fingerprint.echoprint.counts, echoprint_trains(track_id, 30.0).counts
        assert counts[0].sum() == pytest.approx(counts[1].sum(), rel=0.1)


def test_a_document_may_have_a_name_instead_of_a_track_id_or_neither(tmp_path: Path) -> None:
    track = make_document(IDS[0])["track"]
    named, nameless = ({"name": "Song", "track": track}, {"meta": {}, "track": track})
    lines = b"\n".join(map(msgspec.json.encode, (named, nameless)))
    file = tmp_path / "d.jsonl"
    assert [document.name for document in read(file, lines)] == ["Song", f"{file}, line 2"]


@pytest.mark.parametrize("line", [b"{", b'{"meta": {}}', b'{"track": {"rhythmstring": "?"}}'])
def test_what_is_no_document_is_named_with_its_line(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(PipelineError, match=r"d\.jsonl, line 4: not an analysis document"):
        read(tmp_path / "d.jsonl", LINES + line)


def test_a_file_that_is_not_there_or_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"nothing\.jsonl: can't be read: No such file"):
        list(read_documents([tmp_path / "nothing.jsonl"]))
    with pytest.raises(PipelineError, match=r"d\.jsonl\.zst: the file ends in the middle"):
        read(tmp_path / "d.jsonl.zst", zstandard.compress(LINES)[:-9])

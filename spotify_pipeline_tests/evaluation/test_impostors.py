"""Impostors: how many of which kind, and of whom."""

from itertools import pairwise
from pathlib import Path

import pytest

from spotify_pipeline.evaluation.impostors import Impostors, Kind, Source, sources_of
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.fingerprint import unpack_trains
from spotify_pipeline.harmony import unpack_harmony
from spotify_pipeline_tests.documents import json_line, make_document, make_track_id, rhythm_trains
from spotify_pipeline_tests.tracks import fingerprint_of, harmony_of, make_tracks

IDS = [make_track_id("0a", number) for number in range(2)]
PRINTS = [fingerprint_of(track) for track in make_tracks(6)]
PIECES = [Piece(Path(f"piece {n}.flac"), made) for n, made in enumerate(PRINTS)]
ASKED = PRINTS[:3]
SOURCES = [Source(made, harmony_of(number + 1)) for number, made in enumerate(PRINTS[3:])]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    file = tmp_path / "documents.jsonl"
    file.write_bytes(b"".join(json_line(make_document(track_id)) for track_id in IDS))
    return file


def test_there_are_as_many_of_each_kind_as_was_asked_for(documents: Path) -> None:
    made = Impostors.made(ASKED, SOURCES, 10, 4, [documents], pytest.fail)
    assert made.counts == {Kind.DOCUMENT: 2, Kind.SPLICED: 4, Kind.INDEPENDENT: 6}
    assert [made.named(number) for number in (0, 1, 2, 5, 6, 11)] == [
        (Kind.DOCUMENT, IDS[0]),
        (Kind.DOCUMENT, IDS[1]),
        (Kind.SPLICED, "spliced 0"),
        (Kind.SPLICED, "spliced 3"),
        (Kind.INDEPENDENT, "independent gaps 0"),
        (Kind.INDEPENDENT, "independent gaps 5"),
    ]


def test_synthetic_tracks_have_the_harmony_of_sources_at_their_places(documents: Path) -> None:
    made = Impostors.made(ASKED, SOURCES, 30, 20, [documents]).tracks
    known = {row.tobytes() for source in SOURCES for row in source.harmony.pitches}
    for kind in (Kind.SPLICED, Kind.INDEPENDENT):
        packed = made[kind].harmony
        for first, last in pairwise(packed.offsets.tolist()):
            segments = unpack_harmony(packed.content[first:last])
            assert len(segments)
            assert {row.tobytes() for row in segments.pitches} <= known


def test_documents_are_impostors_as_they_are(documents: Path) -> None:
    tracks = Impostors.made(ASKED, SOURCES, 0, 0, [documents]).tracks[Kind.DOCUMENT]
    for number, track_id in enumerate(IDS):
        first, last = tracks.rhythm.offsets[number : number + 2]
        trains = unpack_trains(tracks.rhythm.content[first:last].tobytes())
        assert trains == rhythm_trains(track_id, 30.0)


def test_without_other_pieces_tracks_are_spliced_from_documents(documents: Path) -> None:
    warnings: list[str] = []
    made = Impostors.made(ASKED, [], 10, 4, [documents], warnings.append)
    assert made.counts[Kind.SPLICED] == 4
    (line,) = warnings
    assert "tracks are spliced from the documents" in line


def test_pieces_that_are_asked_for_are_never_spliced() -> None:
    warnings: list[str] = []
    made = Impostors.made(ASKED, [], 10, 4, warn=warnings.append)
    assert made.counts == {Kind.INDEPENDENT: 10}
    (line,) = warnings
    assert "all synthetic tracks have independent gaps" in line


def test_tracks_are_spliced_from_the_sets_that_were_chosen_on_before() -> None:
    of = {part: [Source(p.fingerprint) for p in PIECES if part_of(p.file) is part] for part in Part}
    assert all(of.values())
    assert sources_of(PIECES, [], Part.VALIDATION) == of[Part.TRAINING]
    sources = sources_of(PIECES, [], Part.TEST)
    assert sources == [Source(p.fingerprint) for p in PIECES if part_of(p.file) is not Part.TEST]
    assert sources_of(PIECES, PIECES, Part.TEST) == []

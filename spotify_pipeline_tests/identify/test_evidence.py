"""What a observer of answers is shown."""

from pathlib import Path

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, Fingerprint
from spotify_pipeline.identify.answers import Failure, answer_files
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.index.kernels.alignment import offset_histogram
from spotify_pipeline_tests.identify.observed import observed, write_fingerprint
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_tracks, publish_tracks


def test_the_trains_are_those_that_were_aligned(tmp_path: Path) -> None:
    tracks = make_tracks(3)
    query = fingerprint_of(tracks[1], start=20, seconds=10)
    evidence = observed(tmp_path, tracks, query)
    assert evidence.accepted
    assert evidence.named.track_id == tracks[1].track_id
    assert (evidence.query, evidence.track) == (query.rhythm, tracks[1].rhythm)
    assert evidence.offset == round(20 * FRAMES_PER_SECOND)
    assert evidence.aligned.all()


def test_without_rhythm_trains_echoprint_trains_are_shown(tmp_path: Path) -> None:
    tracks = make_tracks(2)
    query = Fingerprint(fingerprint_of(tracks[0], seconds=40).echoprint, NO_ONSETS)
    evidence = observed(tmp_path, tracks, query)
    assert evidence.track == tracks[0].echoprint
    assert evidence.tolerance == 4
    assert abs(evidence.offset) <= evidence.tolerance


def test_of_an_unknown_recording_the_nearest_track_is_shown_and_named(tmp_path: Path) -> None:
    tracks = make_tracks(2)
    query = fingerprint_of(tracks[1], start=20, seconds=10)
    evidence = observed(tmp_path, tracks, query, threshold=1.01)
    assert not evidence.accepted
    assert evidence.named.track_id == tracks[1].track_id


def test_of_a_long_recording_all_of_it_is_shown_where_it_lies(tmp_path: Path) -> None:
    tracks = make_tracks(2, duration=150)
    query = fingerprint_of(tracks[0], start=25, seconds=110)
    evidence = observed(tmp_path, tracks, query)
    offsets, aligned = offset_histogram(evidence.query, evidence.track, evidence.tolerance)
    assert evidence.query == query.rhythm
    assert aligned[offsets == evidence.offset] == aligned.max()
    assert abs(evidence.offset - round(25 * FRAMES_PER_SECOND)) <= evidence.tolerance


def test_evidence_comes_before_its_answer_and_only_where_a_track_comes_near(
    tmp_path: Path,
) -> None:
    tracks = make_tracks(1)
    publish_tracks(tmp_path / "index", tracks)
    files = [
        tmp_path / "missing.wav",
        write_fingerprint(tmp_path / "known.json", fingerprint_of(tracks[0])),
    ]
    seen: list[Evidence | Answer | Failure] = []
    seen.extend(
        answer_files(files, tmp_path / "index", tmp_path / "meta.duckdb", observer=seen.append)
    )
    assert [type(one) for one in seen] == [Failure, Evidence, Answer]

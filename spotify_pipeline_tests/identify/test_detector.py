"""One recording, one answer: by a deadline, and of the index that counts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.identify.detector import Answer, Detector
from spotify_pipeline.identify.query import Query
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.metadata_file import TRACK_IDS, write_metadata
from spotify_pipeline_tests.tracks import (
    fingerprint_of,
    make_track,
    make_tracks,
    publish_tracks,
    worn,
)

TRACKS = make_tracks(20)
UNKNOWN = make_track(99)


class AfterAsking(Deadline):
    """A deadline that comes when it has been looked at so often."""

    def __init__(self, times: int) -> None:
        super().__init__(0)
        self._left = times

    def leaves_out(self) -> bool:
        """Tell whether it was asked often enough."""
        self._left -= 1
        return self._left < 0 and super().leaves_out()


def query_of(number: int) -> Query:
    track = TRACKS[number] if number < len(TRACKS) else UNKNOWN
    return Query("clip", fingerprint_of(track, 20, 10), 10.0, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish_tracks(tmp_path / "index", TRACKS)
    return tmp_path


@pytest.fixture
def detector(folder: Path) -> Iterator[Detector]:
    with Detector.opened(folder / "index", folder / "meta.duckdb") as opened:
        yield opened


def timeless(answer: Answer) -> Answer:
    return msgspec.structs.replace(answer, elapsed=0.0)


def test_with_time_enough_a_deadline_changes_nothing(detector: Detector) -> None:
    for number in (3, 99):
        answer = detector.identify(query_of(number))
        assert answer.complete
        assert answer.identified == (number == 3)
        assert timeless(detector.identify(query_of(number), deadline=Deadline(60))) == timeless(
            answer
        )


def test_when_a_deadline_has_passed_nothing_is_found_and_the_answer_says_so(
    detector: Detector,
) -> None:
    answer = detector.identify(query_of(3), deadline=Deadline(0))
    assert answer.matches == ()
    assert not answer.complete


def test_what_was_found_before_a_deadline_is_answered(detector: Detector) -> None:
    # the quick search, which asks before it begins and before its only speed, is certain
    answer = detector.identify(query_of(3), deadline=AfterAsking(2))
    assert answer.complete
    assert answer.matches[0].track_id == TRACKS[3].track_id


@pytest.mark.parametrize("times", range(12))
def test_a_deadline_in_the_midst_of_anything_is_kept(detector: Detector, times: int) -> None:
    deadline = AfterAsking(times)
    answer = detector.identify(query_of(99), deadline=deadline)
    assert not answer.identified
    assert answer.complete == (not deadline.missed)


def test_when_another_index_is_published_a_refreshed_detector_asks_that(
    folder: Path, detector: Detector
) -> None:
    assert detector.refreshed() is detector
    publish_tracks(folder / "index", [UNKNOWN], "segment-1.bin")
    now = detector.refreshed()
    assert now.identify(query_of(99)).matches[0].track_id == UNKNOWN.track_id
    assert not now.identify(query_of(3)).identified
    # whoever still asks the one before gets its answer, though its file is removed
    assert detector.identify(query_of(3)).matches[0].track_id == TRACKS[3].track_id


def test_segments_that_stay_are_not_opened_again(folder: Path) -> None:
    before = Searcher.open(folder / "index")
    manifest = folder / "index" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"checksum"', b'"other"'))
    after = before.refreshed()
    assert after is not before
    assert after._segments[0] is before._segments[0]


def test_a_closed_index_has_no_threads(folder: Path) -> None:
    with Catalog(folder / "meta.duckdb") as catalog, Searcher.open(folder / "index") as index:
        Detector(index, catalog).identify(query_of(3))
        threads = index._pool._threads
        assert threads
    assert not any(thread.is_alive() for thread in threads)


def test_the_most_popular_release_comes_first_though_one_match_is_asked_for(
    tmp_path: Path,
) -> None:
    popular, exact = TRACK_IDS[0], TRACK_IDS[2]
    build_metadata(write_metadata(tmp_path / "dump.sqlite3"), tmp_path, tmp_path / "meta.duckdb")
    rhythm = TRACKS[3].rhythm
    releases = [
        replace(TRACKS[3], track_id=exact),
        replace(TRACKS[3], track_id=popular, rhythm=worn(rhythm, 1, lost=0.1, moved=1)),
    ]
    publish_tracks(tmp_path / "index", [*TRACKS[4:], *releases])
    with Detector.opened(tmp_path / "index", tmp_path / "meta.duckdb") as detector:
        best = detector.identifier.matches(query_of(3).fingerprint)[0]
        (match,) = detector.identify(query_of(3), limit=1).matches
    assert best.track_id == exact
    assert match.track_id == popular

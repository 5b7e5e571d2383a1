"""A deadline leaves work out once it has passed, and remembers that it did."""

import pytest

from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline_tests.tracks import fingerprint_of, index_of, llr_of, make_tracks


@pytest.mark.parametrize("deadline", [Deadline(), Deadline(3600)])
def test_before_a_deadline_nothing_is_left_out(deadline: Deadline) -> None:
    assert not deadline.leaves_out()
    assert not deadline.missed


def test_after_a_deadline_work_is_left_out_and_that_is_remembered() -> None:
    deadline = Deadline(0)
    assert not deadline.missed
    assert deadline.leaves_out()
    assert deadline.missed


def test_of_tracks_that_are_all_tried_those_after_a_deadline_are_left_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tracks = make_tracks(3)
    index = index_of(tmp_path_factory.mktemp("index"), tracks)
    rhythm = index.comparable(1, fingerprint_of(tracks[1]))[1]
    assert len(rhythm)
    llr = llr_of(fingerprint_of(tracks[1], 20, 10))["rhythm"][::4]
    late = Deadline(0)
    assert index.likeliest(llr, 3, deadline=late) == []
    assert late.missed

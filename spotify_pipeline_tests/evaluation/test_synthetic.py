"""Synthetic tracks of independent gaps: drawn after real pieces, and the same for a seed."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.synthetic import LONGEST, MEAN_SECONDS, SHORTEST, Generator
from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, Fingerprint, unpack_trains
from spotify_pipeline.index.building.segment_writer import PackedTracks
from spotify_pipeline_tests.tracks import fingerprint_of, make_tracks


@pytest.fixture(scope="module")
def pieces() -> list[Fingerprint]:
    return [fingerprint_of(track) for track in make_tracks(3)]


def gaps(trains: PackedTracks, track: int) -> set[int]:
    first, last = trains.offsets[track : track + 2]
    found = unpack_trains(trains.content[first:last].tobytes())
    return set(np.concatenate([np.diff(found.band(band)) for band in range(8)]).tolist())


def test_a_seed_gives_the_same_tracks(pieces: list[Fingerprint]) -> None:
    made, again, other = (Generator(pieces, seed).tracks("0A", 5) for seed in (1, 1, 2))
    assert made.ids.tolist() == again.ids.tolist()
    assert np.array_equal(made.rhythm.content, again.rhythm.content)
    assert np.array_equal(made.echoprint.content, again.echoprint.content)
    assert not np.array_equal(made.rhythm.content, other.rhythm.content)


def test_ids_are_of_the_shard_and_durations_as_of_songs(pieces: list[Fingerprint]) -> None:
    made = Generator(pieces, seed=1).tracks("0A", 500)
    assert all(track_id.startswith(b"0A") and len(track_id) == 22 for track_id in made.ids.tolist())
    assert SHORTEST <= made.durations.min() <= made.durations.max() <= LONGEST
    assert made.durations.mean() == pytest.approx(MEAN_SECONDS, rel=0.1)


def test_gaps_are_those_of_the_pieces_and_fill_the_track(pieces: list[Fingerprint]) -> None:
    made = Generator(pieces, seed=1).tracks("0a", 3)
    real = {int(gap) for p in pieces for band in range(8) for gap in np.diff(p.rhythm.band(band))}
    for track in range(3):
        assert gaps(made.rhythm, track) <= real
        first, last = made.rhythm.offsets[track : track + 2]
        frames = unpack_trains(made.rhythm.content[first:last].tobytes()).frames
        end = float(made.durations[track]) * FRAMES_PER_SECOND
        assert end - max(real) <= frames.max() < end


def test_no_tracks_can_be_made(pieces: list[Fingerprint]) -> None:
    assert len(Generator(pieces, seed=1).tracks("0a", 0)) == 0

"""One channel of the index: the trains that were put in, and exactly the postings asked for."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import OnsetTrains
from spotify_pipeline.index.channel import Channel, Hits
from spotify_pipeline.index.features import FeatureSetting, features
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS

COARSE = FeatureSetting(gaps=2, step=100)
"""So few features that tracks share them."""

UNKNOWN = 2**32 - 1


def short_trains(seed: int) -> OnsetTrains:
    return random_trains(seed, 3, 41, 120)


def postings(tracks: Sequence[OnsetTrains]) -> dict[int, list[tuple[int, int]]]:
    """Give track and frame of every feature, without an index."""
    found = defaultdict(list)
    for number, trains in enumerate(tracks):
        made, frames = features(trains, COARSE)
        for feature, frame in zip(made.tolist(), frames.tolist(), strict=True):
            found[feature].append((number, frame))
    return found


def counted(hits: Hits) -> Counter[tuple[int, int, float]]:
    rows = zip(hits.tracks.tolist(), hits.offsets.tolist(), hits.weights.tolist(), strict=True)
    return Counter((track, offset, round(weight, 4)) for track, offset, weight in rows)


@given(
    seeds=st.lists(st.integers(0, 20), max_size=6),
    asked=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 1000)), max_size=8),
)
@settings(deadline=None, max_examples=40)
def test_a_lookup_gives_exactly_the_postings(
    seeds: list[int], asked: list[tuple[int, int]]
) -> None:
    tracks = [short_trains(seed) for seed in seeds]
    known = postings(tracks)
    total = sum(map(len, known.values()))
    pool = [*known, *(feature + 1 for feature in known), UNKNOWN]
    queries = [(pool[choice % len(pool)], frame) for choice, frame in asked]
    expected = Counter(
        (track, start - frame, round(math.log(total / len(known[feature])), 4))
        for feature, frame in queries
        for track, start in known.get(feature, [])
    )
    hits = Channel.build(tracks, COARSE).look_up(
        np.array([feature for feature, _ in queries], np.uint32),
        np.array([frame for _, frame in queries], np.int32),
    )
    assert counted(hits) == expected


@pytest.mark.parametrize("tracks", [[], [NO_ONSETS]])
def test_a_channel_without_onsets_has_no_postings(tracks: list[OnsetTrains]) -> None:
    hits = Channel.build(tracks, COARSE).look_up(*features(short_trains(1), COARSE))
    assert len(hits.tracks) == 0


def test_trains_come_back_as_they_were() -> None:
    tracks = [short_trains(1), NO_ONSETS, short_trains(2), NO_ONSETS]
    channel = Channel.build(iter(tracks), COARSE)
    assert [channel.trains(number) for number in range(len(tracks))] == tracks

"""A timeline that is told while the recording goes on comes to what it comes to at the end."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import fingerprint, infer_stream
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.growing_timeline import GrowingTimeline
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.segmentation import Stretch, segment
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_samples
from spotify_pipeline_tests.documents import make_track_id
from spotify_pipeline_tests.serve.served import RATE, SECONDS, music
from spotify_pipeline_tests.tracks import Track, index_of

SEEDS = (1, 9, 2)
"""The second one is not indexed."""


def heard(seed: int) -> Float32s:
    return analyzer_samples(music(seed), RATE)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    found = {seed: fingerprint(heard(seed)) for seed in SEEDS if seed != 9}
    tracks = [
        Track(make_track_id("0a", seed), SECONDS, one.rhythm, one.echoprint)
        for seed, one in found.items()
    ]
    return index_of(tmp_path_factory.mktemp("index"), tracks)


def test_parts_are_told_early_and_come_to_the_whole(index: Searcher) -> None:
    mix = np.concatenate([heard(seed) for seed in SEEDS])
    identifier = Identifier(index)
    timeline = GrowingTimeline()
    told: list[Stretch] = []

    def tell() -> None:
        while timeline.vote(identifier):
            pass
        told.extend(timeline.settled(index))

    for block in np.split(mix, range(ANALYZER_RATE, len(mix), ANALYZER_RATE)):
        if timeline.push(block):
            tell()
    early = len(told)
    timeline.end()
    tell()
    whole = segment(infer_stream([mix]), identifier)
    assert 0 < early < len(whole) == len(told)
    for one, other in zip(told, whole, strict=True):
        assert one.track == other.track
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=1)
        assert one.position == pytest.approx(other.position, abs=1)

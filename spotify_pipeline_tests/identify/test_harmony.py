"""Harmony in an identification: twins in rhythm are told apart by what they play, and the reverse.

The track that a clip is of has segments as a folder of music gets them. It comes before a track
with the same onsets but another harmony, which is refused, like one with the same harmony but other
onsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import PITCH_CLASSES, Segments, pack_harmony, unpack_harmony
from spotify_pipeline.harmony.agreement import Agreement, Sound
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.index.search.searcher import Candidate
from spotify_pipeline.resampling import analyzer_samples, resampler_to
from spotify_pipeline.sample_dump.analysis import ANALYSIS_SAMPLE_RATE, analyse
from spotify_pipeline_tests.tracks import Track, index_of

ACCEPTED = 0.9
CLIP = slice(20 * RATE, 30 * RATE)


@dataclass(frozen=True)
class Composed:
    """A piece as samples at `RATE`, and as a track."""

    samples: Float32s
    track: Track


def composed(seed: int) -> Composed:
    piece = compose(seed)
    samples = resampler_to(RATE)(piece.sample_rate).push(piece.samples, last=True)
    prints = fingerprint(analyzer_samples(samples, RATE))
    resampler = resampler_to(ANALYSIS_SAMPLE_RATE)(RATE)
    segments = analyse(resampler.push(samples, last=True)).segments
    harmony = Segments(
        np.array([one["start"] for one in segments]),
        np.array([one["pitches"] for one in segments], np.float32),
        np.array([one["loudness_max"] for one in segments], np.float32),
    )
    kept = unpack_harmony(pack_harmony(harmony))
    return Composed(samples, Track(f"{seed:022d}", None, prints.rhythm, prints.echoprint, kept))


@pytest.fixture(scope="module")
def pieces() -> list[Composed]:
    return [composed(seed) for seed in range(2)]


def harmony_of_other(track: Track) -> Track:
    """Give a twin with the same onsets, a tritone higher and with its segments in another order."""
    order = np.random.default_rng(1).permutation(len(track.harmony))
    pitches = np.roll(track.harmony.pitches[order], PITCH_CLASSES // 2, axis=1)
    return replace(track, track_id="t" * 22, harmony=replace(track.harmony, pitches=pitches))


def matches(folder: Path, tracks: Sequence[Track], samples: Float32s) -> list[Match]:
    recording = analyzer_samples(samples, RATE)
    return Identifier(index_of(folder, tracks)).matches(fingerprint(recording), recording)


@pytest.mark.parametrize("degradation", ["clean", "room"])
def test_a_track_comes_before_its_twin_in_rhythm_which_is_refused(
    pieces: list[Composed], tmp_path: Path, degradation: str
) -> None:
    own, other = pieces
    rng = np.random.default_rng(1)
    clip = DEGRADATIONS[degradation](own.samples[CLIP], rng)
    twin = harmony_of_other(own.track)
    best, second = matches(tmp_path, [other.track, twin, own.track], clip)[:2]
    assert (best.track, second.track) == (2, 1)
    assert best.evidence.likelihood == second.evidence.likelihood
    assert best.evidence.harmony > 5
    assert second.evidence.harmony < 0
    assert best.confidence >= ACCEPTED
    assert second.confidence < ACCEPTED


@pytest.mark.parametrize("degradation", ["clean", "room"])
def test_a_twin_in_rhythm_is_refused_where_the_track_is_not_in_the_index(
    pieces: list[Composed], tmp_path: Path, degradation: str
) -> None:
    own, other = pieces
    clip = DEGRADATIONS[degradation](own.samples[CLIP], np.random.default_rng(1))
    found = matches(tmp_path, [other.track, harmony_of_other(own.track)], clip)
    assert found[0].track == 1
    assert all(match.confidence < ACCEPTED for match in found)


def test_a_track_of_the_same_harmony_and_other_rhythm_is_refused(
    pieces: list[Composed], tmp_path: Path
) -> None:
    own, other = pieces
    disguised = replace(other.track, harmony=own.track.harmony)
    found = matches(tmp_path, [disguised], own.samples[CLIP])
    assert all(match.confidence < ACCEPTED for match in found)


@pytest.mark.parametrize("degradation", ["pitch +1", "pitch -1", "tempo +4", "tempo -4"])
def test_a_track_is_named_though_its_pitch_or_its_tempo_alone_is_changed(
    pieces: list[Composed], tmp_path: Path, degradation: str
) -> None:
    own, other = pieces
    clip = DEGRADATIONS[degradation](own.samples[CLIP], np.random.default_rng(1))
    best = matches(tmp_path, [other.track, harmony_of_other(own.track), own.track], clip)[0]
    assert best.track == 2
    assert best.evidence.harmony > 0
    assert best.confidence >= ACCEPTED


def test_tracks_are_compared_once_where_every_track_is_scored(
    pieces: list[Composed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = pieces
    index = index_of(tmp_path, [other.track, harmony_of_other(own.track), own.track])
    compare, compared = index.agreements, list[Candidate]()

    def agreements(
        recording: Sound, candidates: Sequence[Candidate], speed: float
    ) -> list[Agreement]:
        compared.extend(candidates)
        return compare(recording, candidates, speed)

    monkeypatch.setattr(index, "agreements", agreements)
    clip = analyzer_samples(own.samples[CLIP], RATE)
    (exhaustive,) = (one for one in PASSES if one.exhaustive)
    attempt = replace(exhaustive, clear=None)
    best = Identifier(index).matches(fingerprint(clip), clip, [attempt])[0]
    assert best.track == 2
    assert sorted(one.track for one in compared) == [0, 1, 2]


def test_without_harmony_rhythm_decides_alone(pieces: list[Composed], tmp_path: Path) -> None:
    own, other = pieces
    tracks = [replace(one.track, harmony=Segments.none()) for one in (other, own)]
    best = matches(tmp_path, tracks, own.samples[CLIP])[0]
    assert best.track == 1
    assert best.evidence.harmony == 0
    assert best.confidence >= ACCEPTED

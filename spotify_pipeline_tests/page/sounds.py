"""Music for the page: composed pieces, of which an index knows all but one.

Belongs here: what is played to the page. Does not belong here: playing it (`browsers`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.resampling import analyzer_samples
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.catalogue_made import TITLES, make_home, track_id
from spotify_pipeline_tests.tracks import Track, publish_tracks

__all__ = ["Music", "in_noise", "make_music"]

KNOWN = 3


@dataclass(frozen=True)
class Music:
    """A data home, and the pieces by the titles that its catalogue gives them.

    Attributes
    ----------
    known
        Mono samples at `rate`, in the order of the catalogue.
    unknown
        A piece that the index does not know.
    """

    settings: Settings
    known: dict[str, Float32s]
    unknown: Float32s
    rate: int


def make_music(folder: Path) -> Music:
    """Compose pieces and make a home in which they are the catalogue's first tracks."""
    settings = make_home(folder)
    pieces = [compose(seed) for seed in range(KNOWN + 1)]
    tracks = []
    for number, piece in enumerate(pieces[:KNOWN]):
        found = fingerprint(analyzer_samples(piece.samples, piece.sample_rate))
        seconds = len(piece.samples) / piece.sample_rate
        tracks.append(Track(track_id(number), seconds, found.rhythm, found.echoprint))
    publish_tracks(settings.index, tracks)
    known = {TITLES[k]: piece.samples for k, piece in enumerate(pieces[:KNOWN])}
    return Music(settings, known, pieces[-1].samples, pieces[0].sample_rate)


def in_noise(samples: Float32s, decibel: float = 10.0) -> Float32s:
    """Add white noise, so many dB below the music."""
    rng = np.random.default_rng(5)
    level = float(np.sqrt(np.mean(samples**2))) * 10 ** (-decibel / 20)
    noisy = samples + rng.normal(0, level, len(samples)).astype(np.float32)
    return np.asarray(noisy / np.abs(noisy).max(), np.float32)

"""What chroma could tell of recordings in which onsets give out, and what it would cost to keep.

    python benchmarks/chroma.py --music DIR [DIR ...] [--lengths 5 10 20]
        [--degradations room "white 0"]

The dump's segments say how strong each of twelve pitch classes is, three or four times a second.
Nothing of them is kept. Here every piece gets such a chroma, one each quarter of a second,
and so do the degraded excerpts of `benchmarks/detection.py`. The same analysis on both sides is the
most that could be hoped for: *exact*, or *quantised* to two bits a pitch class. The dump's pitches
come of an analysis that is not open. To see how much depends on that, *segments* analyses the
pieces in quite another way: by constant-Q transform, the mean from onset to onset.

Of each excerpt, the correlation at the best offset is compared with that of every impostor: all
pieces in all twelve keys, at three tempos. *first*: share of excerpts whose piece is best; *among
1 %*: that it is among the best hundredth.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import librosa
import numpy as np
from scipy import fft

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.pieces import read_pieces
from spotify_pipeline.evaluation.queries import queries
from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording

HOP = SAMPLE_RATE // 4
PHASES = 4
WINDOW = 4096
LEVELS = 3
PITCH_CLASSES = 12
TEMPOS = (1.0, 0.93, 1.07)
TRACK_SECONDS, TRACKS = 240, 40_000_000


def chroma_of(samples: Float32s) -> Float32s:
    """Give the strength of pitch classes, the strongest 1, of shape (quarters, 12)."""
    found = librosa.feature.chroma_stft(
        y=samples, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP, norm=np.inf, tuning=0.0
    )
    return np.asarray(found.T, np.float32)


def quantised(chroma: Float32s) -> Float32s:
    """Keep two bits of each."""
    return np.rint(chroma * LEVELS) / LEVELS


def segments_of(samples: Float32s) -> Float32s:
    """Give another analysis: the strength of pitch classes from onset to onset, as `chroma_of`."""
    hop = 256
    found = librosa.feature.chroma_cqt(y=samples, sr=SAMPLE_RATE, hop_length=hop, norm=None)
    onsets = librosa.onset.onset_detect(y=samples, sr=SAMPLE_RATE, hop_length=hop)
    bounds = np.unique([0, *onsets, found.shape[1]])
    means = np.add.reduceat(found, bounds[:-1], axis=1) / np.diff(bounds)
    means /= np.maximum(means.max(axis=0), 1e-9)
    moments = np.arange(0, len(samples), HOP) // hop
    places = np.searchsorted(bounds, moments, side="right") - 1
    return np.asarray(means.T[np.minimum(places, len(bounds) - 2)], np.float32)


def level(chroma: Float32s) -> Float32s:
    """Take the mean of each moment away, and scale it to length 1."""
    chroma = chroma - chroma.mean(axis=1, keepdims=True)
    return chroma / np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), np.float32(1e-6))


class Tracks:
    """Pieces at one tempo, one after the other, to correlate a query with all at once."""

    def __init__(self, chromas: Sequence[Float32s], tempo: float, longest: int) -> None:
        silence = np.zeros((longest, PITCH_CLASSES), np.float32)
        played = [chroma[np.arange(0, len(chroma) - 1, tempo).astype(int)] for chroma in chromas]
        parts = [np.concatenate((silence, level(chroma))) for chroma in played]
        self._starts = np.cumsum([0, *map(len, parts)])[:-1]
        joined = np.concatenate((*parts, silence))
        self._size = fft.next_fast_len(len(joined), real=True)
        self._spectrum = fft.rfft(joined, self._size, axis=0)

    def likenesses(self, query: Float32s) -> Iterator[Float32s]:
        """Give the mean correlation with each piece at its best offset, in key after key."""
        spectrum = fft.rfft(query, self._size, axis=0).conj()
        for key in range(PITCH_CLASSES):
            product = np.einsum("fk,fk->f", self._spectrum, np.roll(spectrum, key, axis=1))
            sums = fft.irfft(product, self._size)
            yield np.maximum.reduceat(sums, self._starts) / len(query)


def impostors_above(phases: Sequence[Float32s], piece: int, tempos: Sequence[Tracks]) -> int:
    """Count the impostors that are as like a query, in any phase, as its own piece."""
    found = np.array([[[*tracks.likenesses(one)] for tracks in tempos] for one in phases])
    best = found.max(axis=0)  # tempo, key, piece
    return int((best >= best[0, 0, piece]).sum()) - 1


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--lengths", type=float, nargs="+", default=[5.0, 10.0, 20.0])
    parser.add_argument(
        "--degradations", nargs="+", choices=[*DEGRADATIONS], default=["clean", "room", "white 0"]
    )
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    longest = round(max(arguments.lengths) * SAMPLE_RATE / HOP) + 1
    music = [read_recording(piece.file, SAMPLE_RATE).samples for piece in pieces]
    exact = [chroma_of(samples) for samples in music]
    analyses = {
        "exact": exact,
        "quantised": [quantised(chroma) for chroma in exact],
        "segments": [quantised(segments_of(samples)) for samples in music],
    }
    ways = {
        way: [Tracks(chromas, tempo, longest) for tempo in TEMPOS]
        for way, chromas in analyses.items()
    }
    above: dict[tuple[str, float, str], list[int]] = {}
    for query in queries(pieces, arguments.degradations, arguments.lengths, 1):
        phases = [
            level(chroma_of(query.samples[phase * HOP // PHASES :])) for phase in range(PHASES)
        ]
        for way, tempos in ways.items():
            cell = (query.excerpt.degradation, query.excerpt.seconds, way)
            found = impostors_above(phases, query.excerpt.piece, tempos)
            above.setdefault(cell, []).append(found)
    impostors = len(pieces) * PITCH_CLASSES * len(TEMPOS) - 1
    print(f"{impostors:,} impostors")
    for (name, seconds, way), found_above in sorted(above.items()):
        ranks = np.array(found_above)
        print(
            f"{name:>9} {seconds:4.0f} s  {way:>9}: first {np.mean(ranks == 0):4.0%},"
            f" among 1 % {np.mean(ranks < impostors / 100):4.0%} of {len(ranks)}"
        )
    size = TRACK_SECONDS * SAMPLE_RATE // HOP * PITCH_CLASSES * 2 // 8
    print(f"two bits each: {size:,} bytes a track, {size * TRACKS / 1e9:.0f} GB of {TRACKS:,}")


if __name__ == "__main__":
    main()

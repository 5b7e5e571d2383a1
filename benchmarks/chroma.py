"""What chroma could tell of recordings in which onsets give out, and what it would cost to keep.

    python benchmarks/chroma.py --music DIR [--lengths 5 10 20] [--degradations room "white 0"]

The dump's segments say how strong each of twelve pitch classes is, three or four times a second.
Nothing of them is kept. Here every piece of DIR gets such a chroma, one each quarter of a second,
and so do the degraded excerpts of `benchmarks/detection.py`. It is the same analysis on both sides,
which a recording and the dump's segments would not be: so this is the most that could be hoped for.

Of each excerpt, the correlation at the best offset is compared with that of every impostor: all
pieces in all twelve keys, at three tempos. *first*: share of excerpts whose piece is best; *among
1 %*: that it is among the best hundredth. *quantised* is the same with two bits a pitch class.
"""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import librosa
import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.pieces import read_pieces
from spotify_pipeline.evaluation.queries import queries
from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording

HOP = SAMPLE_RATE // 4
PHASES = 4
WINDOW = 4096
LEVELS = 3
TEMPOS = (1.0, 0.93, 1.07)
TRACK_SECONDS, TRACKS = 240, 40_000_000


def chroma_of(samples: np.ndarray) -> np.ndarray:
    """Give the strength of pitch classes, the strongest 1, of shape (quarters, 12)."""
    found = librosa.feature.chroma_stft(
        y=samples, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP, norm=np.inf, tuning=0.0
    )
    return found.T.astype(np.float32)


def quantised(chroma: np.ndarray) -> np.ndarray:
    """Keep two bits of each."""
    return np.rint(chroma * LEVELS) / LEVELS


def level(chroma: np.ndarray) -> np.ndarray:
    """Take the mean of each moment away, and scale it to length 1."""
    chroma = chroma - chroma.mean(axis=1, keepdims=True)
    return chroma / np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-6)


def variants(chroma: np.ndarray) -> Iterator[np.ndarray]:
    """Give a piece as it is first, then in other keys and at other tempos."""
    for tempo in TEMPOS:
        places = np.arange(0, len(chroma) - 1, tempo).astype(np.int64)
        for key in range(12):
            yield np.roll(chroma[places], key, axis=1)


def likeness(query: np.ndarray, track: np.ndarray) -> float:
    """Give the mean correlation at the best offset."""
    if len(track) < len(query):
        return -1.0
    windows = np.lib.stride_tricks.sliding_window_view(track, len(query), axis=0)
    return float(np.einsum("okt,tk->o", windows, query, optimize=True).max() / len(query))


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--lengths", type=float, nargs="+", default=[5.0, 10.0, 20.0])
    parser.add_argument(
        "--degradations", nargs="+", choices=[*DEGRADATIONS], default=["clean", "room", "white 0"]
    )
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    chromas = [chroma_of(read_recording(piece.file, SAMPLE_RATE).samples) for piece in pieces]
    ways = {
        "": [[level(v) for v in variants(chroma)] for chroma in chromas],
        "quantised ": [[level(v) for v in variants(quantised(chroma))] for chroma in chromas],
    }
    ranks: dict[tuple[str, float, str], list[float]] = {}
    for query in queries(pieces, arguments.degradations, arguments.lengths, 1):
        heard = [
            level(chroma_of(query.samples[phase * HOP // PHASES :])) for phase in range(PHASES)
        ]
        for way, tracks in ways.items():
            own = max(likeness(one, tracks[query.excerpt.piece][0]) for one in heard)
            # impostors have as many chances
            above = sum(
                max(likeness(one, variant) for one in heard) >= own
                for piece, made in enumerate(tracks)
                for variant in made[piece == query.excerpt.piece :]
            )
            cell = (query.excerpt.degradation, query.excerpt.seconds, way)
            ranks.setdefault(cell, []).append(above)
    impostors = len(pieces) * 12 * len(TEMPOS) - 1
    print(f"{impostors:,} impostors")
    for (name, seconds, way), found in sorted(ranks.items()):
        print(
            f"{name:>9} {seconds:4.0f} s  {way}first {np.mean(np.array(found) == 0):6.1%},"
            f" among 1 % {np.mean(np.array(found) < impostors / 100):6.1%} of {len(found)}"
        )
    size = TRACK_SECONDS * SAMPLE_RATE // HOP * 12 * 2 // 8
    print(
        f"two bits each: {size:,} bytes a track, {size * TRACKS / 1e9:.0f} GB of {TRACKS:,} tracks"
    )


if __name__ == "__main__":
    main()

"""The feature index at growing sizes: build rate, bytes a track, recall of candidates, query time.

    python benchmarks/index.py --music DIR [--tracks 10000 100000] [--excerpts 6]

Indexes the pieces of DIR and so many made-up tracks (`synthetic`), in segments of up to 20,000,
each size on top of the one before. Queries are excerpts of the pieces, cut at random, as they are
and saved as MP3 of 64 kbit/s, of every other piece (settings are chosen on those left out).

*recall*: the share of queries whose own track is among the candidates of the quick pass, or of the
thorough one too (`identifier.PASSES`). *first*: the share for which the identifier puts the own
track first. Times are medians in a warm cache: of the two searches, and of all that the identifier
does, which is both passes for those that the first does not decide.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
from excerpts import compressed
from synthetic import Generator, read_pieces

from spotify_pipeline.demo.excerpt import EXCERPT_RATE
from spotify_pipeline.fingerprint import (
    SAMPLE_RATE,
    Fingerprint,
    OnsetTrains,
    fingerprint,
    other_starts,
)
from spotify_pipeline.identify.identifier import PASSES, Identifier
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.segment import Segment, SegmentInfo, SegmentShard
from spotify_pipeline.index.segment_writer import PackedTrains, Tracks, write_segment
from spotify_pipeline.recording import AUDIO_SUFFIXES, read_recording

SEGMENT_TRACKS = 20_000
MEMORY = 2 * 10**9
NO_ONSETS = OnsetTrains.from_bands([()] * 8)
REPORTED = 1


@dataclass(frozen=True)
class Query:
    """An excerpt, and the number of the piece that it is of."""

    kind: str
    seconds: float
    piece: int
    fingerprint: Fingerprint
    samples: np.ndarray


def queries(music: Path, names: list[str], seconds: list[float], count: int) -> Iterator[Query]:
    """Cut excerpts of the reported pieces."""
    files = {path.stem: path for path in music.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES}
    rng = np.random.default_rng(1)
    for piece, name in enumerate(names):
        if piece % 2 != REPORTED:
            continue
        samples = read_recording(files[name], EXCERPT_RATE).samples
        for length in seconds:
            for _ in range(count):
                size = round(length * EXCERPT_RATE)
                first = int(rng.integers(0, max(len(samples) - size, 1)))
                clip = samples[first : first + size]
                if np.abs(clip).max() < 1e-3:  # digital silence is nobody's
                    continue
                for kind, heard in (("clean", clip), ("mp3 64k", compressed(clip))):
                    resampled = librosa.resample(heard, orig_sr=EXCERPT_RATE, target_sr=SAMPLE_RATE)
                    yield Query(kind, length, piece, fingerprint(resampled), resampled)


class Growing:
    """An index that grows by segments of made-up tracks."""

    def __init__(self, folder: Path, pieces: Mapping[str, Fingerprint]) -> None:
        self.folder = folder
        self.generator = Generator(list(pieces.values()), seed=1)
        self.segments: list[Segment] = []
        self.seconds = 0.0
        real = Tracks.of(
            [f"{number:022d}" for number in range(len(pieces))],
            [None] * len(pieces),
            [piece.rhythm for piece in pieces.values()],
            [NO_ONSETS] * len(pieces),
        )
        self._add(real)
        self.seconds = 0.0  # kernels were compiled or loaded
        self.made = 0

    def grow(self, tracks: int) -> None:
        """Add made-up tracks until there are so many."""
        while self.made < tracks:
            count = min(SEGMENT_TRACKS, tracks - self.made)
            made = self.generator.tracks("0a", count)
            nothing = PackedTrains(np.empty(0, np.uint8), np.zeros(count + 1, np.int64))
            self._add(replace(made, echoprint=nothing))
            self.made += count

    def _add(self, tracks: Tracks) -> SegmentInfo:
        path = self.folder / f"segment-{len(self.segments)}"
        started = time.perf_counter()
        info = write_segment(path, [SegmentShard("0a", "", len(tracks))], tracks, MEMORY)
        self.seconds += time.perf_counter() - started
        self.segments.append(Segment.open(path))
        return info

    def bytes_of(self, *sections: str) -> float:
        """Give the bytes a track of sections."""
        total = sum(s.array(section).nbytes for s in self.segments for section in sections)
        return total / sum(len(segment) for segment in self.segments)


def judge(index: FeatureIndex, asked: list[Query]) -> None:
    """Print recall and times."""
    identifier = Identifier(index)
    print(f"{'':>18}   recall: quick  thorough   first    ms: quick  thorough  identify")
    for kind in sorted({query.kind for query in asked}):
        for seconds in sorted({query.seconds for query in asked}):
            chosen = [q for q in asked if (q.kind, q.seconds) == (kind, seconds)]
            found, times = np.zeros((len(chosen), 3)), np.zeros((len(chosen), 3))
            for row, query in enumerate(chosen):
                known = False
                starts: list[Fingerprint] = []
                for column, attempt in enumerate(PASSES):
                    started = time.perf_counter()
                    candidates = index.candidates(
                        query.fingerprint, attempt.candidates, attempt.effort, starts
                    )
                    times[row, column] = time.perf_counter() - started
                    known |= query.piece in [c.track for c in candidates]
                    found[row, column] = known
                    starts = other_starts(query.samples)
                started = time.perf_counter()
                matches = identifier.matches(query.fingerprint, query.samples)
                times[row, 2] = time.perf_counter() - started
                found[row, 2] = bool(matches) and matches[0].track == query.piece
            quick, thorough, first = found.mean(axis=0)
            ms = 1e3 * np.median(times, axis=0)
            print(
                f"{kind:>8} {seconds:7.0f} s {quick:15.1%} {thorough:9.1%} {first:7.1%}"
                f" {ms[0]:12.1f} {ms[1]:9.1f} {ms[2]:9.1f}",
                flush=True,
            )


def main() -> None:
    """Grow an index and judge it at each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--tracks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, nargs="+", default=[3, 5, 10])
    parser.add_argument("--excerpts", type=int, default=6, help="of each piece and length")
    arguments = parser.parse_args()
    pieces = read_pieces(arguments.music)
    asked = list(queries(arguments.music, list(pieces), arguments.seconds, arguments.excerpts))
    with TemporaryDirectory() as folder:
        growing = Growing(Path(folder), pieces)
        for size in arguments.tracks:
            growing.grow(size)
            rate = growing.made / growing.seconds
            print(
                f"\n{growing.made:,} tracks, built at {rate:,.0f} a second;"
                f" bytes a track: postings {growing.bytes_of('postings', 'counts', 'pages'):,.0f},"
                f" trains {growing.bytes_of('rhythm', 'rhythm_offsets', 'ids', 'starts'):,.0f}"
            )
            index = FeatureIndex([(segment, ["0a"]) for segment in growing.segments])
            judge(index, asked)


if __name__ == "__main__":
    main()

"""The feature index at growing sizes: build rate, bytes a track, recall of candidates, query time.

    python -m benchmarks.index --music DIR [DIR ...] [--part test] [--tracks 10000 100000]
        [--trains rhythm] [--excerpts 6]

Indexes all pieces and so many synthetic tracks of independent gaps (`evaluation.synthetic`), in
segments of up to 50,000, of which eight are merged, each size on top of the one before. Queries are
excerpts of the pieces of the test set, cut at random, as they are and saved as MP3 of 64 kbit/s
(settings are chosen on the validation set, by `frontier`).

*recall*: the fraction of queries whose own track is among the candidates of the quick pass, or of
the thorough one too (`identify.passes`). *first*: the fraction for which the identifier puts the
own track first. Times are medians in a warm cache: of the two searches, and of all that the
identifier does, which is further passes for those that the first does not decide; and 90 % of the
queries take no longer than *90 %*.

Beside it, echoprint-server's search (`evaluation.echoprint_server`) on the same tracks: its build
rate, bytes a track, fraction of queries whose own track has the best score, and time. Its blocks
lie in memory, so at most --baseline tracks are indexed; beyond, its time is that of the blocks
there are, scaled.

Cold: the files are dropped from the page cache and opened again for each query.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.command import add_music, command_line, print_machine, say
from benchmarks.page_cache import drop_from_cache
from benchmarks.segments import whole_segment
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.echoprint_server import Block
from spotify_pipeline.evaluation.impostors import Source, tracks_of
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.fingerprint import (
    Fingerprint,
    codes_of_trains,
    fingerprint,
)
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.features import KINDS
from spotify_pipeline.index.merge import FAN_IN, merge_segments
from spotify_pipeline.index.segment import Segment, SegmentShard
from spotify_pipeline.index.segment_writer import PackedTracks, Tracks, write_segment
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples

SEGMENT_TRACKS = 50_000
MEMORY = 2 * 10**9
COLD_QUERIES = 8


@dataclass(frozen=True)
class Query:
    """An excerpt, and the number of the piece that it is of."""

    kind: str
    seconds: float
    piece: int
    fingerprint: Fingerprint
    samples: np.ndarray


def queries(
    pieces: Sequence[Piece], part: Part, seconds: list[float], count: int
) -> Iterator[Query]:
    """Cut excerpts of the pieces of a set."""
    rng = np.random.default_rng(1)
    for piece, read in enumerate(pieces):
        if read.part is not part:
            continue
        samples = read_recording(read.file, RATE).samples
        for length in seconds:
            for _ in range(count):
                size = round(length * RATE)
                first = int(rng.integers(0, max(len(samples) - size, 1)))
                clip = samples[first : first + size]
                if np.abs(clip).max() < 1e-3:  # digital silence is nobody's
                    continue
                for kind in ("clean", "mp3 64k"):
                    query_llr = analyzer_samples(DEGRADATIONS[kind](clip, rng), RATE)
                    yield Query(kind, length, piece, fingerprint(query_llr), query_llr)


class Growing:
    """An index that grows by segments of synthetic tracks, and echoprint-server's beside it."""

    def __init__(
        self, folder: Path, pieces: Sequence[Fingerprint], trains: str, baseline: int
    ) -> None:
        self.folder = folder
        self.trains = trains
        self.baseline = baseline
        self.generator = Generator(pieces, seed=1)
        self.paths: list[Path] = []
        self.blocks: list[Block] = []
        self.seconds = self.block_seconds = 0.0
        self.made = self.in_blocks = self.segments = 0
        self._add(tracks_of([Source(piece) for piece in pieces]))
        self.seconds = self.block_seconds = 0.0  # kernels were compiled or loaded

    def grow(self, tracks: int) -> None:
        """Add synthetic tracks until there are so many."""
        while self.made < tracks:
            count = min(SEGMENT_TRACKS, tracks - self.made)
            self._add(self.generator.tracks("0a", count))
            self.made += count

    def open(self) -> FeatureIndex:
        """Open the index."""
        return FeatureIndex([whole_segment(path) for path in self.paths])

    def _add(self, tracks: Tracks) -> None:
        if not self.paths or self.in_blocks < self.baseline:
            started = time.perf_counter()
            self.blocks.append(Block.of(tracks.echoprint))
            self.block_seconds += time.perf_counter() - started
            self.in_blocks = sum(len(block.sizes) for block in self.blocks[1:])
        nothing = PackedTracks.none(len(tracks))
        left_out: dict[str, Any] = {
            kind: nothing for kind in KINDS if self.trains not in (kind, "both")
        }
        path = self._new_path()
        started = time.perf_counter()
        write_segment(
            path, [SegmentShard(path.name, "", len(tracks))], replace(tracks, **left_out), MEMORY
        )
        self.paths.append(path)
        if len(self.unmerged) == FAN_IN:
            self._merge(self.unmerged)
        self.seconds += time.perf_counter() - started

    @property
    def unmerged(self) -> list[Path]:
        """The full segments that were not merged."""
        return [path for path in self.paths if len(Segment.open(path)) == SEGMENT_TRACKS]

    def _merge(self, paths: list[Path]) -> None:
        merged = self._new_path()
        merge_segments(merged, [whole_segment(path) for path in paths], MEMORY)
        self.paths = [path for path in self.paths if path not in paths] + [merged]
        for path in paths:
            path.unlink()

    def _new_path(self) -> Path:
        self.segments += 1
        return self.folder / f"segment-{self.segments}"


def print_size(growing: Growing, index: FeatureIndex) -> None:
    """Print build rates and bytes a track."""
    segments = [Segment.open(path) for path in growing.paths]

    def bytes_of(*sections: str) -> float:
        total = sum(s.array(section).nbytes for s in segments for section in sections)
        return float(total) / len(index)

    trains = [name for kind in KINDS for name in (kind, f"{kind}_offsets")]
    print(
        f"\n{growing.made:,} tracks, built at {growing.made / growing.seconds:,.0f} a second;"
        f" bytes a track: postings {bytes_of('postings', 'counts', 'pages'):,.0f},"
        f" to verify {bytes_of('ids', 'durations', 'starts', *trains):,.0f}"
    )
    if growing.in_blocks:
        size = sum(block.size for block in growing.blocks[1:]) / growing.in_blocks
        print(
            f"echoprint-server: {growing.in_blocks:,} tracks, built at"
            f" {growing.in_blocks / growing.block_seconds:,.0f} a second; {size:,.0f} bytes a track"
        )


def judge(growing: Growing, index: FeatureIndex, asked: list[Query]) -> None:
    """Print recall and times."""
    identifier = Identifier(index)
    print(
        f"{'':>14} recall: quick thorough  first   ms: quick thorough identify    90 %"
        "   echoprint-server: first      ms"
    )
    for kind in sorted({query.kind for query in asked}):
        for seconds in sorted({query.seconds for query in asked}):
            chosen = [q for q in asked if (q.kind, q.seconds) == (kind, seconds)]
            rows = [
                (*search_and_time(identifier, query), *count_and_time(growing, query))
                for query in chosen
            ]
            quick, thorough, first, *_, baseline, _ = np.mean(rows, axis=0)
            *_, quick_ms, thorough_ms, ms, _, baseline_ms = 1e3 * np.median(rows, axis=0)
            most = 1e3 * np.quantile([row[5] for row in rows], 0.9)
            print(
                f"{kind:>8} {seconds:3.0f} s {quick:14.1%} {thorough:8.1%} {first:6.1%}"
                f" {quick_ms:11.1f} {thorough_ms:8.1f} {ms:8.1f} {most:7.1f}"
                f" {baseline:25.1%} {baseline_ms:7.1f}",
                flush=True,
            )


def search_and_time(
    identifier: Identifier, query: Query
) -> tuple[bool, bool, bool, float, float, float]:
    """Tell what the passes and the identifier found, and the seconds of each."""
    found: list[bool] = []
    times: list[float] = []
    query_llr = QueryLlr.of(query.fingerprint, query.samples)
    llr, onsets = query_llr.at_speed(1), query_llr.onsets
    for attempt in PASSES[:2]:
        started = time.perf_counter()
        candidates = identifier.index.candidates(llr, onsets, attempt.candidates, attempt.effort)
        times.append(time.perf_counter() - started)
        found.append(any(found) or query.piece in [c.track for c in candidates])
    started = time.perf_counter()
    matches = identifier.matches(query.fingerprint, query.samples)
    seconds = time.perf_counter() - started
    first = bool(matches) and matches[0].track == query.piece
    return found[0], found[1], first, times[0], times[1], seconds


def count_and_time(growing: Growing, query: Query) -> tuple[bool, float]:
    """Tell whether echoprint-server puts the own track first, and the seconds it takes."""
    codes = codes_of_trains(query.fingerprint.echoprint)
    started = time.perf_counter()
    scores = [block.scores(codes) for block in growing.blocks]
    best = max(float(block_scores.max()) for block_scores in scores)
    first = 0 < best == scores[0][query.piece]
    scale = max(growing.made / max(growing.in_blocks, 1), 1)
    return first, (time.perf_counter() - started) * scale


def judge_cold(growing: Growing, asked: list[Query]) -> None:
    """Print the time of queries of which nothing is in the page cache."""
    times = []
    for query in asked:
        drop_from_cache(growing.paths)
        started = time.perf_counter()
        identifier = Identifier(growing.open())
        opened = time.perf_counter()
        identifier.matches(query.fingerprint, query.samples)
        times.append((opened - started, time.perf_counter() - opened))
        del identifier
        gc.collect()
    opening, identifying = 1e3 * np.median(times, axis=0)
    print(
        f"cold, {asked[0].kind} {asked[0].seconds:.0f} s, median of {len(asked)}:"
        f" {opening:.0f} ms to open the index, {identifying:.0f} ms to identify"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Grow an index and judge it at each size."""
    parser = command_line(__doc__)
    add_music(parser, Part.TEST)
    parser.add_argument(
        "--tracks", type=int, nargs="+", default=[10_000, 100_000], help="synthetic ones, by size"
    )
    parser.add_argument("--seconds", type=float, nargs="+", default=[3, 5, 10], help="of excerpts")
    parser.add_argument("--excerpts", type=int, default=6, help="of each piece and length")
    parser.add_argument("--trains", choices=[*KINDS, "both"], default="rhythm", help="to index")
    parser.add_argument("--baseline", type=int, default=100_000, help="tracks, see above")
    parser.add_argument("--folder", type=Path, help="where the index is built, and removed again")
    arguments = parser.parse_args(words)
    print_machine()
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    asked = list(
        queries(
            pieces,
            arguments.part,
            arguments.seconds,
            arguments.excerpts,
        )
    )
    last = max(arguments.seconds)
    few = [q for q in asked if (q.kind, q.seconds) == ("clean", last)][:COLD_QUERIES]
    with TemporaryDirectory(dir=arguments.folder) as folder:
        growing = Growing(
            Path(folder),
            [piece.fingerprint for piece in pieces],
            arguments.trains,
            arguments.baseline,
        )
        for size in arguments.tracks:
            growing.grow(size)
            index = growing.open()
            print_size(growing, index)
            judge(growing, index, asked)
            del index
            gc.collect()
            judge_cold(growing, few)


if __name__ == "__main__":
    main()

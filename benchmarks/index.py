"""The feature index at growing sizes: build rate, bytes a track, recall of candidates, query time.

    python benchmarks/index.py --music DIR [DIR ...] [--part test] [--tracks 10000 100000]
        [--trains rhythm] [--excerpts 6] [--kept 2] [--step 2] [--bin-frames 1024]

Indexes pieces and so many synthetic tracks, half of them spliced from the trains of other pieces
(`evaluation.spliced`), half of independent gaps (`evaluation.synthetic`), in segments of up to
50,000, of which eight are merged, each size on top of the one before. Queries are excerpts of the
pieces of the test set, every other of which is not in the index, cut at random, degraded.

*recall*: the fraction of queries whose own track is among the candidates of the quick pass, or of
the thorough one too (`identify.passes`), and among as many by likelihood, where every track is
compared in full, up to --exhaustive tracks. *first*: the fraction for which the identifier puts the
own track first. Times are medians in a warm cache: of the two searches, and of all that the
identifier does, which is further passes for those that the first does not decide; and 95 % of the
queries take no longer than *95 %*; the same of *unknown* ones, whose piece is not in the index.

Beside it, echoprint-server's search (`evaluation.echoprint_server`) on the same tracks, which is
nobody's to change: go by the ratios. Its blocks lie in memory, so at most --baseline tracks are
indexed; beyond, its time is that of the blocks there are, scaled.

Cold: the files are dropped from the page cache and opened again for each query.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.echoprint_server import Block
from spotify_pipeline.evaluation.impostors import Source, sources_of, tracks_of
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline.evaluation.spliced import Splicer
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.fingerprint import (
    Fingerprint,
    codes_of_trains,
    fingerprint,
)
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.building.merge import FAN_IN, merge_segments
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks, write_segment
from spotify_pipeline.index.format.key_setting import KEYS, KINDS, KeySetting
from spotify_pipeline.index.format.segment import Segment, SegmentShard
from spotify_pipeline.index.search.searcher import FeatureIndex
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording
from spotify_pipeline.resampling import analyzer_samples

SEGMENT_TRACKS = 50_000
MEMORY = 2 * 10**9
COLD_QUERIES = 8


@dataclass(frozen=True)
class Query:
    """An excerpt, and the number in the index of the piece that it is of; None if it is not in."""

    kind: str
    seconds: float
    piece: int | None
    fingerprint: Fingerprint
    samples: np.ndarray


def queries(
    pieces: Sequence[Piece],
    held: Sequence[Piece],
    part: Part,
    degradations: list[str],
    seconds: list[float],
    count: int,
) -> Iterator[Query]:
    """Cut excerpts of the pieces of a set."""
    rng = np.random.default_rng(1)
    for read in pieces:
        if read.part is not part:
            continue
        piece = held.index(read) if read in held else None
        samples = read_recording(read.file, RATE).samples
        for length in seconds:
            for _ in range(count):
                size = round(length * RATE)
                first = int(rng.integers(0, max(len(samples) - size, 1)))
                clip = samples[first : first + size]
                if np.abs(clip).max() < 1e-3:  # digital silence is nobody's
                    continue
                for kind in degradations:
                    query_llr = analyzer_samples(DEGRADATIONS[kind](clip, rng), RATE)
                    yield Query(kind, length, piece, fingerprint(query_llr), query_llr)


class Growing:
    """An index that grows by segments of synthetic tracks, and echoprint-server's beside it."""

    def __init__(
        self,
        folder: Path,
        pieces: Sequence[Fingerprint],
        spliced: Sequence[Fingerprint],
        trains: str,
        baseline: int,
        keys: KeySetting,
    ) -> None:
        self.folder = folder
        self.trains = trains
        self.baseline = baseline
        self.keys = keys
        self.sources = cycle((Splicer(spliced, 1), Generator(pieces, seed=1)))
        self.paths: list[Path] = []
        self.blocks: list[Block] = []
        self.seconds = self.block_seconds = 0.0
        self.made = self.in_blocks = self.segments = 0
        self._add(tracks_of([Source(piece) for piece in pieces]))
        self.seconds = self.block_seconds = 0.0  # kernels were compiled or loaded

    def grow(self, tracks: int) -> None:
        """Add synthetic tracks until there are so many."""
        while self.made < tracks:
            count = min(SEGMENT_TRACKS, -(-tracks // 2), tracks - self.made)
            self._add(next(self.sources).tracks("0a", count))
            self.made += count

    def open(self) -> FeatureIndex:
        """Open the index."""
        return FeatureIndex([opened(path) for path in self.paths])

    def drop_from_cache(self) -> None:
        """Make the operating system forget the files, which nobody has mapped."""
        for path in self.paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)

    def _add(self, tracks: Tracks) -> None:
        if not self.paths or self.in_blocks < self.baseline:
            started = time.perf_counter()
            self.blocks.append(Block.of(tracks.echoprint))
            self.block_seconds += time.perf_counter() - started
            self.in_blocks = sum(len(block.sizes) for block in self.blocks[1:])
        nothing = PackedTracks.none(len(tracks))
        left_out = {kind: nothing for kind in KINDS if self.trains not in (kind, "both")}
        path = self._new_path()
        started = time.perf_counter()
        shard = SegmentShard(path.name, "", len(tracks))
        write_segment(path, [shard], replace(tracks, **left_out), MEMORY, self.keys)
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
        merge_segments(merged, [opened(path) for path in paths], MEMORY)
        self.paths = [path for path in self.paths if path not in paths] + [merged]
        for path in paths:
            path.unlink()

    def _new_path(self) -> Path:
        self.segments += 1
        return self.folder / f"segment-{self.segments}"


def opened(path: Path) -> tuple[Segment, list[str]]:
    """Open a segment all of whose shards count."""
    segment = Segment.open(path)
    return segment, [shard.shard for shard in segment.info.shards]


def print_size(growing: Growing, index: FeatureIndex) -> None:
    """Print build rates and bytes a track."""
    segments = [Segment.open(path) for path in growing.paths]

    def bytes_of(*sections: str) -> float:
        total = sum(s.array(section).nbytes for s in segments for section in sections)
        return total / len(index)

    trains = [name for kind in KINDS for name in (kind, f"{kind}_offsets")]
    print(
        f"\n{growing.made:,} tracks, built at {growing.made / growing.seconds:,.0f} a second;"
        f" bytes a track: postings {bytes_of('postings', 'page_firsts', 'page_words'):,.0f},"
        f" to verify {bytes_of('ids', 'durations', 'starts', *trains):,.0f}"
    )
    if growing.in_blocks:
        size = sum(block.size for block in growing.blocks[1:]) / growing.in_blocks
        print(
            f"echoprint-server: {growing.in_blocks:,} tracks, built at"
            f" {growing.in_blocks / growing.block_seconds:,.0f} a second; {size:,.0f} bytes a track"
        )


def judge(growing: Growing, index: FeatureIndex, asked: list[Query], exhaustive: int) -> None:
    """Print recall and times."""
    identifier = Identifier(index)
    print(
        f"{'':>14} recall: quick thorough exhaustive  first   ms: quick thorough identify    95 %"
        "   unknown    95 %   echoprint-server: first      ms"
    )
    for kind in sorted({query.kind for query in asked}):
        for seconds in sorted({query.seconds for query in asked}):
            chosen = [q for q in asked if (q.kind, q.seconds) == (kind, seconds)]
            rows = [
                (*search_and_time(identifier, query, exhaustive), *count_and_time(growing, query))
                for query in chosen
                if query.piece is not None
            ]
            unknown = [time_of(identifier, q) for q in chosen if q.piece is None]
            quick, thorough, tried, first, *_, baseline, _ = np.mean(rows, axis=0)
            *_, quick_ms, thorough_ms, ms, _, baseline_ms = 1e3 * np.median(rows, axis=0)
            most = 1e3 * np.quantile([row[6] for row in rows], 0.95)
            of_unknown = 1e3 * np.quantile(unknown, (0.5, 0.95))
            print(
                f"{kind:>8} {seconds:3.0f} s {quick:14.1%} {thorough:8.1%} {tried:10.1%}"
                f" {first:6.1%} {quick_ms:11.1f} {thorough_ms:8.1f} {ms:8.1f} {most:7.1f}"
                f" {of_unknown[0]:9.1f} {of_unknown[1]:7.1f} {baseline:25.1%} {baseline_ms:7.1f}",
                flush=True,
            )


def search_and_time(
    identifier: Identifier, query: Query, exhaustive: int
) -> tuple[bool, bool, float, bool, float, float, float]:
    """Tell what passes, exhaustive scoring and the identifier found, and seconds but of scoring."""
    found, times = [], []
    query_llr = QueryLlr.of(query.fingerprint, query.samples)
    frames, index = query_llr.frames_at_speed(1), identifier.index
    for attempt in PASSES[:2]:
        started = time.perf_counter()
        candidates = index.candidates(frames, attempt.candidates, attempt.effort)
        times.append(time.perf_counter() - started)
        found.append(any(found) or query.piece in [c.track for c in candidates])
    tried = np.nan
    if len(index) <= exhaustive:
        likeliest = index.likeliest(query_llr.rhythm, PASSES[1].candidates)
        tried = float(query.piece in [c.track for c in likeliest])
    started = time.perf_counter()
    matches = identifier.matches(query.fingerprint, query.samples)
    seconds = time.perf_counter() - started
    first = bool(matches) and matches[0].track == query.piece
    return found[0], found[1], tried, first, times[0], times[1], seconds


def time_of(identifier: Identifier, query: Query) -> float:
    """Give the seconds of an identification."""
    started = time.perf_counter()
    identifier.matches(query.fingerprint, query.samples)
    return time.perf_counter() - started


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
        growing.drop_from_cache()
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


def main() -> None:
    """Grow an index and judge it at each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--tracks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, nargs="+", default=[3, 5, 10])
    parser.add_argument("--excerpts", type=int, default=6, help="of each piece and length")
    parser.add_argument(
        "--part", type=Part, choices=[Part.VALIDATION, Part.TEST], default=Part.TEST
    )
    parser.add_argument("--trains", choices=[*KINDS, "both"], default="rhythm", help="to index")
    parser.add_argument("--baseline", type=int, default=100_000, help="tracks, see above")
    parser.add_argument("--exhaustive", type=int, default=20_000, help="tracks, see above")
    parser.add_argument(
        "--degradations", nargs="+", choices=[*DEGRADATIONS], default=["clean", "mp3 64k"]
    )
    parser.add_argument("--kept", type=int, choices=[1, 2], default=KEYS.kept)
    parser.add_argument("--step", type=int, default=KEYS.step)
    parser.add_argument("--bin-frames", type=int, default=KEYS.bin_frames)
    parser.add_argument("--folder", type=Path, help="where the index is built, and removed again")
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    wanted = [piece for piece in pieces if piece.part is arguments.part]
    held = [piece for piece in pieces if piece not in wanted[1::2]]
    spliced = [source.fingerprint for source in sources_of(pieces, wanted, arguments.part)]
    asked = list(
        queries(
            pieces,
            held,
            arguments.part,
            arguments.degradations,
            arguments.seconds,
            arguments.excerpts,
        )
    )
    last = max(arguments.seconds)
    few = [q for q in asked if q.piece is not None and q.seconds == last][:COLD_QUERIES]
    keys = KeySetting(kept=arguments.kept, step=arguments.step, bin_frames=arguments.bin_frames)
    with TemporaryDirectory(dir=arguments.folder) as folder:
        growing = Growing(
            Path(folder),
            [piece.fingerprint for piece in held],
            spliced,
            arguments.trains,
            arguments.baseline,
            keys,
        )
        for size in arguments.tracks:
            growing.grow(size)
            index = growing.open()
            print_size(growing, index)
            judge(growing, index, asked, arguments.exhaustive)
            del index
            gc.collect()
            judge_cold(growing, few)


if __name__ == "__main__":
    main()

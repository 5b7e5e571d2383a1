"""The index at growing sizes: build rate, bytes a track; what is found, and how long that takes.

    python -m benchmarks.index --music DIR [DIR ...] [--part test] [--tracks 10000 100000]

Indexes every other piece of a set, the *known* ones, and so many synthetic tracks, half of them
spliced from the trains of other pieces (`evaluation.spliced`), half of independent gaps
(`evaluation.synthetic`), in segments of up to 50,000, of which eight are merged, each size on top
of the one before. Excerpts of all pieces of the set are asked for, degraded.

*quick*, *thorough*: the fraction of the excerpts of known pieces whose track is among the
candidates of the quick pass, of the thorough one (`identify.passes`), but no more than one track in
a hundred; *four*: of the thorough one where single keys are read, as of many million tracks
(`FOUR_STEPS`); *exhaustive*: among as many by likelihood, where every track is compared in full, up
to --exhaustive tracks. *first*, *named*: the
identifier puts the right track first, and accepts it. *wrong*: another track is accepted. Seconds
are of the whole identification but for reading the file and its fingerprint, in a warm cache: the
median, and what 95 % of the excerpts do not exceed. Cold: the files are dropped from the page cache
and opened again for each excerpt.

What follows is about chance, and about forty million tracks; see `benchmarks.index_scale`.
"""

import gc
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.among_impostors import AS_PUBLISHED, add_excerpts, excerpts_of, read_asked
from benchmarks.command import command_line, print_machine
from benchmarks.index_scale import print_chance, print_extrapolation
from benchmarks.page_cache import drop_from_cache
from benchmarks.segments import whole_segment
from spotify_pipeline.evaluation.impostors import Source, tracks_of
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.queries import Query
from spotify_pipeline.evaluation.spliced import Splicer
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.building.merge import FAN_IN, merge_segments
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks, write_segment
from spotify_pipeline.index.format.key_setting import KEYS, KINDS, KeySetting
from spotify_pipeline.index.format.segment import Segment, SegmentShard
from spotify_pipeline.index.search.searcher import FOUR_STEPS, Searcher

SEGMENT_TRACKS = 50_000
MEMORY = 2 * 10**9
COLD_EXCERPTS = 8
ONE_IN = 100
"""Candidates are counted up to one track in so many: of more, chance alone would find some."""
SEED = 1

COLUMNS = (
    "condition", "known", "quick", "thorough", "four", "exhaustive", "first", "named",
    "s", "95 %", "unknown", "wrong", "s", "95 %",
)  # fmt: skip


class Growing:
    """An index that grows by segments of synthetic tracks.

    Parameters
    ----------
    folder
        Of its segments.
    known
        What is in it first.
    sources
        What tracks are spliced from.
    trains
        A kind of `KINDS`, or "both".
    keys
        How keys are made.
    """

    def __init__(
        self,
        folder: Path,
        known: Tracks,
        sources: Sequence[Source],
        trains: str,
        keys: KeySetting,
    ) -> None:
        self.paths: list[Path] = []
        self.made, self.seconds = 0, 0.0
        self._folder = folder
        self._trains = trains
        self._keys = keys
        prints = [source.fingerprint for source in sources]
        made: tuple[Splicer | Generator, ...] = Splicer(prints, SEED), Generator(prints, SEED)
        self._generators = cycle(made)
        self._segments = 0
        self._add(known)
        self.seconds = 0.0  # kernels were compiled or loaded

    def grow(self, tracks: int) -> None:
        """Add synthetic tracks until there are so many."""
        while self.made < tracks:
            count = min(SEGMENT_TRACKS, -(-tracks // 2), tracks - self.made)
            self._add(next(self._generators).tracks("0a", count))
            self.made += count

    def open(self, four_steps: int = FOUR_STEPS) -> Searcher:
        """Open the index; see `Searcher`."""
        return Searcher([whole_segment(path) for path in self.paths], four_steps)

    def _add(self, tracks: Tracks) -> None:
        nothing = PackedTracks.none(len(tracks))
        left_out: dict[str, Any] = {
            kind: nothing for kind in KINDS if self._trains not in (kind, "both")
        }
        path = self._new_path()
        started = time.perf_counter()
        shard = SegmentShard(path.name, "", len(tracks))
        write_segment(path, [shard], replace(tracks, **left_out), MEMORY, self._keys)
        self.paths.append(path)
        full = [path for path in self.paths if len(Segment.open(path)) == SEGMENT_TRACKS]
        if len(full) == FAN_IN:
            self._merge(full)
        self.seconds += time.perf_counter() - started

    def _merge(self, paths: list[Path]) -> None:
        merged = self._new_path()
        merge_segments(merged, [whole_segment(path) for path in paths], MEMORY)
        self.paths = [path for path in self.paths if path not in paths] + [merged]
        for path in paths:
            path.unlink()

    def _new_path(self) -> Path:
        self._segments += 1
        return self._folder / f"segment-{self._segments}"


def print_size(growing: Growing) -> None:
    """Print the build rate and bytes a track."""
    segments = [Segment.open(path) for path in growing.paths]
    tracks = sum(map(len, segments))

    def bytes_of(*sections: str) -> str:
        total = sum(s.array(section).nbytes for s in segments for section in sections)
        return f"{total / tracks:,.0f}"

    trains = [name for kind in KINDS for name in (kind, f"{kind}_offsets")]
    postings = sum(segment.info.postings for segment in segments)
    print(
        f"\n{growing.made:,} tracks, built at {growing.made / growing.seconds:,.0f} a second;"
        f" {postings / tracks:,.0f} postings a track; bytes a track: postings"
        f" {bytes_of('postings', 'pages', 'spans')}, trains"
        f" {bytes_of('ids', 'durations', 'starts', *trains)}, harmony"
        f" {bytes_of('harmony', 'harmony_offsets')}",
        flush=True,
    )


@dataclass(frozen=True)
class Outcome:
    """What became of an excerpt of a piece that is in the index, or of one that is not.

    Attributes
    ----------
    recalls
        Of a known one: whether its track is among the candidates, in the order of the columns; NaN
        where nobody has looked.
    first, accepted
        Whether the right track stands first; whether the first one is accepted.
    seconds
        That this took.
    """

    recalls: tuple[float, ...]
    first: bool
    accepted: bool
    seconds: float


def outcome(indexes: Sequence[Searcher], query: Query, exhaustive: int) -> Outcome:
    """Ask for an excerpt: of the index as it is, and as one of many more tracks is read."""
    index = indexes[0]
    identifier = Identifier(index)
    started = time.perf_counter()
    matches = identifier.matches(query.fingerprint, query.samples)
    seconds = time.perf_counter() - started
    accepted = bool(matches) and matches[0].confidence >= THRESHOLD
    if not is_known(query):
        return Outcome((), False, accepted, seconds)
    track = query.excerpt.piece // 2
    llr = QueryLlr.of(query.fingerprint, query.samples)
    quick, thorough = PASSES[1:3]
    most = max(len(index) // ONE_IN, quick.candidates)
    found = [
        searched.candidates(llr.linked(searched), min(attempt.candidates, most), attempt.effort)
        for searched, attempt in ((index, quick), (index, thorough), (indexes[1], thorough))
    ]
    recalls = [float(track in [one.track for one in candidates]) for candidates in found]
    if len(index) <= exhaustive:
        likeliest = index.likeliest(llr.rhythm, min(thorough.candidates, most))
        recalls.append(float(track in [one.track for one in likeliest]))
    else:
        recalls.append(np.nan)
    first = bool(matches) and matches[0].track == track
    return Outcome(tuple(recalls), first, accepted, seconds)


def is_known(query: Query) -> bool:
    """Tell whether the piece is one of those that are indexed."""
    return query.excerpt.piece % 2 == 0


def row(condition: str, known: Sequence[Outcome], unknown: Sequence[Outcome]) -> tuple[str, ...]:
    """Write the figures of a condition."""
    return (
        condition,
        str(len(known)),
        *(percentage(value) for value in np.mean([one.recalls for one in known], axis=0)),
        percentage(float(np.mean([one.first for one in known]))),
        percentage(float(np.mean([one.first and one.accepted for one in known]))),
        *times(known),
        str(len(unknown)),
        percentage(float(np.mean([one.accepted for one in unknown]))),
        *times(unknown),
    )


def times(outcomes: Iterable[Outcome]) -> list[str]:
    """Write the median and the 95 % quantile of seconds."""
    seconds = [one.seconds for one in outcomes]
    return [number(value, 2) for value in np.quantile(seconds, (0.5, 0.95)).tolist()]


def judge(growing: Growing, asked: Sequence[Query], exhaustive: int) -> None:
    """Print what is found of the excerpts, and the times that it takes."""
    indexes = growing.open(), growing.open(four_steps=0)
    Identifier(indexes[0]).matches(asked[0].fingerprint, asked[0].samples)  # files are mapped
    conditions: dict[str, tuple[list[Outcome], list[Outcome]]] = {}
    for query in asked:
        condition = f"{query.excerpt.degradation} {query.excerpt.seconds:g} s"
        known, unknown = conditions.setdefault(condition, ([], []))
        (known if is_known(query) else unknown).append(outcome(indexes, query, exhaustive))
    rows = [row(condition, *outcomes) for condition, outcomes in conditions.items()]
    print(Table(COLUMNS, rows).text(), flush=True)


def judge_cold(growing: Growing, asked: Sequence[Query]) -> None:
    """Print the time of excerpts of which nothing is in the page cache."""
    spent = []
    for query in asked:
        drop_from_cache(growing.paths)
        started = time.perf_counter()
        identifier = Identifier(growing.open())
        opened = time.perf_counter()
        identifier.matches(query.fingerprint, query.samples)
        spent.append((opened - started, time.perf_counter() - opened))
        del identifier
        gc.collect()
    opening, identifying = np.median(spent, axis=0)
    print(
        f"cold, median of {len(asked)} of known pieces: {opening:.2f} s to open the index,"
        f" {identifying:.2f} s to identify",
        flush=True,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Grow an index and judge it at each size."""
    parser = command_line(__doc__)
    add_excerpts(
        parser,
        Part.TEST,
        degradations=("clean", "telephone", "pink 10", "room"),
        lengths=(5.0, 10.0),
        among=AS_PUBLISHED,
    )
    parser.add_argument(
        "--tracks", type=int, nargs="+", default=[10_000, 100_000], help="synthetic ones, by size"
    )
    parser.add_argument("--trains", choices=[*KINDS, "both"], default="rhythm", help="to index")
    parser.add_argument("--exhaustive", type=int, default=20_000, help="tracks, see above")
    parser.add_argument(
        "--kept", type=int, choices=[1, 2], default=KEYS.kept, help="one key of so many is indexed"
    )
    parser.add_argument("--step", type=int, default=KEYS.step, help="frames of a step of a gap")
    parser.add_argument(
        "--bin-frames", type=int, default=KEYS.bin_frames, help="of a time bin, a power of two"
    )
    parser.add_argument("--folder", type=Path, help="where the index is built, and removed again")
    arguments = parser.parse_args(words)
    print_machine()
    pieces, sources = read_asked(arguments)
    asked = list(excerpts_of(pieces, arguments))
    keys = KeySetting(kept=arguments.kept, step=arguments.step, bin_frames=arguments.bin_frames)
    cold = [query for query in asked if is_known(query)][:COLD_EXCERPTS]
    with TemporaryDirectory(dir=arguments.folder) as folder:
        growing = Growing(Path(folder), tracks_of(pieces[::2]), sources, arguments.trains, keys)
        for size in arguments.tracks:
            growing.grow(size)
            print_size(growing)
            judge(growing, asked, arguments.exhaustive)
            judge_cold(growing, cold)
            single = growing.open(four_steps=0)
            segments = [Segment.open(path) for path in growing.paths]
            tracks = [query.excerpt.piece // 2 if is_known(query) else None for query in asked]
            print_chance(single, segments, list(zip(asked, tracks, strict=True)))
            print_extrapolation(single, segments, asked)


if __name__ == "__main__":
    main()

"""Short MP3 excerpts of real music: share identified, position, and unknown pieces left unknown.

    python benchmarks/excerpts.py --music DIR [--seconds 3 5 10 20] [--excerpts 8] [--fit]

The pieces are dealt into a tuning and a reporting half. Excerpts are cut at random and saved as MP3
of 64 kbit/s. *right*: the excerpt's own track comes first, at or above the threshold, against an
index of all pieces; *unknown*: no answer for the same excerpt against an index that lacks its half
of the pieces. --fit chooses the weights of `identify.decision` on the tuning half and prints them;
without it the weights in use are judged.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import soundfile

from spotify_pipeline.demo.excerpt import EXCERPT_RATE, MP3_64_KBIT
from spotify_pipeline.fingerprint import (
    SAMPLE_RATE,
    Fingerprint,
    OnsetTrains,
    codes_of_trains,
    fingerprint,
    trains_of_codes,
)
from spotify_pipeline.identify.decision import THRESHOLD, evidence
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.segment import Segment, SegmentShard
from spotify_pipeline.index.segment_writer import Tracks, write_segment
from spotify_pipeline.recording import AUDIO_SUFFIXES, read_recording

NO_ONSETS = OnsetTrains.from_bands([()] * 8)
FIT_SECONDS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
POSITION_TOLERANCE = 0.1
TUNING, REPORTING = 0, 1


@dataclass(frozen=True)
class Piece:
    """A piece of music, as it would come out of the dump."""

    number: int
    samples: np.ndarray
    duration: float
    rhythm: OnsetTrains
    echoprint: OnsetTrains


@dataclass(frozen=True)
class Excerpt:
    """A query, and the truth about it."""

    piece: int
    start: float
    query: Fingerprint


@dataclass(frozen=True)
class Result:
    """How an excerpt was matched.

    Attributes
    ----------
    known
        The best match in an index of all pieces.
    own
        The match of the excerpt's own track there.
    unknown
        The best match in an index that lacks the excerpt's half of the pieces.
    """

    excerpt: Excerpt
    known: Match | None
    own: Match | None
    unknown: Match | None

    @property
    def first(self) -> bool:
        """Whether the excerpt's own track came first."""
        return self.known is not None and self.known is self.own

    @property
    def right(self) -> bool:
        """Whether it came first and was accepted."""
        return self.first and self.known is not None and self.known.confidence >= THRESHOLD

    @property
    def left_unknown(self) -> bool:
        """Whether nothing was accepted where its track was missing."""
        return self.unknown is None or self.unknown.confidence < THRESHOLD


class Judge:
    """Matches excerpts against the index of all pieces and the indexes of each half."""

    def __init__(self, pieces: Sequence[Piece], folder: Path) -> None:
        self.everything = Identifier(index_of(folder / "all", pieces))
        self.halves = [
            Identifier(index_of(folder / f"{half}", [p for p in pieces if p.number % 2 == half]))
            for half in (TUNING, REPORTING)
        ]

    def result(self, excerpt: Excerpt, query: Fingerprint) -> Result:
        """Match one query."""
        known = self.everything.matches(query)
        unknown = self.halves[1 - excerpt.piece % 2].matches(query)
        own = next((match for match in known if match.track == excerpt.piece), None)
        return Result(excerpt, known[0] if known else None, own, unknown[0] if unknown else None)


def index_of(path: Path, pieces: Sequence[Piece]) -> FeatureIndex:
    """Index pieces in one segment."""
    tracks = Tracks.of(
        [f"{piece.number:022d}" for piece in pieces],
        [piece.duration for piece in pieces],
        [piece.rhythm for piece in pieces],
        [piece.echoprint for piece in pieces],
    )
    write_segment(path, [SegmentShard("0a", "", len(tracks))], tracks, 10**9)
    return FeatureIndex([(Segment.open(path), ["0a"])])


def read_pieces(music: Path) -> list[Piece]:
    """Fingerprint every piece, the Echoprint trains by way of their codes as in the dump."""
    files = sorted(path for path in music.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    pieces = []
    for number, file in enumerate(files):
        recording = read_recording(file)
        found = fingerprint(recording.samples)
        echoprint = trains_of_codes(codes_of_trains(found.echoprint))
        samples = read_recording(file, EXCERPT_RATE).samples
        pieces.append(Piece(number, samples, recording.duration, found.rhythm, echoprint))
    return pieces


def excerpts(pieces: Sequence[Piece], seconds: float, count: int, seed: int) -> Iterator[Excerpt]:
    """Cut excerpts at random and put them through MP3."""
    rng = np.random.default_rng(seed)
    length = round(seconds * EXCERPT_RATE)
    for piece in pieces:
        for _ in range(count):
            first = int(rng.integers(0, max(len(piece.samples) - length, 1)))
            query = fingerprint_of(compressed(piece.samples[first : first + length]))
            yield Excerpt(piece.number, first / EXCERPT_RATE, query)


def compressed(samples: np.ndarray) -> np.ndarray:
    """Put samples of `EXCERPT_RATE` through MP3 of 64 kbit/s."""
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        EXCERPT_RATE,
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=MP3_64_KBIT,
    )
    file.seek(0)
    decoded: np.ndarray = soundfile.read(file, dtype="float32")[0]
    return decoded


def fingerprint_of(samples: np.ndarray) -> Fingerprint:
    """Fingerprint samples of `EXCERPT_RATE`."""
    return fingerprint(librosa.resample(samples, orig_sr=EXCERPT_RATE, target_sr=SAMPLE_RATE))


def report(judge: Judge, pieces: Sequence[Piece], seconds: float, count: int) -> None:
    """Print how pieces do at one length."""
    found = [judge.result(e, e.query) for e in excerpts(pieces, seconds, count, seed=2)]
    errors = np.array(
        [abs(r.known.offset - r.excerpt.start) for r in found if r.right and r.known is not None]
    )
    print(
        f"{seconds:5.0f} s  {len(found):7d}  {np.mean([r.first for r in found]):6.1%}"
        f"  {np.mean([r.right for r in found]):6.1%}"
        f"  {np.mean([r.left_unknown for r in found]):7.1%}"
        f"  {np.mean(errors <= POSITION_TOLERANCE):12.1%}  {1000 * np.median(errors):9.1f} ms",
        flush=True,
    )


def fit(judge: Judge, pieces: Sequence[Piece], count: int) -> None:
    """Choose the weights of the decision on some pieces, and print them."""
    from sklearn.linear_model import LogisticRegression

    evidences: dict[str, list[tuple[float, ...]]] = {"rhythm": [], "echoprint": []}
    labels: dict[str, list[int]] = {"rhythm": [], "echoprint": []}
    for seconds in FIT_SECONDS:
        for excerpt in excerpts(pieces, seconds, count, seed=1):
            queries = {
                "rhythm": Fingerprint(NO_ONSETS, excerpt.query.rhythm),
                "echoprint": Fingerprint(excerpt.query.echoprint, NO_ONSETS),
            }
            for kind, query in queries.items():
                result = judge.result(excerpt, query)
                for match, label in ((result.own, 1), (result.unknown, 0)):
                    if match is not None:
                        evidences[kind].append(evidence(match.alignment))
                        labels[kind].append(label)
    for kind, samples in evidences.items():
        model = LogisticRegression(C=1000.0, max_iter=10_000).fit(np.array(samples), labels[kind])
        gap, coverage, onsets = model.coef_[0]
        print(
            f"{kind}: EvidenceWeights(intercept={model.intercept_[0]:.2f}, gap={gap:.2f},"
            f" coverage={coverage:.1f}, onsets={onsets:.2f})  # {len(samples)} alignments",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0, 5.0, 10.0, 20.0])
    parser.add_argument("--excerpts", type=int, default=8, help="for each piece and length")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    pieces = read_pieces(arguments.music)
    with TemporaryDirectory() as folder:
        judge = Judge(pieces, Path(folder))
        if arguments.fit:
            fit(judge, pieces[TUNING::2], arguments.excerpts)
        for name, half in (("tuning", TUNING), ("reporting", REPORTING)):
            print(f"\n{name} half of {len(pieces)} pieces; threshold {THRESHOLD}")
            print(" length  queries   first   right  unknown  within 0.1 s  median error")
            for seconds in arguments.seconds:
                report(judge, pieces[half::2], seconds, arguments.excerpts)


if __name__ == "__main__":
    main()

"""The tracks that stand against an excerpt's piece: which kinds there are, and whom they may be of.

Impostors with the beats of real music are spliced from pieces that whoever is judged has not
learned from either: for the test set from training and validation pieces, for the validation set
from training pieces alone. Pieces that are asked for are never spliced: a part of the right answer
would be in the index that is to lack it.

Belongs here: the mixture. Does not belong here: how each kind is made (`spliced`, `synthetic`,
`documents`), whom is asked (`judge`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np

from spotify_pipeline.evaluation.documents import read_documents
from spotify_pipeline.evaluation.harmonies import spliced_harmony
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.spliced import Splicer
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.fingerprint import Fingerprint, pack_trains, unpack_trains
from spotify_pipeline.harmony import Segments, pack_harmony, unpack_harmony
from spotify_pipeline.index.building.segment_writer import PackedTracks, Tracks
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["Impostors", "Kind", "Source", "sources_of", "tracks_of"]

SEED = 3

MOST_DOCUMENTS_SPLICED = 500
"""Where tracks are spliced from documents."""


class Kind(StrEnum):
    """What a track of an index is."""

    PIECE = "piece"
    DOCUMENT = "document"
    SPLICED = "spliced"
    INDEPENDENT = "independent gaps"


SOURCES = {Part.VALIDATION: (Part.TRAINING,), Part.TEST: (Part.TRAINING, Part.VALIDATION)}
"""Parts whose pieces are spliced, by the part that is asked for."""


@dataclass(frozen=True)
class Source:
    """Music that may be spliced: a piece's or document's fingerprint and harmony."""

    fingerprint: Fingerprint
    harmony: Segments = field(default_factory=Segments.none)


def sources_of(pieces: Sequence[Piece], asked: Sequence[Piece], part: Part) -> list[Source]:
    """Give those pieces that may be spliced.

    Parameters
    ----------
    pieces, part
        As of `pieces.asked_pieces`.
    asked
        What that gave: none of these may be spliced.
    """
    files = {piece.file for piece in asked}
    return [
        Source(piece.fingerprint, piece.harmony)
        for piece in pieces
        if piece.part in SOURCES[part] and piece.file not in files
    ]


@dataclass(frozen=True)
class Impostors:
    """Tracks by their kind; documents have names."""

    tracks: Mapping[Kind, Tracks]
    names: Sequence[str] = ()

    @classmethod
    def made(
        cls,
        asked: Sequence[Fingerprint],
        sources: Sequence[Source],
        distractors: int,
        spliced: int,
        documents: Sequence[Path] = (),
        warn: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Read documents, and make the rest.

        Parameters
        ----------
        asked
            The pieces that are asked for.
        sources
            Other pieces. Where there are none, tracks are spliced from the documents; without
            documents nothing is spliced, and gaps are those of the pieces asked for.
        distractors
            Synthetic tracks, of both kinds together.
        spliced
            How many of them are spliced; the others have independent gaps.
        documents
            Files as of `documents.read_documents`.
        warn
            Called with a line if tracks can't be spliced as was asked for.

        Raises
        ------
        EvaluationError, CompressionError
            As of `documents.read_documents`.
        """
        names, real = _read(documents)
        if spliced and not sources:
            sources = _sources(real, MOST_DOCUMENTS_SPLICED)
            warn(
                "there is no piece but those that are asked for:"
                + (
                    " tracks are spliced from the documents"
                    if sources
                    else " all synthetic tracks have independent gaps, which are easily told from"
                    " music; figures are too good. More music or documents make them fair"
                )
            )
            spliced = spliced if sources else 0
        gaps = Generator([one.fingerprint for one in sources] or asked, SEED)
        made = {Kind.DOCUMENT: real}
        independent = gaps.tracks("0b", distractors - spliced)
        if spliced:
            made[Kind.SPLICED], independent = _spliced(sources, spliced, independent)
        made[Kind.INDEPENDENT] = independent
        return cls({kind: tracks for kind, tracks in made.items() if len(tracks)}, names)

    def without_harmony(self) -> Self:
        """Give the same tracks, of whose harmony nothing is known."""
        tracks = {
            kind: replace(tracks, harmony=PackedTracks.none(len(tracks)))
            for kind, tracks in self.tracks.items()
        }
        return replace(self, tracks=tracks)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many there are of each kind."""
        return {kind: len(tracks) for kind, tracks in self.tracks.items()}

    def named(self, number: int) -> tuple[Kind, str]:
        """Give kind and name of a track, numbered through all kinds."""
        for kind, tracks in self.tracks.items():
            if number < len(tracks):
                return kind, self.names[number] if kind is Kind.DOCUMENT else f"{kind} {number}"
            number -= len(tracks)
        raise IndexError(number)


def tracks_of(pieces: Sequence[Piece | Source]) -> Tracks:
    """Take music for tracks, with their numbers as ids."""
    return Tracks.of(
        [f"{number:022d}" for number in range(len(pieces))],
        [None] * len(pieces),
        [piece.fingerprint.rhythm for piece in pieces],
        [piece.fingerprint.echoprint for piece in pieces],
        [piece.harmony for piece in pieces],
    )


def _read(files: Sequence[Path]) -> tuple[list[str], Tracks]:
    """Read documents, whose trains are packed as they come; gives their names too."""
    names, durations, rhythm, echoprint, harmony = [], [], [], [], []
    for document in read_documents(files):
        names.append(document.name)
        durations.append(document.duration)
        rhythm.append(pack_trains(document.fingerprint.rhythm))
        echoprint.append(pack_trains(document.fingerprint.echoprint))
        harmony.append(pack_harmony(document.harmony) if len(document.harmony) else b"")
    ids = np.array([f"{number:022d}" for number in range(len(names))], f"S{TRACK_ID_LENGTH}")
    seconds = np.array([np.nan if d is None else d for d in durations], np.float32)
    packed = [PackedTracks.of(one) for one in (rhythm, echoprint, harmony)]
    return names, Tracks(ids, seconds, *packed)


def _spliced(sources: Sequence[Source], count: int, independent: Tracks) -> tuple[Tracks, Tracks]:
    """Splice so many tracks, and the harmony of those that have independent gaps; gives both."""
    kept = [source for source in sources if len(source.fingerprint.rhythm)]
    splicer = Splicer([source.fingerprint for source in kept], SEED)
    stretches = splicer.drawn(count)
    tracks = splicer.played("0a", stretches)
    harmonies = [source.harmony for source in kept]
    if all(len(harmony) for harmony in harmonies):
        others = splicer.drawn(len(independent))
        tracks = replace(tracks, harmony=spliced_harmony(harmonies, stretches))
        independent = replace(independent, harmony=spliced_harmony(harmonies, others))
    return tracks, independent


def _sources(tracks: Tracks, most: int) -> list[Source]:
    """Unpack the first of some tracks."""

    def unpacked(packed: PackedTracks, track: int) -> bytes:
        return packed.content[packed.offsets[track] : packed.offsets[track + 1]].tobytes()

    def harmony(track: int) -> Segments:
        packed = unpacked(tracks.harmony, track)
        return unpack_harmony(packed) if packed else Segments.none()

    return [
        Source(
            Fingerprint(
                echoprint=unpack_trains(unpacked(tracks.echoprint, track)),
                rhythm=unpack_trains(unpacked(tracks.rhythm, track)),
            ),
            harmony(track),
        )
        for track in range(min(len(tracks), most))
    ]

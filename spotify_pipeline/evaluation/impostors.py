"""The tracks that stand against an excerpt's piece: which kinds there are, and whom they may be of.

Impostors with the beats of real music are spliced from pieces that whoever is judged has not
learned from either: for the test set from training and validation pieces, for the validation set
from training pieces alone. Pieces that are asked for are never spliced: a part of the right answer
would be in the index that is to lack it.

Belongs here: the mixture. Does not belong here: how each kind is made (`spliced`, `synthetic`,
`documents`), whom is asked (`judge`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np

from spotify_pipeline.evaluation.documents import read_documents
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.spliced import Splicer
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.fingerprint import Fingerprint, pack_trains, unpack_trains
from spotify_pipeline.index.segment_writer import PackedTrains, Tracks
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["Impostors", "Kind", "sources_of", "tracks_of"]

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


def sources_of(pieces: Sequence[Piece], asked: Sequence[Piece], part: Part) -> list[Fingerprint]:
    """Give the fingerprints of those pieces that may be spliced.

    Parameters
    ----------
    pieces, part
        As of `pieces.asked_pieces`.
    asked
        What that gave: none of these may be spliced.
    """
    files = {piece.file for piece in asked}
    return [
        piece.fingerprint
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
        sources: Sequence[Fingerprint],
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
            sources = _fingerprints(real, MOST_DOCUMENTS_SPLICED)
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
        gaps = Generator(sources or asked, SEED)
        made = {Kind.DOCUMENT: real}
        if spliced:
            made[Kind.SPLICED] = Splicer(sources, SEED).tracks("0a", spliced)
        made[Kind.INDEPENDENT] = gaps.tracks("0b", distractors - spliced)
        return cls({kind: tracks for kind, tracks in made.items() if len(tracks)}, names)

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


def tracks_of(fingerprints: Sequence[Fingerprint]) -> Tracks:
    """Take fingerprints for tracks, with their numbers as ids."""
    return Tracks.of(
        [f"{number:022d}" for number in range(len(fingerprints))],
        [None] * len(fingerprints),
        [made.rhythm for made in fingerprints],
        [made.echoprint for made in fingerprints],
    )


def _read(files: Sequence[Path]) -> tuple[list[str], Tracks]:
    """Read documents, whose trains are packed as they come; gives their names too."""
    names, durations, rhythm, echoprint = [], [], [], []
    for document in read_documents(files):
        names.append(document.name)
        durations.append(document.duration)
        rhythm.append(pack_trains(document.fingerprint.rhythm))
        echoprint.append(pack_trains(document.fingerprint.echoprint))
    ids = np.array([f"{number:022d}" for number in range(len(names))], f"S{TRACK_ID_LENGTH}")
    seconds = np.array([np.nan if d is None else d for d in durations], np.float32)
    return names, Tracks(ids, seconds, PackedTrains.of(rhythm), PackedTrains.of(echoprint))


def _fingerprints(tracks: Tracks, most: int) -> list[Fingerprint]:
    """Unpack the first of some tracks."""

    def unpacked(trains: PackedTrains, track: int) -> bytes:
        return trains.content[trains.offsets[track] : trains.offsets[track + 1]].tobytes()

    return [
        Fingerprint(
            echoprint=unpack_trains(unpacked(tracks.echoprint, track)),
            rhythm=unpack_trains(unpacked(tracks.rhythm, track)),
        )
        for track in range(min(len(tracks), most))
    ]

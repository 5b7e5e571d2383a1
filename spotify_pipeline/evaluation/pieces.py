"""The pieces of music that an evaluation is made of.

Belongs here: which files of some folders count, and their fingerprints. Does not belong here: which
piece is in which set (`parts`), excerpts (`queries`), synthetic tracks (`spliced`, `synthetic`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.errors import EvaluationError
from spotify_pipeline.evaluation.harmonies import disturbed_harmony
from spotify_pipeline.evaluation.parts import Part, part_of, piece_key
from spotify_pipeline.fingerprint import Fingerprint, fingerprint
from spotify_pipeline.harmony import Segments
from spotify_pipeline.progress import Report
from spotify_pipeline.recording import RecordingError, audio_files, printable, read_for_fingerprint

__all__ = ["SHORTEST_PIECE", "Piece", "asked_pieces", "read_pieces", "without_harmony"]

SHORTEST_PIECE = 30.0
"""Seconds; shorter ones are left out."""

FEWEST_PIECES = 2
"""One to ask for, and one that is left when the first is taken out of the index."""


FEWEST_ASKED = 4
"""Two of each of the groups that are taken out of the index in turn."""


@dataclass(frozen=True)
class Piece:
    """A file of music, its fingerprint, and its segments as an analyzer might have made them."""

    file: Path
    fingerprint: Fingerprint
    harmony: Segments = field(default_factory=Segments.none)

    @property
    def name(self) -> str:
        """The file's name without its ending, as text that any encoding of Unicode takes."""
        return printable(Path(self.file.stem))

    @property
    def key(self) -> int:
        """A number that is the same for every file of this name."""
        return piece_key(self.file)

    @property
    def part(self) -> Part:
        """The training, validation or test set."""
        return part_of(self.file)


def asked_pieces(pieces: Sequence[Piece], part: Part, warn: Callable[[str], None]) -> list[Piece]:
    """Give the pieces of the validation or the test set.

    Where the test set is too small, these are all pieces, so that a handful of one's own music can
    be asked for; nothing was chosen on that. A validation set can't be filled up: what is chosen on
    it would be reported on.

    Parameters
    ----------
    pieces
        All that there are.
    part
        Whose pieces are asked for.
    warn
        Called with a line if there are too few.

    Raises
    ------
    EvaluationError
        The validation set has too few pieces.
    """
    asked = [piece for piece in pieces if piece.part is part]
    if len(asked) >= FEWEST_ASKED:
        return asked
    found = f"{len(asked)} of {len(pieces)} pieces belong to the {part} set"
    if part is not Part.TEST:
        raise EvaluationError(f"{found}; it takes {FEWEST_ASKED} or more: give more music")
    warn(f"{found}, which is too few: all pieces are asked for")
    return list(pieces)


def read_pieces(
    folders: Sequence[Path], report: Report, warn: Callable[[str], None]
) -> list[Piece]:
    """Fingerprint the music below some folders, folder by folder in the order of the files' names.

    Of files that sound alike to the last onset, the first counts.

    Parameters
    ----------
    folders
        Each is searched through with all that lies below it.
    report
        Called with files read, files in all.
    warn
        Called with a line for each file that is left out.

    Raises
    ------
    EvaluationError
        There is no such folder, or too little music in all of them.
    RecordingError
        There is no audio file in one of them.
    """
    for folder in folders:
        if not folder.is_dir():
            raise EvaluationError(
                f"{printable(folder)}: no such folder; name one that holds some dozen pieces of"
                " music"
            )
    files = [file for folder in folders for file in audio_files(folder)]
    pieces: list[Piece] = []
    known: dict[bytes, Path] = {}
    for number, file in enumerate(files):
        report(number, len(files), "reading the music")
        try:
            recording = read_for_fingerprint(file)
        except RecordingError as error:
            warn(f"left out: {error}")
            continue
        if recording.duration < SHORTEST_PIECE:
            warn(f"left out: {printable(file)}: shorter than {SHORTEST_PIECE:.0f} s")
            continue
        made = fingerprint(recording.samples)
        same = known.setdefault(made.rhythm.frames.tobytes(), file)
        if same is file:
            rng = np.random.default_rng(piece_key(file))
            harmony = disturbed_harmony(recording.samples, made.rhythm, rng)
            pieces.append(Piece(file, made, harmony))
        else:
            warn(f"left out: {printable(file)}: the same music as {printable(same)}")
    if len(pieces) < FEWEST_PIECES:
        raise EvaluationError(
            f"{', '.join(map(printable, folders))}: an evaluation needs {FEWEST_PIECES} readable"
            f" pieces of {SHORTEST_PIECE:.0f} s or more, better some dozens; there"
            f" {'is 1' if pieces else 'are none'}"
        )
    return pieces


def without_harmony(pieces: Sequence[Piece]) -> list[Piece]:
    """Give pieces as of an index that has no harmony of them."""
    return [replace(piece, harmony=Segments.none()) for piece in pieces]

"""The pieces of music that an evaluation is made of.

Belongs here: which files of a folder count, and their fingerprints. Does not belong here: excerpts
(`queries`), tracks made up after the pieces (`synthetic`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.evaluation.errors import EvaluationError
from spotify_pipeline.fingerprint import Fingerprint, fingerprint
from spotify_pipeline.progress import Report
from spotify_pipeline.recording import RecordingError, audio_files, printable, read_for_fingerprint

__all__ = ["SHORTEST_PIECE", "Piece", "read_pieces"]

SHORTEST_PIECE = 30.0
"""Seconds; shorter ones are left out."""

FEWEST_PIECES = 2
"""One to choose thresholds on, one to report on."""


@dataclass(frozen=True)
class Piece:
    """A file of music, and its fingerprint."""

    file: Path
    fingerprint: Fingerprint


def read_pieces(folder: Path, report: Report, warn: Callable[[str], None]) -> list[Piece]:
    """Fingerprint the music below a folder, in the order of the files' names.

    Of files that sound alike to the last onset, the first counts.

    Parameters
    ----------
    folder
        Searched through with all that lies below it.
    report
        Called with files read, files in all.
    warn
        Called with a line for each file that is left out.

    Raises
    ------
    EvaluationError
        There is no such folder, or too little music in it.
    RecordingError
        There is no audio file in it.
    """
    if not folder.is_dir():
        raise EvaluationError(
            f"{printable(folder)}: no such folder; name one that holds some dozen pieces of music"
        )
    files = audio_files(folder)
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
            pieces.append(Piece(file, made))
        else:
            warn(f"left out: {printable(file)}: the same music as {printable(same)}")
    if len(pieces) < FEWEST_PIECES:
        raise EvaluationError(
            f"{printable(folder)}: an evaluation needs {FEWEST_PIECES} readable pieces of"
            f" {SHORTEST_PIECE:.0f} s or more, better some dozens; there"
            f" {'is 1' if pieces else 'are none'}"
        )
    return pieces

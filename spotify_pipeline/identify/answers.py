"""Recordings to answers that a person or a program can read.

Belongs here: file after file, and what becomes of one that can't be read. Does not belong here: one
recording's answer (`detector`).
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.detector import Answer, Detector
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.recording import RecordingError, printable

__all__ = ["Failure", "answer_files"]


class Failure(msgspec.Struct, frozen=True):
    """Why there is no answer for a file."""

    file: str
    error: str


def answer_files(
    files: Iterable[Path],
    index_folder: Path,
    metadata_database: Path,
    *,
    limit: int = 5,
    threshold: float = THRESHOLD,
    popularity: float = 0.0,
    seconds: float = math.inf,
    observer: Callable[[Evidence], None] | None = None,
) -> Iterator[Answer | Failure]:
    """Identify recordings one after the other; one that can't be read does not stop the rest.

    Parameters
    ----------
    files
        Audio, or fingerprints as `query.read_query` takes them.
    index_folder, metadata_database, popularity
        As of `Detector.opened`.
    limit, threshold, observer
        As of `Detector.identify`; the observer comes before the answer.
    seconds
        After so many no more work is begun on a recording that has been read.

    Raises
    ------
    FeatureIndexError
        There is no index, or it can't be read.
    DatabaseError
        The metadata can't be read.
    """
    with Detector.opened(index_folder, metadata_database, popularity) as detector:
        for file in files:
            started = time.perf_counter()
            try:
                answer = detector.identify(
                    read_query(file),
                    limit=limit,
                    threshold=threshold,
                    deadline=Deadline(seconds),
                    observer=observer,
                )
            except RecordingError as error:
                yield Failure(printable(file), str(error))
                continue
            elapsed = round(time.perf_counter() - started, 3)
            yield msgspec.structs.replace(answer, elapsed=elapsed)

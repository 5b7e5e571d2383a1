"""From a recording to the tracks that it is of, by name: the one way, whoever asks.

A detector has an index and a catalogue open. When another index was published, a detector of that
one is made from it; whoever still asks the old one gets its answer.

Belongs here: one recording, one answer. Does not belong here: reading recordings (`query`), many of
them (`answers`), long ones (`timeline`); matching (`identifier`), names (`named_matches`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.named_matches import NamedMatch, name_matches
from spotify_pipeline.identify.passes import PASSES, Pass
from spotify_pipeline.identify.popularity import popularity_prior
from spotify_pipeline.identify.query import Query
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.recording import RecordingError

__all__ = ["Answer", "Detector"]


class Answer(msgspec.Struct, frozen=True):
    """What is known of a recording; no matches mean unknown. Durations are in seconds.

    Attributes
    ----------
    complete
        Whether all was tried: not where a deadline came first.
    """

    file: str
    duration: float | None
    identified: bool
    matches: tuple[NamedMatch, ...]
    elapsed: float
    complete: bool = True


class Detector:
    """Names what recordings are of.

    Parameters
    ----------
    index
        That is asked.
    catalog
        Open; names are left out where it has none.
    popularity
        How much it counts (`popularity.popularity_prior`).
    """

    def __init__(self, index: Searcher, catalog: Catalog, popularity: float = 0.0) -> None:
        self.identifier = Identifier(index, prior=popularity_prior(catalog, index, popularity))
        self.catalog = catalog
        self._popularity = popularity

    @property
    def index(self) -> Searcher:
        """That is asked."""
        return self.identifier.index

    @classmethod
    @contextmanager
    def opened(
        cls, index_folder: Path, metadata_database: Path, popularity: float = 0.0
    ) -> Iterator["Detector"]:
        """Open the index and the catalogue once: that takes longer than asking.

        Raises
        ------
        FeatureIndexError
            There is no index, or it can't be read.
        DatabaseError
            The metadata can't be read.
        """
        index = Searcher.open(index_folder)
        with index, Catalog(metadata_database) as catalog:
            yield cls(index, catalog, popularity)

    def refreshed(self) -> "Detector":
        """Give a detector of the index that counts now; this one if it still does.

        Raises
        ------
        FeatureIndexError
            The new index can't be read.
        """
        index = self.index.refreshed()
        return self if index is self.index else Detector(index, self.catalog, self._popularity)

    def identify(
        self,
        query: Query,
        *,
        limit: int = 5,
        threshold: float = THRESHOLD,
        deadline: Deadline | None = None,
        observer: Callable[[Evidence], None] | None = None,
        passes: Sequence[Pass] = PASSES,
    ) -> Answer:
        """Say which track a recording is of, and where in it.

        Parameters
        ----------
        query
            The recording.
        limit
            Matches to give at the most.
        threshold
            The least confidence of a match.
        deadline
            After it no more work is begun: the answer is what was found by then.
        observer
            Is shown the best match, be it accepted or not, unless no track comes near.
        passes
            Attempts, until one decides.

        Raises
        ------
        RecordingError
            The index holds nothing that the recording could be compared with.
        FeatureIndexError, DatabaseError
            The index or the metadata can't be read.
        """
        started = time.perf_counter()
        if len(self.index) and not self.index.looks_up(query.fingerprint):
            raise RecordingError(
                f"{query.name}: the index holds no onset trains of its kind; for a lone"
                " echoprintstring, set SPOTIFY_PIPELINE_INDEX=both and run the job 'index'"
            )
        deadline = deadline or Deadline()
        found = self.identifier.matches(query.fingerprint, query.samples, passes, deadline)
        sure = [match for match in found if match.confidence >= threshold]
        matches, named = name_matches(sure, self.catalog)
        if observer is not None and found:
            best, name = (matches, named) if sure else name_matches(found[:1], self.catalog)
            observer(_evidence(query, bool(sure), best[0], name[0]))
        return Answer(
            file=query.name,
            duration=None if query.duration is None else round(query.duration, 3),
            identified=bool(named),
            matches=named[:limit],
            elapsed=round(time.perf_counter() - started, 3),
            complete=not deadline.missed,
        )


def _evidence(query: Query, accepted: bool, match: Match, named: NamedMatch) -> Evidence:
    return Evidence.gathered(query.name, accepted, match, named, query.fingerprint)

"""The onsets that the decision on a recording rests on, for a person to look at.

Belongs here: what a plot or a table of an alignment is made of. Does not belong here: judging it
(`decision`), and drawing it (`plot`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Bools
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.identify.named_matches import NamedMatch
from spotify_pipeline.index.kernels.alignment import TOLERANCES, aligned_onsets

__all__ = ["Evidence"]


@dataclass(frozen=True)
class Evidence:
    """A recording beside the track that it matches best, whether that was accepted or not.

    Attributes
    ----------
    file
        The recording.
    accepted
        The match is given as an answer.
    match, named
        The best match.
    query, track
        Onset trains of the kind that decides, of the whole recording and the whole track.
    tolerance
        Frames by which an onset may be off.
    """

    file: str
    accepted: bool
    match: Match
    named: NamedMatch
    query: OnsetTrains
    track: OnsetTrains
    tolerance: int

    @classmethod
    def gathered(
        cls,
        file: str,
        accepted: bool,
        match: Match,
        named: NamedMatch,
        recording: Fingerprint,
    ) -> Self:
        """Put the recording's trains to the speed of the track, beside the track's."""
        query: OnsetTrains = getattr(recording.at_speed(match.speed), match.kind)
        return cls(file, accepted, match, named, query, match.trains, TOLERANCES[match.kind])

    @property
    def offset(self) -> int:
        """Frame of the track at which the recording begins."""
        return round(self.match.offset * FRAMES_PER_SECOND)

    @cached_property
    def aligned(self) -> Bools:
        """Which of the recording's onsets have one of the track's beside them."""
        return aligned_onsets(self.query, self.track, self.tolerance, self.offset)

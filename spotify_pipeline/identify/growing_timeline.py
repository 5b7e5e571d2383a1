"""A timeline that grows while the recording is still going on.

What was told stays told: a part is given once the audio after it can hardly change it.

Belongs here: what is known so far, and which parts of it are settled. Does not belong here: what
plays when in a recording that is known (`segmentation`), names (`timeline`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from spotify_pipeline.fingerprint import InferredRecording, StreamInference
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.plays import WINDOW_SECONDS, Vote, votes_of_window, windows
from spotify_pipeline.identify.segmentation import Stretch, segment_by_votes
from spotify_pipeline.index.search.searcher import Searcher

__all__ = ["GrowingTimeline"]

SETTLED = 2 * WINDOW_SECONDS
"""Seconds of audio after a part that can change its end: windows lie across it. Set by hand."""


class GrowingTimeline:
    """What plays when, of audio that comes in blocks.

    Each of its methods does a bounded piece of work, so that many timelines can share a thread:
    take samples, ask `vote` until nothing is left, then `settled`; and again after `end`.

    Parameters
    ----------
    threshold
        The least confidence of a part; it is unknown otherwise.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._inference = StreamInference()
        self._recording: InferredRecording | None = None
        self._threshold = threshold
        self._votes: list[Vote] = []
        self._voted = 0
        self._told = 0.0
        self._ended = False

    @property
    def known(self) -> float:
        """Seconds that inference has been run on."""
        return self._inference.seconds

    def push(self, samples: Float32s) -> bool:
        """Take the next samples, mono at 11025 Hz; tells whether more is known than before.

        Raises
        ------
        AudioError
            A sample is not finite.
        """
        before = self.known
        self._inference.push(samples)
        if self.known == before:
            return False
        self._recording = self._inference.known()
        return True

    def end(self) -> None:
        """Take what has come for all that comes."""
        self._inference.end()
        self._recording = self._inference.known()
        self._ended = True

    def vote(self, identifier: Identifier) -> bool:
        """Identify the next window; False if none is left.

        The identifier's index is the same each time.
        """
        window = next(iter(self._windows_left()), None)
        if window is None or self._recording is None:
            return False
        self._votes += votes_of_window(self._recording, window, identifier)
        self._voted += 1
        return True

    def settled(self, index: Searcher) -> list[Stretch]:
        """Give the parts that have not been given yet and will not change; all of them at the end.

        Raises
        ------
        FeatureIndexError
            The index is damaged.
        """
        if self._recording is None:
            return []
        found = segment_by_votes(self._recording, self._votes, index, self._threshold)
        if not self._ended:
            found = [one for one in found[:-1] if one.end <= self.known - SETTLED]
        fresh = list(_after(found, self._told))
        self._told = max([self._told, *(one.end for one in fresh)])
        return fresh

    def _windows_left(self) -> list[tuple[float, float]]:
        every = windows(self.known) if self._recording is not None else []
        return [
            (begin, middle)
            for begin, middle in every[self._voted :]
            if self._ended or begin + WINDOW_SECONDS <= self.known
        ]


def _after(stretches: Iterable[Stretch], told: float) -> Iterator[Stretch]:
    """Cut off what has been told already."""
    for one in stretches:
        if one.end <= told:
            continue
        passed = max(told - one.start, 0.0)
        yield replace(
            one,
            start=one.start + passed,
            position=one.position + passed if one.track is not None else 0.0,
            also_at=tuple(at + passed for at in one.also_at),
        )

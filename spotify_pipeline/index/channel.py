"""One kind of onset trains in the index: posting lists, and the trains to verify candidates on.

Belongs here: the arrays of one channel, how they are built, and the lookup of features. Does not
belong here: files (`feature_index`) and the ranking of candidates (`search`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s, Int32s, Int64s, UInt32s
from spotify_pipeline.index.features import FeatureSetting, features

__all__ = ["Channel", "Hits"]

Element = TypeVar("Element", bound=np.generic)


@dataclass(frozen=True)
class Hits:
    """Postings of looked-up features, one entry each; arrays of shape (hits,).

    Attributes
    ----------
    tracks
        uint32, number of the track.
    offsets
        int32, frame of the posting less the frame of the feature that was looked up.
    weights
        float32, rarity of the feature: the logarithm of all postings over its own.
    """

    tracks: UInt32s
    offsets: Int32s
    weights: Float32s


@dataclass(frozen=True)
class Channel:
    """Posting lists and trains of all tracks; the arrays may be memory-mapped.

    Attributes
    ----------
    features
        uint32 of shape (distinct features,), ascending.
    starts
        int64 of shape (distinct features + 1,): feature k has the postings from starts[k] up to
        starts[k + 1].
    posting_tracks, posting_frames
        uint32 and int32 of shape (postings,).
    train_frames
        int32 of shape (onsets,): the trains of all tracks, track by track and band by band.
    train_bounds
        int64 of shape (8 * tracks + 1,): where each band of each track begins.
    """

    features: UInt32s
    starts: Int64s
    posting_tracks: UInt32s
    posting_frames: Int32s
    train_frames: Int32s
    train_bounds: Int64s

    @classmethod
    def build(cls, trains: Iterable[OnsetTrains], setting: FeatureSetting) -> "Channel":
        """Index the trains of tracks 0, 1, 2, ..."""
        made, frames, counts, train_frames, train_counts = [], [], [], [], []
        for track in trains:
            track_features, track_frames = features(track, setting)
            made.append(track_features)
            frames.append(track_frames)
            counts.append(len(track_features))
            train_frames.append(track.frames)
            train_counts.append(track.counts)
        all_features = _joined(made, np.uint32)
        order = np.argsort(all_features, kind="stable")
        distinct, first = np.unique(all_features[order], return_index=True)
        return cls(
            features=distinct,
            starts=np.append(first, len(all_features)).astype(np.int64),
            posting_tracks=np.repeat(np.arange(len(counts), dtype=np.uint32), counts)[order],
            posting_frames=_joined(frames, np.int32)[order],
            train_frames=_joined(train_frames, np.int32),
            train_bounds=np.insert(np.cumsum(_joined(train_counts, np.int64)), 0, 0),
        )

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Name the arrays, in the order in which the constructor takes them."""
        return tuple(field.name for field in fields(cls))

    def trains(self, track: int) -> OnsetTrains:
        """Give the trains of a track."""
        bounds = self.train_bounds[BANDS * track : BANDS * (track + 1) + 1]
        frames = np.asarray(self.train_frames[bounds[0] : bounds[-1]])
        return OnsetTrains(frames, np.asarray(bounds - bounds[0]))

    def look_up(self, features: UInt32s, frames: Int32s) -> Hits:
        """Give the postings of features that begin at the given frames of a query."""
        places = np.searchsorted(self.features, features)
        known = places < len(self.features)
        known[known] = self.features[places[known]] == features[known]
        places, frames = places[known], frames[known]
        first = self.starts[places]
        counts = self.starts[places + 1] - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        postings = np.arange(total) + np.repeat(first - (ends - counts), counts)
        weights = np.log(len(self.posting_tracks) / np.maximum(counts, 1)).astype(np.float32)
        return Hits(
            tracks=self.posting_tracks[postings],
            offsets=self.posting_frames[postings] - np.repeat(frames, counts),
            weights=np.repeat(weights, counts),
        )


def _joined(arrays: Sequence[npt.NDArray[Element]], dtype: type[Element]) -> npt.NDArray[Element]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)

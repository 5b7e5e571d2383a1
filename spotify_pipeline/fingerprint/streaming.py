"""Audio that comes in blocks to its fingerprint and LLRs, without ever holding all of it.

Whitening and thresholds forget what was long ago, so inference runs on each stretch by
itself, with some audio before it.

Belongs here: stretches, and what was inferred of them put together. Does not belong here: decoding
files (`spotify_pipeline.recording`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s, Int8s
from spotify_pipeline.fingerprint.audio import Fingerprint, fingerprint
from spotify_pipeline.fingerprint.onset_features import LLR_BIN_FRAMES
from spotify_pipeline.fingerprint.onset_llr import frame_llr, frame_llr_of_onsets
from spotify_pipeline.fingerprint.trains import (
    BANDS,
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    SAMPLE_RATE,
    OnsetTrains,
)

__all__ = ["InferredRecording", "StreamInference", "infer_stream"]

STRETCH_FRAMES = 20_000
"""58 s. Like `LEAD_FRAMES`, a multiple of whitening blocks: they lie as in the whole recording."""

LEAD_FRAMES = 12_500
"""36 s of audio before a stretch, in which whitening and thresholds settle."""

TAIL_FRAMES = 1_000
"""3 s of audio after it: what follows an onset may overwrite it."""

LLR_UNITS = 8
"""In a nat, where LLRs are of 8 bits."""


@dataclass(frozen=True)
class InferredRecording:
    """What is kept of a long recording: less than four kilobytes a second.

    Attributes
    ----------
    fingerprint
        Of all of it.
    seconds
        Its length.
    rhythm_llr
        int8 of shape (frames, 8), `frame_llr` in units; None if no more than onsets is known.
    """

    fingerprint: Fingerprint
    seconds: float
    rhythm_llr: Int8s | None = None

    def frame_llr(self, kind: str, first: int, llr_bins: int) -> Float32s:
        """Give the LLRs of a part of it, frame by frame.

        Parameters
        ----------
        kind
            ``rhythm`` or ``echoprint``.
        first, llr_bins
            The LLR bin it begins with, and how many it has.

        Returns
        -------
        float32 of shape (frames, 8); nothing is known, so 0, beyond the recording's end.
        """
        known = round(self.seconds * FRAMES_PER_SECOND) // LLR_BIN_FRAMES - first
        inside = min(llr_bins, max(known, 0))
        llr = np.zeros((llr_bins * LLR_BIN_FRAMES, BANDS), np.float32)
        begin, frames = first * LLR_BIN_FRAMES, inside * LLR_BIN_FRAMES
        if kind == "rhythm" and self.rhythm_llr is not None:
            found = self.rhythm_llr[begin : begin + frames]
            llr[: len(found)] = found / np.float32(LLR_UNITS)
        else:
            trains: OnsetTrains = getattr(self.fingerprint, kind)
            llr[:frames] = frame_llr_of_onsets(trains.excerpt(begin, frames), inside)
        return llr


def infer_stream(blocks: Iterable[Float32s]) -> InferredRecording:
    """Run inference on mono audio at 11025 Hz that comes in blocks of any length.

    The fingerprint is nearly that of `fingerprint.fingerprint` of the whole: of music, one rhythm
    onset in 300 differs, and one Echoprint onset in 15.

    Parameters
    ----------
    blocks
        float32 of shape (samples,), full scale at -1 and 1.

    Raises
    ------
    AudioError
        As of `fingerprint.fingerprint`.
    """
    inference = StreamInference()
    for block in blocks:
        inference.push(block)
    inference.end()
    return inference.known()


class StreamInference:
    """The same while the audio comes: what is known grows by a stretch of 58 s at a time."""

    def __init__(self) -> None:
        self._stretches: list[tuple[Fingerprint, Int8s]] = []
        self._held = np.empty(0, np.float32)
        self._lead = 0
        self._total = 0
        self._ended = False

    @property
    def seconds(self) -> float:
        """How much of the recording is known."""
        if self._ended:
            return self._total / SAMPLE_RATE
        return len(self._stretches) * STRETCH_FRAMES / FRAMES_PER_SECOND

    def push(self, block: Float32s) -> None:
        """Take the next samples, as of `infer_stream`; infers whenever there is a stretch."""
        self._total += len(block)
        self._held = np.concatenate((self._held, block))
        while len(self._held) >= (size := self._size):
            self._stretches.append(_inferred(self._held[:size], self._lead, STRETCH_FRAMES))
            self._held = self._held[(self._lead + STRETCH_FRAMES - LEAD_FRAMES) * FRAME_SAMPLES :]
            self._lead = LEAD_FRAMES

    def end(self) -> None:
        """Infer what is left: no more samples come."""
        self._stretches.append(_inferred(self._held, self._lead))
        self._ended = True

    def known(self) -> InferredRecording:
        """Give what is known so far; there must be a stretch of it."""
        fingerprints, llr = zip(*self._stretches, strict=True)
        joined = Fingerprint(
            _joined([one.echoprint for one in fingerprints]),
            _joined([one.rhythm for one in fingerprints]),
        )
        return InferredRecording(joined, self.seconds, np.concatenate(llr))

    @property
    def _size(self) -> int:
        """Samples that the next stretch takes, with what is before and after it."""
        return (self._lead + STRETCH_FRAMES + TAIL_FRAMES) * FRAME_SAMPLES


def _inferred(samples: Float32s, lead: int, frames: int | None = None) -> tuple[Fingerprint, Int8s]:
    """Run inference on so many frames, or all, after a lead; gives the LLRs in units."""
    first = lead // LLR_BIN_FRAMES
    last = None if frames is None else first + frames // LLR_BIN_FRAMES
    stretch_trains = fingerprint(samples).excerpt(lead, frames)
    return stretch_trains, _in_units(frame_llr(samples, slice(first, last)))


def _in_units(llr: Float32s) -> Int8s:
    limits = np.iinfo(np.int8)
    return np.rint(llr * LLR_UNITS).clip(limits.min, limits.max).astype(np.int8)


def _joined(stretches: Sequence[OnsetTrains]) -> OnsetTrains:
    """Put the trains of one stretch after those of the other."""
    return OnsetTrains.from_bands(
        [
            np.concatenate(
                [
                    trains.band(band) + np.int32(number * STRETCH_FRAMES)
                    for number, trains in enumerate(stretches)
                ]
            )
            for band in range(BANDS)
        ]
    )

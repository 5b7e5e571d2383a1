"""Audio to an analysis document of the form that the dump holds.

The musical content is estimated with plain librosa features; it has the form, the rounding and the
ranges of the real analyses, not their quality. The two fingerprints are the real ones.

Belongs here: bars, beats, sections, segments, tatums and the track's own figures, and the document
around them. Does not belong here: reading audio, fingerprinting, and files of documents
(`writing`).
"""

import fcntl
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spotify_pipeline.harmony.agreement import Sound, pitches_between
from spotify_pipeline.harmony.chroma import analyzer_pitches
from spotify_pipeline.harmony.loudness import analyzer_loudness, loudest_between
from spotify_pipeline.resampling import analyzer_samples

if TYPE_CHECKING:
    from spotify_pipeline.fingerprint import Fingerprint

__all__ = ["ANALYSIS_SAMPLE_RATE", "Analysis", "analyse", "document"]

ANALYSIS_SAMPLE_RATE = 22050
"""Samples per second of the audio that is analysed."""

HOP = 256
WINDOW = 2048
FRAME_RATE = ANALYSIS_SAMPLE_RATE / HOP
MEL_BANDS = 64
TIMBRES = 12
LEAST_FRAMES = round(FRAME_RATE)
BLOCK_FRAMES = 4096

SILENCE_DB = -60.0
FADE_DB = 10.0
LEAST_SEGMENT_FRAMES = 6
SECTION_SECONDS = 25.0
SECTION_STEP = round(3 * FRAME_RATE)
SLOWEST_TEMPO, USUAL_TEMPO, FASTEST_TEMPO = 40.0, 120.0, 220.0
METERS = (4, 3)

KEY_PROFILES = np.array(
    [
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    ]
)
"""Probe-tone ratings of a minor and a major key (Krumhansl and Kessler, 1982)."""

Interval = dict[str, Any]
"""One bar, beat, section, segment or tatum: ``start`` and ``duration`` in seconds, and more."""


@dataclass(frozen=True)
class Analysis:
    """What a document says of the music.

    Attributes
    ----------
    num_samples
        Samples at 22050 Hz.
    track
        The figures of the whole track, from ``end_of_fade_in`` to ``mode_confidence``.
    bars, beats, sections, segments, tatums
        In order of time; only segments and sections are never empty.
    """

    num_samples: int
    track: dict[str, float]
    bars: list[Interval]
    beats: list[Interval]
    sections: list[Interval]
    segments: list[Interval]
    tatums: list[Interval]


@dataclass(frozen=True, eq=False)
class _Frames:
    """Features of each frame of 256 samples, all float32.

    ``energy`` (frames,) is the mean square, ``chroma`` (12, frames) a power, ``timbre``
    (12, frames) the cepstrum, ``strength`` (frames,) the onset strength, 1 being a clear onset.
    """

    energy: npt.NDArray[np.float32]
    chroma: npt.NDArray[np.float32]
    timbre: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Rhythm:
    """Beats as frame numbers (beats,), and how they group into bars from the beat ``downbeat``."""

    beats: npt.NDArray[np.int64]
    meter: int
    downbeat: int


def analyse(samples_22050: npt.NDArray[np.float32]) -> Analysis:
    """Estimate beats, segments, sections, key, loudness and the like of a recording.

    Parameters
    ----------
    samples_22050
        float32 of shape (samples,), mono, 22050 Hz. Any length will do, and so will silence;
        samples that are not finite count as silence.
    """
    _compile_librosa()
    return _analyse(samples_22050)


@cache
def _compile_librosa() -> None:
    """Have librosa's kernels compiled, or loaded, by one process at a time.

    numba keeps them on disk; where two processes compile the same gufunc at once, the files of one
    may be paired with those of the other, and every process that loads them crashes. They share the
    file that is locked here if they share those.
    """
    import librosa

    with Path(librosa.__file__).open("rb") as shared:
        with suppress(OSError):  # not every network disk has locks
            fcntl.flock(shared, fcntl.LOCK_EX)
        _analyse(np.random.default_rng(0).uniform(-0.5, 0.5, 3 * ANALYSIS_SAMPLE_RATE).astype("f4"))


def _analyse(samples_22050: npt.NDArray[np.float32]) -> Analysis:
    duration = len(samples_22050) / ANALYSIS_SAMPLE_RATE
    frames = _frames(samples_22050)
    rhythm = _rhythm(frames.strength)
    beats = np.minimum(rhythm.beats / FRAME_RATE, duration)
    strengths = frames.strength[rhythm.beats]
    halves = np.sort(np.concatenate((beats, (beats[1:] + beats[:-1]) / 2)))
    in_bars = slice(rhythm.downbeat, None, rhythm.meter)
    return Analysis(
        num_samples=len(samples_22050),
        track=_track(frames, rhythm, duration),
        bars=_intervals(beats[in_bars], strengths[in_bars]),
        beats=_intervals(beats, strengths),
        sections=_sections(frames, rhythm, duration),
        segments=_segments(samples_22050, frames, duration),
        tatums=_intervals(halves, np.repeat(strengths, 2)),
    )


def document(
    track_id: str,
    analysis: Analysis,
    fingerprint: "Fingerprint",
    *,
    timestamp: int,
    analysis_time: float,
) -> dict[str, Any]:
    """Put a whole document together, its keys in the order of the dump.

    The generators of ``codestring`` and ``synchstring`` were never published; both are empty.

    Parameters
    ----------
    track_id
        22 base62 characters.
    timestamp
        When the analysis was made, in seconds since 1970.
    analysis_time
        How long that took, in seconds.
    """
    from spotify_pipeline.fingerprint import ECHOPRINT_VERSION, RHYTHM_VERSION

    return {
        "meta": {
            "analyzer_version": "4.0.0",
            "platform": platform.system(),
            "detailed_status": "OK",
            "status_code": 0,
            "timestamp": timestamp,
            "analysis_time": round(analysis_time, 5),
            "input_process": "spotify_pipeline mono 22050",
            "track_id": track_id,
        },
        "track": {
            "num_samples": analysis.num_samples,
            "duration": round(analysis.num_samples / ANALYSIS_SAMPLE_RATE, 5),
            "sample_md5": "",
            "offset_seconds": 0,
            "window_seconds": 0,
            "analysis_sample_rate": ANALYSIS_SAMPLE_RATE,
            "analysis_channels": 1,
            **analysis.track,
            "codestring": "",
            "code_version": 3.15,
            "echoprintstring": fingerprint.echoprint_string(),
            "echoprint_version": ECHOPRINT_VERSION,
            "synchstring": "",
            "synch_version": 1.0,
            "rhythmstring": fingerprint.rhythm_string(),
            "rhythm_version": RHYTHM_VERSION,
        },
        "bars": analysis.bars,
        "beats": analysis.beats,
        "sections": analysis.sections,
        "segments": analysis.segments,
        "tatums": analysis.tatums,
    }


def _frames(samples: npt.NDArray[np.float32]) -> _Frames:
    """Compute the frames' features, block by block: a long recording's spectrum is gigabytes."""
    import librosa
    from librosa.feature import mfcc
    from librosa.filters import chroma as chroma_bank
    from librosa.filters import mel as mel_bank
    from librosa.onset import onset_strength

    count = max(len(samples) // HOP + 1, LEAST_FRAMES)
    padded = np.zeros((count - 1) * HOP + WINDOW, np.float32)
    padded[WINDOW // 2 : WINDOW // 2 + len(samples)] = samples
    np.nan_to_num(padded, copy=False, posinf=0, neginf=0)
    np.clip(padded, -4, 4, out=padded)  # beyond that it is not audio, and squares overflow

    mel_filter = mel_bank(sr=ANALYSIS_SAMPLE_RATE, n_fft=WINDOW, n_mels=MEL_BANDS)
    chroma_filter = chroma_bank(sr=ANALYSIS_SAMPLE_RATE, n_fft=WINDOW)
    energy = np.empty(count, np.float32)
    mel = np.empty((MEL_BANDS, count), np.float32)
    chroma = np.empty((12, count), np.float32)
    for first in range(0, count, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, count)
        block = padded[first * HOP : (last - 1) * HOP + WINDOW]
        spectrum = librosa.stft(block, n_fft=WINDOW, hop_length=HOP, center=False)
        power = spectrum.real**2 + spectrum.imag**2
        mel[:, first:last] = mel_filter @ power
        chroma[:, first:last] = chroma_filter @ power
        middle = (WINDOW - HOP) // 2  # the part of each window that is nearest to its frame
        centres = block[middle : middle + (last - first) * HOP].reshape(-1, HOP)
        energy[first:last] = np.einsum("ij,ij->i", centres, centres) / HOP

    # A sine at full scale reaches 54 dB in this spectrum; what lies 74 dB below counts as silence.
    mel_db = librosa.power_to_db(mel, amin=1e-2, top_db=None)
    strength = onset_strength(S=mel_db, sr=ANALYSIS_SAMPLE_RATE, hop_length=HOP).astype(np.float32)
    clear = np.percentile(strength, 98)
    return _Frames(
        energy=energy,
        chroma=chroma,
        timbre=mfcc(S=mel_db, n_mfcc=TIMBRES).astype(np.float32),
        strength=strength / clear if clear > 0 else np.zeros_like(strength),
    )


def _rhythm(strength: npt.NDArray[np.float32]) -> _Rhythm:
    """Track the beats, and choose the bars whose first beats are the strongest."""
    from librosa.beat import beat_track

    tempo, _ = _periodicity(strength)
    if tempo == 0:
        return _Rhythm(np.empty(0, np.int64), METERS[0], 0)
    _, beats = beat_track(
        onset_envelope=strength, sr=ANALYSIS_SAMPLE_RATE, hop_length=HOP, bpm=tempo
    )
    meter, downbeat, _ = _meter(strength[beats])
    return _Rhythm(np.asarray(beats, np.int64), meter, downbeat)


def _periodicity(strength: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Estimate the tempo in beats a minute and its confidence, both 0 where nothing recurs.

    The peak of the onset strength's autocorrelation under a preference for usual tempos (Ellis,
    "Beat tracking by dynamic programming", 2007).
    """
    import librosa

    shortest, longest = (round(60 * FRAME_RATE / bpm) for bpm in (FASTEST_TEMPO, SLOWEST_TEMPO))
    correlation = librosa.autocorrelate(strength - strength.mean(), max_size=longest + 1)
    lags = np.arange(shortest, len(correlation))
    if len(lags) == 0 or correlation[0] <= 0:
        return 0.0, 0.0
    tempos = 60 * FRAME_RATE / lags
    preference = np.exp(-0.5 * (np.log2(tempos / USUAL_TEMPO) / 0.9) ** 2)
    best = int(np.argmax(correlation[lags] * preference))
    confidence = float(correlation[lags[best]] / correlation[0])
    return (float(tempos[best]), confidence) if confidence > 0 else (0.0, 0.0)


def _meter(strengths: npt.NDArray[np.float32]) -> tuple[int, int, float]:
    """Choose the beats in a bar, the beat that bars begin with, and the confidence in them."""
    best = (METERS[0], 0, 0.0)
    if len(strengths) < 2 * max(METERS):
        return best
    for meter in METERS:
        accents = np.array([strengths[beat::meter].mean() for beat in range(meter)])
        contrast = float(accents.max() - accents.mean())
        if contrast > best[2]:
            best = (meter, int(accents.argmax()), contrast)
    return best


def _track(frames: _Frames, rhythm: _Rhythm, duration: float) -> dict[str, float]:
    """Give the figures of the whole track, in the order of the document."""
    summary = _summary(frames, rhythm, 0, len(frames.energy))
    audible = np.flatnonzero(_decibel(frames.energy) > max(summary["loudness"] - FADE_DB, -59))
    fades = audible[[0, -1]] / FRAME_RATE if len(audible) else np.array([0.0, duration])
    end_of_fade_in, start_of_fade_out = _rounded(np.minimum(fades, duration), 5)
    order = ("loudness", "tempo", "tempo_confidence", "time_signature", "time_signature_confidence")
    return {
        "end_of_fade_in": end_of_fade_in,
        "start_of_fade_out": start_of_fade_out,
        **{name: summary.pop(name) for name in order},
        **summary,
    }


def _summary(frames: _Frames, rhythm: _Rhythm, first: int, last: int) -> dict[str, float]:
    """Give loudness, tempo, key, mode and time signature of some frames, in a section's order."""
    strength = frames.strength[first:last]
    beats = rhythm.beats[(rhythm.beats >= first) & (rhythm.beats < last)]
    tempo, tempo_confidence = _periodicity(strength)
    if len(beats) > 1 and tempo:  # the beats' mean distance is finer than a lag in whole frames
        tempo = 60 * FRAME_RATE * (len(beats) - 1) / float(beats[-1] - beats[0])
    meter, _, meter_confidence = _meter(frames.strength[beats])
    key, key_confidence, mode, mode_confidence = _key(frames.chroma[:, first:last].sum(axis=1))
    return {
        "loudness": _rounded(_decibel(frames.energy[first:last].mean(keepdims=True))[0], 3),
        "tempo": _rounded(tempo, 3),
        "tempo_confidence": _confidence(tempo_confidence),
        "key": key,
        "key_confidence": _confidence(key_confidence),
        "mode": mode,
        "mode_confidence": _confidence(mode_confidence),
        "time_signature": meter,
        "time_signature_confidence": _confidence(meter_confidence),
    }


def _key(chroma: npt.NDArray[np.float32]) -> tuple[int, float, int, float]:
    """Choose key (0 is C) and mode (1 is major) by the best match of the key profiles."""
    if np.ptp(chroma) == 0:
        return 0, 0.0, 1, 0.0
    rotated = [np.roll(profile, key) for profile in KEY_PROFILES for key in range(12)]
    matches = np.corrcoef(np.vstack([chroma, *rotated]))[0, 1:].reshape(2, 12)
    mode, key = divmod(int(matches.argmax()), 12)
    return key, float(matches[mode, key]), mode, float(matches[mode, key] - matches[1 - mode, key])


def _sections(frames: _Frames, rhythm: _Rhythm, duration: float) -> list[Interval]:
    """Cut the track where its sound changes, into parts of some 25 seconds."""
    from librosa.segment import agglomerative

    steps = np.arange(0, len(frames.energy), SECTION_STEP)
    sound = _means(frames.timbre, steps)
    parts = min(max(round(duration / SECTION_SECONDS), 1), len(steps))
    cuts = agglomerative(sound, parts) if parts > 1 else np.zeros(1, np.int64)
    firsts = cuts * SECTION_STEP
    lasts = np.append(firsts[1:], len(frames.energy))
    change = np.linalg.norm(np.diff(_means(sound, cuts), axis=1), axis=0)
    confidences = [1.0, *(change / (change.max(initial=0) or 1))]
    return [
        {**span, **_summary(frames, rhythm, int(first), int(last))}
        for span, first, last in zip(
            _intervals(np.append(firsts / FRAME_RATE, duration), np.array(confidences)),
            firsts,
            lasts,
            strict=True,
        )
    ]


def _segments(samples: npt.NDArray[np.float32], frames: _Frames, duration: float) -> list[Interval]:
    """Cut the track at its onsets into pieces of one sound each."""
    from librosa.onset import onset_detect

    count = min(int(duration * FRAME_RATE) + 1, len(frames.energy))
    onsets = onset_detect(
        onset_envelope=frames.strength,
        sr=ANALYSIS_SAMPLE_RATE,
        hop_length=HOP,
        backtrack=True,
        wait=LEAST_SEGMENT_FRAMES,
    )
    inside = (onsets >= LEAST_SEGMENT_FRAMES) & (onsets < count - LEAST_SEGMENT_FRAMES)
    firsts = np.append(0, np.unique(onsets[inside])).astype(np.int64)
    lasts = np.append(firsts[1:], count)
    decibels = _decibel(frames.energy[:count])
    peaks = [
        first + int(decibels[first:last].argmax())
        for first, last in zip(firsts, lasts, strict=True)
    ]
    # what is not finite counts as silence; what is louder than it can be is no audio
    finite = np.clip(np.nan_to_num(samples, posinf=0, neginf=0), -1, 1)
    heard = analyzer_samples(finite, ANALYSIS_SAMPLE_RATE)
    pitches = pitches_between(Sound.of(analyzer_pitches(heard)), firsts / FRAME_RATE)
    loudest = loudest_between(analyzer_loudness(heard), firsts / FRAME_RATE)
    loudest += decibels.max() - loudest.max()
    timbre = _means(frames.timbre[:, :count], firsts)
    timbre[0] = _means(decibels[np.newaxis], firsts)[0] - SILENCE_DB
    columns = {
        "loudness_start": _rounded(decibels[firsts], 3),
        "loudness_max_time": _rounded((peaks - firsts) / FRAME_RATE, 5),
        "loudness_max": _rounded(np.maximum(loudest, SILENCE_DB), 3),
        # As in the real documents, only the last segment has an end of its own.
        "loudness_end": [0.0] * (len(firsts) - 1) + [_rounded(decibels[-1], 3)],
        "pitches": _rounded(pitches, 3),
        "timbre": _rounded(timbre.T, 3),
    }
    edges = np.append(firsts / FRAME_RATE, duration)
    rows = zip(*columns.values(), strict=True)
    return [
        {**span, **dict(zip(columns, row, strict=True))}
        for span, row in zip(_intervals(edges, frames.strength[peaks]), rows, strict=True)
    ]


def _intervals(edges: npt.NDArray[np.float64], strengths: npt.NDArray[Any]) -> list[Interval]:
    """Join neighbouring edges (in seconds) into intervals, each as confident as its first edge."""
    edges = np.round(edges, 5)
    durations = _rounded(np.diff(edges), 5)
    return [
        {"start": start, "duration": duration, "confidence": _confidence(strength)}
        for start, duration, strength in zip(edges.tolist(), durations, strengths, strict=False)
    ]


def _means(
    values: npt.NDArray[np.floating[Any]], firsts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Average the columns from each of ``firsts`` up to the next, shape (rows, firsts)."""
    lengths = np.diff(np.append(firsts, values.shape[1]))
    means: npt.NDArray[np.float64] = (
        np.add.reduceat(values, firsts, axis=1, dtype=np.float64) / lengths
    )
    return means


def _decibel(energy: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Loudness of a mean square, 0 dB being a sine at full scale, not below silence."""
    decibels: npt.NDArray[np.float64] = 10 * np.log10(2 * energy.astype(np.float64) + 1e-12)
    return np.maximum(decibels, SILENCE_DB)


def _confidence(value: float) -> float:
    """Force a figure into the range of a confidence."""
    return float(_rounded(np.clip(value, 0, 1), 3))


def _rounded(values: npt.ArrayLike, decimals: int) -> Any:  # noqa: ANN401 - as deep as the array
    """Round to Python numbers; adding zero turns the -0.0 of a rounding into 0.0."""
    return (np.round(np.asarray(values, np.float64), decimals) + 0.0).tolist()

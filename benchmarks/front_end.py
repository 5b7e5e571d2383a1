"""How near fingerprints come to those in real documents, by the way from the file to 11025 Hz.

    python -m benchmarks.front_end --pairs DIR

DIR holds recordings, each with the document that the analyzer made of it under the same name
(``a.flac`` and ``a.json``; several recordings may share a document). Each is decoded to 22050 Hz as
for a fingerprint. *16 bits* is how samples are cut to that there; *filter* brings them to 11025 Hz:
libresample's low quality (`fingerprint.decimation`), the 21-tap low-pass nearest to it, or the SoX
resampler. Printed is the harmonic mean of precision and recall of rhythm onsets, in the same frame
and within one frame, and the fraction of the document's Echoprint codes found at the same time.

An MP3 is read here without the one sample of silence that `read_for_fingerprint` puts before it
(the analyzer's decoder begins that much earlier): 23 microseconds decide about every ninth onset.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr
from scipy import signal

from benchmarks.command import command_line, print_machine
from spotify_pipeline.fingerprint import (
    SAMPLE_RATE,
    EchoprintCodes,
    OnsetTrains,
    codes_of_trains,
    decode_echoprint,
    decode_rhythm,
    fingerprint,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.decimation import ANALYSIS_RATE, Decimator
from spotify_pipeline.index.kernels.alignment import aligned_onsets
from spotify_pipeline.recording import AUDIO_SUFFIXES, read_recording

FULL_SCALE = 32_768

ROUNDINGS: dict[str, Callable[[Float32s], Float32s]] = {
    "truncated": lambda x: np.asarray(np.trunc(x * FULL_SCALE) / FULL_SCALE, np.float32),
    "rounded": lambda x: np.asarray(np.rint(x * FULL_SCALE) / FULL_SCALE, np.float32),
    "not cut": lambda x: x,
}


def libresample(samples: Float32s) -> Float32s:
    """Filter as the fingerprint does."""
    return Decimator().push(samples, last=True)


def low_pass(samples: Float32s) -> Float32s:
    """Filter by the windowed sinc of 21 taps that comes nearest."""
    taps = signal.firwin(21, 0.45, window=("kaiser", 6.0))
    return np.asarray(np.convolve(samples, taps)[10 : 10 + len(samples) : 2], np.float32)


def sharp(samples: Float32s) -> Float32s:
    """Resample with a steep slope."""
    return np.asarray(soxr.resample(samples, ANALYSIS_RATE, SAMPLE_RATE), np.float32)


FILTERS: dict[str, Callable[[Float32s], Float32s]] = {
    "libresample": libresample,
    "21 taps": low_pass,
    "SoX": sharp,
}


def f_of_onsets(found: OnsetTrains, wanted: OnsetTrains, tolerance: int) -> float:
    """Give the harmonic mean of precision and recall."""
    if not len(found) or not len(wanted):
        return 0.0
    precision = aligned_onsets(found, wanted, tolerance, 0).mean()
    recall = aligned_onsets(wanted, found, tolerance, 0).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def fraction_of_codes(found: EchoprintCodes, wanted: EchoprintCodes) -> float:
    """Give the fraction of codes that are found at the same time."""
    there, asked = (
        set(zip(codes.times.tolist(), codes.codes.tolist(), strict=True))
        for codes in (found, wanted)
    )
    return len(there & asked) / max(len(asked), 1)


def main(words: Sequence[str] | None = None) -> None:
    """Compare and print."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--pairs", type=Path, required=True, metavar="DIR", help="recordings beside their documents"
    )
    arguments = parser.parse_args(words)
    print_machine()
    for file in sorted(arguments.pairs.iterdir()):
        if file.suffix.lower() not in AUDIO_SUFFIXES or not file.with_suffix(".json").is_file():
            continue
        track = json.loads(file.with_suffix(".json").read_text())["track"]
        rhythm = decode_rhythm(track["rhythmstring"])
        codes = decode_echoprint(track["echoprintstring"])
        samples = read_recording(file, ANALYSIS_RATE).samples
        print(f"{file.name}: {len(rhythm):,} onsets, {len(codes):,} codes")
        print("  16 bits     filter       same frame  within one  codes")
        for rounding, cut in ROUNDINGS.items():
            for name, halved in FILTERS.items():
                found = fingerprint(halved(cut(samples)))
                same, near = (f_of_onsets(found.rhythm, rhythm, t) for t in (0, 1))
                fraction = fraction_of_codes(codes_of_trains(found.echoprint, padded=True), codes)
                print(f"  {rounding:<10}  {name:<11}  {same:10.4f}  {near:10.4f}  {fraction:.4f}")


if __name__ == "__main__":
    main()

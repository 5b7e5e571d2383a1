"""The port against the C++ reference.

For nine pieces of music, whole and in two cuts each, echoprint-codegen 4.12 wrote the onsets and
the code string. The port must give the same, bit by bit.
"""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
import soundfile

from spotify_pipeline.fingerprint import (
    ECHOPRINT,
    OnsetTrains,
    codes_of_trains,
    decode_echoprint,
    detect_onsets,
    envelopes,
    fingerprint,
    is_padded,
    trains_of_codes,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline_tests.shared import shared_path

PIECES = (
    "0_8Bit_Bonus_Track As_Seasons_Change Cisalpine_Gaul From_Every_Corner Hill_of_Sorrows"
    " Land_Between_Rivers Northern_Frontier Rise_of_Macedon Taiko_1"
).split()
STARTS = (0, 220_500, 342_552)

every_entry = pytest.mark.parametrize(
    ("piece", "start"), [(piece, start) for piece in PIECES for start in STARTS]
)


@cache
def entries() -> dict[tuple[str, int], dict[str, Any]]:
    lines = shared_path("golden", "codegen-4.12.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return {(e["file"].removesuffix(".flac"), e["start_sample"]): e for e in found}


@cache
def piece_samples(piece: str) -> Float32s:
    samples, rate = soundfile.read(shared_path("golden", f"{piece}.flac"), dtype="int16")
    assert rate == 11025
    scaled: Float32s = (samples / 32768).astype(np.float32)
    return scaled


def samples_of(piece: str, start: int) -> Float32s:
    return piece_samples(piece)[start : start + entries()[piece, start]["num_samples"]]


def test_every_entry_of_the_reference_is_compared() -> None:
    assert set(entries()) == {(piece, start) for piece in PIECES for start in STARTS}


@every_entry
def test_onsets_are_those_of_the_reference(piece: str, start: int) -> None:
    onsets = fingerprint(samples_of(piece, start)).echoprint
    assert onsets == OnsetTrains.from_bands(entries()[piece, start]["onsets"])


@every_entry
def test_padded_codes_are_those_of_the_reference(piece: str, start: int) -> None:
    entry = entries()[piece, start]
    trains = detect_onsets(envelopes(samples_of(piece, start)), ECHOPRINT)
    codes = codes_of_trains(trains, padded=True)
    assert len(codes) == entry["n_codes"]
    assert codes == decode_echoprint(entry["code"])


@every_entry
def test_trains_recovered_from_the_reference_give_its_codes(piece: str, start: int) -> None:
    entry = entries()[piece, start]
    codes = decode_echoprint(entry["code"])
    assert is_padded(codes)
    trains = trains_of_codes(codes)
    assert codes_of_trains(trains, padded=True) == codes
    assert trains.counts.tolist() == [len(band) for band in entry["onsets"]]


@every_entry
def test_recovered_onsets_lie_within_a_time_unit_of_the_true_ones(piece: str, start: int) -> None:
    entry = entries()[piece, start]
    recovered = trains_of_codes(decode_echoprint(entry["code"]))
    for band, onsets in enumerate(entry["onsets"]):
        # the last two have no time of their own, so their gaps add a unit each
        furthest = np.abs(recovered.band(band) - onsets)
        assert furthest[:-2].max() <= 8
        assert furthest.max() <= 24

"""Fingerprints of recordings beside what the Echo Nest's analyzer 3.2.2 made of the same files."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from spotify_pipeline.fingerprint import (
    BANDS,
    Fingerprint,
    codes_of_trains,
    decode_echoprint,
    decode_rhythm,
    fingerprint,
)
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline_tests.shared import shared_path


class Strings(NamedTuple):
    """Of a document."""

    echoprint: str
    rhythm: str


def document(name: str) -> Strings:
    track = json.loads(shared_path("pairs", f"{name}.json").read_text())["track"]
    return Strings(track["echoprintstring"], track["rhythmstring"])


def fingerprinted(name: str) -> Fingerprint:
    return fingerprint(read_for_fingerprint(shared_path("pairs", name)).samples)


def share_of_onsets(found: Fingerprint, analyzer: Strings) -> float:
    """Harmonic mean of precision and recall, of rhythm onsets in the very same frame."""
    wanted = decode_rhythm(analyzer.rhythm)
    same = sum(
        len(np.intersect1d(found.rhythm.band(band), wanted.band(band))) for band in range(BANDS)
    )
    return 2 * same / (len(found.rhythm) + len(wanted))


def share_of_codes(found: Fingerprint, analyzer: Strings) -> float:
    """Codes of the document that are found at the very same time."""
    codes = codes_of_trains(found.echoprint, padded=True)
    wanted = decode_echoprint(analyzer.echoprint)
    there = set(zip(codes.times.tolist(), codes.codes.tolist(), strict=True))
    pairs = list(zip(wanted.times.tolist(), wanted.codes.tolist(), strict=True))
    return sum(pair in there for pair in pairs) / len(pairs)


def test_what_the_analyzer_decoded_has_the_analyzers_fingerprints_to_the_last_onset() -> None:
    found, analyzer = fingerprinted("twit_journalist.flac"), document("twit_journalist")
    assert found.rhythm == decode_rhythm(analyzer.rhythm)
    assert found.echoprint_string(padded=True) == analyzer.echoprint


@pytest.mark.parametrize(
    ("name", "onsets", "codes"),
    [("twit_journalist", 0.88, 0.86), ("la_ere_gymnopedie", 0.89, 0.94)],
)
def test_another_decoder_of_the_same_mp3_comes_near(name: str, onsets: float, codes: float) -> None:
    found, analyzer = fingerprinted(f"{name}.mp3"), document(name)
    assert share_of_onsets(found, analyzer) > onsets
    assert share_of_codes(found, analyzer) > codes

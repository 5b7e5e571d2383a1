"""Fingerprints of recordings beside what the Echo Nest's analyzer 3.2.2 made of the same files."""

import json
from typing import NamedTuple

import numpy as np

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


def fraction_of_onsets(found: Fingerprint, analyzer: Strings) -> float:
    """Harmonic mean of precision and recall, of rhythm onsets in the very same frame."""
    wanted = decode_rhythm(analyzer.rhythm)
    same = sum(
        len(np.intersect1d(found.rhythm.band(band), wanted.band(band))) for band in range(BANDS)
    )
    return 2 * same / (len(found.rhythm) + len(wanted))


def fraction_of_codes(found: Fingerprint, analyzer: Strings) -> float:
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


def test_an_mp3_has_the_analyzers_fingerprints_by_another_decoder() -> None:
    found, analyzer = fingerprinted("twit_journalist.mp3"), document("twit_journalist")
    assert found.rhythm == decode_rhythm(analyzer.rhythm)
    assert found.echoprint_string(padded=True) == analyzer.echoprint


def test_a_quiet_mp3_comes_as_near_as_another_decoder_lets_it() -> None:
    """The analyzer's decoder leaves out what lies above 11025 Hz before it adds up subbands.

    No filter of the samples does quite that, so near the last bit samples differ, and here bands
    are as quiet as that. From samples of that decoder, all codes are identical, and 99.8 % of the
    onsets.
    """
    found, analyzer = fingerprinted("la_ere_gymnopedie.mp3"), document("la_ere_gymnopedie")
    assert fraction_of_onsets(found, analyzer) > 0.93
    assert fraction_of_codes(found, analyzer) > 0.95

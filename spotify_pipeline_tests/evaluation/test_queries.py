"""Excerpts: the same for a seed, and from where they say."""

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spotify_pipeline.evaluation.codecs import resampled
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.queries import Query, queries
from spotify_pipeline.fingerprint import SAMPLE_RATE, fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.recording import read_for_fingerprint, read_recording
from spotify_pipeline.resampling import analyzer_samples

KINDS = ["clean", "white 0"]


@pytest.fixture(scope="module")
def asked(pieces: list[Piece]) -> list[Query]:
    return list(queries(pieces[:2], KINDS, [3.0, 5.0], 2))


def samples_of(query: Query) -> Float32s:
    assert query.samples is not None
    return query.samples


def assert_equal(some: list[Query], others: list[Query]) -> None:
    assert [query.excerpt for query in some] == [query.excerpt for query in others]
    for one, other in zip(some, others, strict=True):
        assert np.array_equal(samples_of(one), samples_of(other))


def test_each_piece_degradation_and_length_has_its_excerpts(asked: list[Query]) -> None:
    assert [astuple(query.excerpt)[:3] for query in asked] == [
        (kind, length, piece)
        for piece in range(2)
        for kind in KINDS
        for length in (3.0, 5.0)
        for _ in range(2)
    ]
    for query in asked:
        assert len(samples_of(query)) == pytest.approx(query.excerpt.seconds * SAMPLE_RATE, abs=1)
        assert query.fingerprint.rhythm == fingerprint(samples_of(query)).rhythm


def test_a_seed_gives_the_same_excerpts(pieces: list[Piece], asked: list[Query]) -> None:
    assert_equal(asked, list(queries(pieces[:2], KINDS, [3.0, 5.0], 2)))
    other = list(queries(pieces[:1], KINDS, [3.0], 1, seed=1))
    assert {query.excerpt for query in other}.isdisjoint(query.excerpt for query in asked)


def test_leaving_out_a_degradation_changes_no_other(
    pieces: list[Piece], asked: list[Query]
) -> None:
    noisy = [query for query in asked if query.excerpt.degradation == "white 0"]
    assert_equal(noisy, list(queries(pieces[:2], ["white 0"], [3.0, 5.0], 2)))


def test_other_pieces_beside_it_change_no_excerpt_of_a_piece(
    pieces: list[Piece], asked: list[Query]
) -> None:
    second = [query for query in asked if query.excerpt.piece == 1]
    alone = queries(pieces[1:2], KINDS, [3.0, 5.0], 2)
    assert_equal(second, [replace(q, excerpt=replace(q.excerpt, piece=1)) for q in alone])


def test_the_recipe_is_the_one_that_is_documented(pieces: list[Piece], asked: list[Query]) -> None:
    for query in asked[::4]:
        excerpt = query.excerpt
        samples = read_recording(pieces[excerpt.piece].file, RATE).samples
        kind = list(DEGRADATIONS).index(excerpt.degradation)
        rng = np.random.default_rng([pieces[excerpt.piece].key, kind, 0])
        first = int(rng.integers(0, len(samples) - 62 * RATE))
        stretch = samples[first : first + 62 * RATE]
        recording = DEGRADATIONS[excerpt.degradation](stretch, rng)
        size = round(excerpt.seconds * RATE)
        start = int(rng.integers(0, len(recording) - size))
        assert excerpt.offset == (first + start) / RATE
        expected = analyzer_samples(recording[start : start + size], RATE)
        assert np.array_equal(samples_of(query), expected)


def test_offsets_of_a_faster_recording_are_those_in_the_piece(pieces: list[Piece]) -> None:
    (fast,) = queries(pieces[:1], ["speed +4"], [10.0], 1)
    samples = read_for_fingerprint(pieces[0].file).samples
    first = round(fast.excerpt.offset * SAMPLE_RATE)
    there = samples[first : first + round(10.4 * SAMPLE_RATE)]
    recording = resampled(samples_of(fast), SAMPLE_RATE / 1.04, SAMPLE_RATE)
    size = min(len(there), len(recording))
    assert np.corrcoef(there[:size], recording[:size])[0, 1] > 0.9


def test_silence_is_nobodys(tmp_path: Path) -> None:
    samples = np.zeros(40 * SAMPLE_RATE, np.float32)
    samples[: SAMPLE_RATE // 10] = 0.5
    soundfile.write(tmp_path / "silent.wav", samples, SAMPLE_RATE)
    silent = Piece(tmp_path / "silent.wav", fingerprint(samples))
    assert not any(query.excerpt.offset > 1 for query in queries([silent], KINDS, [3.0], 20))

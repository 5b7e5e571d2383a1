"""Analysis documents of the dump's shape, and shards of them, made on the spot.

A document is the response of the former ``audio-analysis`` endpoint as the dump holds it, with a
few bars, beats, sections, segments and tatums; its two fingerprint strings are real ones of random
onset trains. The same name always gives the same document.

Belongs here: making documents, their lines and their files. Does not belong here: broken ones; each
test breaks what it needs.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zstandard

from spotify_pipeline.fingerprint import (
    BANDS,
    ECHOPRINT,
    FRAMES_PER_SECOND,
    RHYTHM,
    OnsetTrains,
    codes_of_trains,
    encode_echoprint,
    encode_rhythm,
)
from spotify_pipeline.shards import BASE62, SHARD_SUFFIX, TRACK_ID_LENGTH

__all__ = [
    "Document",
    "echoprint_trains",
    "json_line",
    "make_document",
    "make_documents",
    "make_track_id",
    "random_trains",
    "rhythm_trains",
    "write_lines",
    "write_shard",
]

Document = dict[str, Any]

DURATION = 30.0
"""Seconds, by default."""

ANALYSIS_RATE = 22050
PITCHES_AND_TIMBRES = 12


def make_track_id(shard: str, number: int) -> str:
    """Give the track id of a shard that ends in a number, as ``0a00000000000000000010``."""
    digits = ""
    while number:
        number, digit = divmod(number, len(BASE62))
        digits = BASE62[digit] + digits
    return shard + digits.rjust(TRACK_ID_LENGTH - len(shard), "0")


def random_trains(
    seed: int | str, duration: float, shortest_gap: int, mean_gap: float
) -> OnsetTrains:
    """Draw eight onset trains.

    Parameters
    ----------
    seed
        A number or a text such as a track id.
    duration
        In seconds.
    shortest_gap, mean_gap
        Between the onsets of a band, in frames.
    """
    generator = np.random.default_rng(seed if isinstance(seed, int) else list(seed.encode()))
    frames = duration * FRAMES_PER_SECOND
    bands = []
    for _ in range(BANDS):
        count = int(frames / shortest_gap) + 1
        gaps = shortest_gap + generator.gamma(1.5, (mean_gap - shortest_gap) / 1.5, count)
        onsets = np.cumsum(gaps.astype(np.int64)) - shortest_gap
        bands.append(onsets[onsets < frames].tolist())
    return OnsetTrains.from_bands(bands)


def rhythm_trains(track_id: str, duration: float = DURATION) -> OnsetTrains:
    """Give the trains behind a track's ``rhythmstring``, about 2.8 onsets a second and band."""
    return random_trains(f"{track_id} rhythm", duration, RHYTHM.deadtime, 123)


def echoprint_trains(track_id: str, duration: float = DURATION) -> OnsetTrains:
    """Give those behind the ``echoprintstring``, about 0.54 onsets a second and band."""
    return random_trains(f"{track_id} echoprint", duration, ECHOPRINT.deadtime, 640)


def make_document(track_id: str, duration: float = DURATION) -> Document:
    """Make the document of one track, its keys in the dump's usual order."""
    generator = np.random.default_rng(list(track_id.encode()))
    starts = np.arange(0, duration, 0.5).round(5).tolist()
    beats = [{"start": start, "duration": 0.5, "confidence": 0.4} for start in starts]
    return {
        "meta": {
            "analyzer_version": "4.0.0",
            "platform": "Linux",
            "detailed_status": "OK",
            "status_code": 0,
            "timestamp": 1_700_000_000,
            "analysis_time": 3.23811,
            "input_process": "libvorbisfile L+R 44100->22050",
            "track_id": track_id,
        },
        "track": _track(track_id, duration, generator),
        "bars": beats[::4],
        "beats": beats,
        "sections": [_section(duration)],
        "segments": [_segment(start, generator) for start in starts[::8]],
        "tatums": beats,
    }


def make_documents(shard: str, count: int, duration: float = DURATION) -> list[Document]:
    """Make the documents of a shard's tracks number 0 to ``count - 1``."""
    return [make_document(make_track_id(shard, number), duration) for number in range(count)]


def json_line(document: Document) -> bytes:
    """Write a document as one line, its end included."""
    return msgspec.json.encode(document) + b"\n"


def write_shard(folder: Path, shard: str, documents: Iterable[Document]) -> Path:
    """Write documents to ``<shard>.jsonl.zst`` in a folder and give the file's path."""
    return write_lines(folder / f"{shard}{SHARD_SUFFIX}", map(json_line, documents))


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    """Compress bytes to one zstd frame with its size and checksum; give the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(b"".join(lines)))
    return path


def _track(track_id: str, duration: float, generator: np.random.Generator) -> dict[str, Any]:
    echoprint = encode_echoprint(codes_of_trains(echoprint_trains(track_id, duration)))
    return {
        "num_samples": round(duration * ANALYSIS_RATE),
        "duration": duration,
        "sample_md5": "",
        "offset_seconds": 0,
        "window_seconds": 0,
        "analysis_sample_rate": ANALYSIS_RATE,
        "analysis_channels": 1,
        "end_of_fade_in": 0.43098,
        "start_of_fade_out": round(0.97 * duration, 5),
        "loudness": round(generator.uniform(-30, -3), 3),
        "tempo": round(generator.uniform(60, 180), 3),
        "tempo_confidence": 0.976,
        "time_signature": 4,
        "time_signature_confidence": 1,
        "key": int(generator.integers(12)),
        "key_confidence": 0.61,
        "mode": int(generator.integers(2)),
        "mode_confidence": 0.502,
        "codestring": "",
        "code_version": 3.15,
        "echoprintstring": echoprint,
        "echoprint_version": 4.12,
        "synchstring": "",
        "synch_version": 1.0,
        "rhythmstring": encode_rhythm(rhythm_trains(track_id, duration)),
        "rhythm_version": 1.0,
    }


def _section(duration: float) -> dict[str, Any]:
    return {
        "start": 0.0,
        "duration": duration,
        "confidence": 1.0,
        "loudness": -15.379,
        "tempo": 137.788,
        "tempo_confidence": 0.467,
        "key": 11,
        "key_confidence": 0.263,
        "mode": 0,
        "mode_confidence": 0.353,
        "time_signature": 4,
        "time_signature_confidence": 0.818,
    }


def _segment(start: float, generator: np.random.Generator) -> dict[str, Any]:
    return {
        "start": start,
        "duration": 0.5,
        "confidence": 0.83,
        "loudness_start": -60.0,
        "loudness_max_time": 0.04,
        "loudness_max": -12.1,
        "pitches": generator.random(PITCHES_AND_TIMBRES).round(3).tolist(),
        "timbre": generator.normal(0, 50, PITCHES_AND_TIMBRES).round(3).tolist(),
    }

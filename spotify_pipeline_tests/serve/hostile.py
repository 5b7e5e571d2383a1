"""Uploads that no honest client sends.

Belongs here: their bytes, and what each may be answered with. Does not belong here: sending them.
"""

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import soundfile

from spotify_pipeline_tests.serve.served import RATE, music, wav

__all__ = ["FORM", "Hostile", "damaged", "longest", "made_by_hand"]

MAGIC = (b"RIFF", b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb\x90\x00", b"FORM", b"\x00\x00\x00 ftyp")
JSON = "application/json"
FORM = "multipart/form-data; boundary=border"
FORM_BEGINS = (
    b"--border\r\nContent-Disposition: form-data; name=file; filename=../../etc/passwd\r\n\r\n"
)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n"

HOUR = 3600


@dataclass(frozen=True)
class Hostile:
    """An upload.

    Attributes
    ----------
    statuses
        That it may be answered with.
    """

    name: str
    content: bytes
    statuses: tuple[int, ...]
    content_type: str = "audio/wav"


@cache
def made_by_hand() -> tuple[Hostile, ...]:
    """Give one of each kind."""
    good = wav(music(1, 10))
    text = b"\x00".join(b"%d no audio" % number for number in range(100))
    return (
        Hostile("text", text, (422,)),
        Hostile("zeros", bytes(1000), (422,)),
        *(Hostile(f"text after {magic!r}", magic + text, (422,)) for magic in MAGIC),
        Hostile("truncated", good[: len(good) // 2], (200,)),
        Hostile("truncated soon after its header", good[:100], (200,)),
        Hostile("truncated in its header", good[:40], (422,)),
        Hostile("ten hours of silence", _flac(np.zeros(10 * HOUR * 1000, np.int16), 1000), (422,)),
        Hostile("a bomb in a ZIP file", _zipped(bytes(10**7)), (422,)),
        Hostile("8 channels", _flac(np.zeros((RATE, 8), np.int16), RATE), (200,)),
        Hostile("96 channels", wav(np.zeros((RATE // 4, 96), np.float32)), (200,)),
        Hostile("1,024 channels", wav(np.zeros((RATE // 50, 1024), np.float32)), (200,)),
        Hostile("65,535 channels", _riff(channels=65_535), (422,)),
        Hostile("no channel", _riff(channels=0), (422,)),
        Hostile("no sample a second", _riff(rate=0), (422,)),
        Hostile("one sample a second", _riff(rate=1), (422,)),
        Hostile("a prime rate", _riff(rate=2_147_483_647), (200, 422)),
        Hostile("a length that is not there", _riff(length=2**32 - 1), (200, 422)),
        Hostile("not a number", _floats(np.nan), (422,)),
        Hostile("infinite", _floats(np.inf), (422,)),
        Hostile("far too loud", _floats(1e30), (422,)),
        Hostile("a playlist", PLAYLIST, (422,)),
        Hostile("a list of files", b"ffconcat version 1.0\nfile /etc/passwd\n", (422,)),
        Hostile("deep JSON", b"[" * 100_000, (422,), JSON),
        Hostile("JSON that is not", good, (422,), JSON),
        Hostile("fingerprints of nothing", b'{"rhythmstring": "eJw="}', (422,), JSON),
        Hostile("a bomb in a fingerprint", _string_bomb(), (422,), JSON),
        Hostile("a form without an end", FORM_BEGINS + good, (200,), FORM),
        Hostile("a form without a border", FORM_BEGINS, (422,), "multipart/form-data"),
        Hostile("a form of nothing", b"", (422,), FORM),
        Hostile("nothing", b"", (422,)),
    )


@cache
def longest() -> Hostile:
    """Give a small file of about the longest recording that is identified."""
    return Hostile("19 minutes of silence", _flac(np.zeros(19 * 60 * 8000, np.int16), 8000), (200,))


def damaged(rng: np.random.Generator) -> Iterator[Hostile]:
    """Give recordings of several formats without end, with some of their bytes changed."""
    sound = music(1, 10)
    formats = {"FLAC": "PCM_16", "OGG": "VORBIS", "WAV": "PCM_16", "AIFF": "PCM_16", "MP3": None}
    whole = [_written(sound, RATE, format, subtype) for format, subtype in formats.items()]
    while True:
        for name, content in zip(formats, whole, strict=True):
            changed = np.frombuffer(content, np.uint8).copy()
            near = len(changed) if rng.random() < 0.5 else 200  # headers are the weakest
            places = rng.integers(0, near, 20)
            changed[places] = rng.integers(0, 256, 20)
            end = int(rng.integers(len(changed) // 4, len(changed)))
            yield Hostile(f"damaged {name}", changed[:end].tobytes(), (200, 422))


def _floats(value: float) -> bytes:
    return _written(np.full(RATE, value, np.float32), RATE, "WAV", "FLOAT")


def _flac(samples: np.ndarray, rate: int) -> bytes:
    return _written(samples, rate, "FLAC", "PCM_16")


def _written(samples: np.ndarray, rate: int, format: str, subtype: str | None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


def _riff(rate: int = RATE, channels: int = 1, length: int = 2 * RATE) -> bytes:
    """Give a second of 16-bit silence behind a header that says what is asked for."""
    width = 2 * channels % 65_536
    format = struct.pack("<HHIIHH", 1, channels, rate, rate * width % 2**32, width, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(format)) + format
    return (
        b"RIFF"
        + struct.pack("<I", length)
        + chunks
        + b"data"
        + struct.pack("<I", length)
        + bytes(2 * RATE)
    )


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clip.wav", content)
    return file.getvalue()


def _string_bomb() -> bytes:
    packed = base64.urlsafe_b64encode(zlib.compress(bytes(10**8), 9)).decode()
    return json.dumps({"rhythmstring": packed, "echoprintstring": packed}).encode()

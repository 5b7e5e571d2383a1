"""Realistic shards for benchmarks, made of real analysis documents and real code strings.

Documents are 210 to 540 kB, median 420, as in the dump. Each draws its segments, beats and strings
from the real ones and perturbs the numbers, so that it compresses like a real one.

    python -m benchmarks.shards --documents DIR --strings DIR --megabytes 2000 OUT.jsonl.zst
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zstandard

from benchmarks.command import command_line
from spotify_pipeline.fingerprint import (
    codes_of_trains,
    decode_echoprint,
    encode_echoprint,
    trains_of_codes,
)
from spotify_pipeline.shards import BASE62, TRACK_ID_LENGTH

SMALLEST, MEDIAN, LARGEST = 210_000, 420_000, 540_000
ZSTD_LEVEL = 3


class Generator:
    """Draws documents from real ones.

    Parameters
    ----------
    documents
        Folder of analysis documents, ``*.json``.
    strings
        Folder of files with an ``echoprintstring`` each.
    seed
        The same seed gives the same documents.
    """

    def __init__(self, documents: Path, strings: Path, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        real = [msgspec.json.decode(path.read_bytes()) for path in sorted(documents.glob("*.json"))]
        self.documents = [document for document in real if document.get("segments")]
        self.strings = [
            _as_in_the_dump(path.read_text().strip()) for path in sorted(strings.iterdir())
        ]
        self.pool = [segment for document in self.documents for segment in document["segments"]]
        self.segment_bytes = len(msgspec.json.encode(self.pool)) / len(self.pool)
        self.pitches = np.array([segment["pitches"] for segment in self.pool])
        self.timbre = np.array([segment["timbre"] for segment in self.pool])

    def document(self, shard: str) -> bytes:
        """Make one document, as a line."""
        template = self.documents[self.rng.integers(len(self.documents))]
        parts = {
            name: self._intervals(template[name])
            for name in ("bars", "beats", "sections", "tatums")
        }
        track = dict(template["track"])
        track["echoprintstring"] = self.strings[self.rng.integers(len(self.strings))]
        letters = self.rng.choice(list(BASE62), TRACK_ID_LENGTH - len(shard))
        meta = {**template["meta"], "track_id": shard + "".join(letters)}
        head = {"meta": meta, "track": track, **parts}
        room = self._size() - len(msgspec.json.encode(head))
        return msgspec.json.encode({**head, "segments": self._segments(room)}) + b"\n"

    def _size(self) -> int:
        return int(np.clip(self.rng.normal(MEDIAN, 90_000), SMALLEST, LARGEST))

    def _intervals(self, intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
        shifts = np.round(self.rng.uniform(0, 0.01, len(intervals)), 5).tolist()
        return [
            {**interval, "start": round(interval["start"] + shift, 5)}
            for interval, shift in zip(intervals, shifts, strict=True)
        ]

    def _segments(self, room: int) -> list[dict[str, Any]]:
        """Draw segments until they fill the room."""
        count = max(round(room / self.segment_bytes), 1)
        chosen = self.rng.integers(len(self.pool), size=count)
        starts = np.round(np.cumsum(self.rng.uniform(0.1, 0.4, len(chosen))), 5).tolist()
        noise = self.rng.normal(0, 1, (len(chosen), 12))
        pitches = np.round(np.clip(self.pitches[chosen] + 0.01 * noise, 0, 1), 3).tolist()
        timbre = np.round(self.timbre[chosen] + noise, 3).tolist()
        return [
            {**self.pool[k], "start": start, "pitches": pitch, "timbre": tone}
            for k, start, pitch, tone in zip(chosen.tolist(), starts, pitches, timbre, strict=True)
        ]


def _as_in_the_dump(string: str) -> str:
    """Drop the stop codes that the open codegen writes, and the dump's documents do not have."""
    return encode_echoprint(codes_of_trains(trains_of_codes(decode_echoprint(string))))


def add_real_parts(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add the options that say of which real documents and strings shards are made."""
    parser.add_argument(
        "--documents",
        type=Path,
        required=required,
        metavar="DIR",
        help="folder of real analysis documents, .json",
    )
    parser.add_argument(
        "--strings",
        type=Path,
        required=required,
        metavar="DIR",
        help="folder of files with a real echoprintstring each",
    )


def write_shard(generator: Generator, shard: str, target: Path, megabytes: int) -> int:
    """Write documents until they make so many megabytes unpacked; gives their number."""
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True, threads=-1)
    count = unpacked = 0
    with target.open("wb") as file, compressor.stream_writer(file) as stream:
        for line in _lines(generator, shard):
            stream.write(line)
            count, unpacked = count + 1, unpacked + len(line)
            if unpacked >= megabytes * 1_000_000:
                return count
    return count


def repeat_documents(source: Path, shard: str, target: Path, lines: int) -> None:
    """Write the documents of a ``.jsonl.zst`` again and again, byte for byte but for track ids."""
    with source.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    documents = [line for line in text.splitlines() if line]
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True, threads=-1)
    with target.open("wb") as out, compressor.stream_writer(out) as stream:
        for number in range(lines):
            track_id = f"{shard}{number:0{TRACK_ID_LENGTH - len(shard)}}"
            stream.write(_with_track_id(documents[number % len(documents)], track_id) + b"\n")


def _with_track_id(line: bytes, track_id: str) -> bytes:
    head, meta, rest = line.partition(b'"meta":{')
    if not meta:
        raise SystemExit(f'a document has no "meta":{{ but begins with {line[:60]!r}')
    return head + meta + f'"track_id":"{track_id}",'.encode() + rest


def _lines(generator: Generator, shard: str) -> Iterator[bytes]:
    while True:
        yield generator.document(shard)


def main(words: Sequence[str] | None = None) -> None:
    """Write a shard."""
    parser = command_line(__doc__)
    add_real_parts(parser, required=True)
    parser.add_argument("--megabytes", type=int, default=2000, help="to write, unpacked")
    parser.add_argument("--shard", default="0a", help="with which track ids begin")
    parser.add_argument("--seed", type=int, default=1, help="another one draws other documents")
    parser.add_argument("target", type=Path, metavar="OUT.jsonl.zst", help="file to write")
    arguments = parser.parse_args(words)
    generator = Generator(arguments.documents, arguments.strings, arguments.seed)
    count = write_shard(generator, arguments.shard, arguments.target, arguments.megabytes)
    print(f"{count} documents, {arguments.target.stat().st_size:,} bytes packed")


if __name__ == "__main__":
    main()

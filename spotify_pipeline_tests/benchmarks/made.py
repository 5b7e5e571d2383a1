"""Music and documents for benchmarks, made on the spot.

Belongs here: what several commands are given, and reading the tables that they print. Does not
belong here: what a benchmark is to print.
"""

import json
import re
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import soundfile

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.dump.compression import open_compressed
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.sample_dump.writing import write_sample_dump

__all__ = ["Made", "compose_pieces", "make", "numbers", "table"]

RATE = 11_025
SHARD = "0a"
ANALYSED = 3
ASKED, SOURCES = 4, 2
"""Pieces of the validation set, and of the training set, which impostors are spliced from."""


class Made(NamedTuple):
    """What commands are given.

    Attributes
    ----------
    music
        Folder of composed pieces.
    shard
        Documents of three of them, as a shard of the dump.
    documents
        Folder with each document as a file.
    strings
        Folder with each document's ``echoprintstring``.
    pairs
        Folder of one of these pieces, beside its document.
    others
        Documents of the other two.
    """

    music: Path
    shard: Path
    documents: Path
    strings: Path
    pairs: Path
    others: list[Path]


def make(folder: Path) -> Made:
    """Compose music, and make documents of some of it."""
    names = list(_names())
    analysed, pair = names[:ANALYSED], names[0]
    music, dumped, documents, strings, pairs = (
        folder / name for name in ("music", "analysed", "documents", "strings", "pairs")
    )
    for each in (dumped, documents, strings, pairs):
        each.mkdir()
    compose_pieces(music)
    for name in analysed:
        (dumped / f"{name}.flac").symlink_to(music / f"{name}.flac")
    dump = write_sample_dump(dumped, folder / "dump", shards=[SHARD], workers=1)
    shard = folder / "dump" / "audio_analysis" / f"{SHARD}.jsonl.zst"
    file_of = {track.track_id: Path(track.file) for track in dump.tracks}
    with open_compressed(shard) as stream:
        lines = stream.read().splitlines()
    for line in lines:
        document = json.loads(line)
        name = file_of[document["meta"]["track_id"]].stem
        (documents / f"{name}.json").write_bytes(line)
        (strings / name).write_text(document["track"]["echoprintstring"])
    (pairs / f"{pair}.flac").symlink_to(music / f"{pair}.flac")
    (pairs / f"{pair}.json").symlink_to(documents / f"{pair}.json")
    others = [documents / f"{name}.json" for name in analysed if name != pair]
    return Made(music, shard, documents, strings, pairs, others)


def compose_pieces(folder: Path) -> None:
    """Compose `ASKED` pieces of the validation set and `SOURCES` of the training set."""
    folder.mkdir()
    for seed, name in enumerate(_names()):
        _compose(seed, folder / f"{name}.flac")


def _compose(seed: int, file: Path) -> None:
    """Write a piece at a low rate, so that it is read fast."""
    piece = compose(seed)
    step = piece.sample_rate // RATE
    samples = piece.samples[: len(piece.samples) // step * step]
    soundfile.write(file, samples.reshape(-1, step).mean(axis=1), RATE)


def _names() -> Iterator[str]:
    """Give names whose hashes put the pieces in the sets where they are needed."""
    for part, wanted in ((Part.VALIDATION, ASKED), (Part.TRAINING, SOURCES)):
        names = (f"piece {number}" for number in count())
        yield from islice((name for name in names if part_of(Path(name)) is part), wanted)


def table(printed: str) -> dict[str, list[str]]:
    """Read tables whose columns stand two spaces apart or more: cells by the first of each row."""
    rows = (re.split(r"\s{2,}", line.strip()) for line in printed.splitlines())
    return {first: cells for first, *cells in rows if cells}


def numbers(text: str) -> list[float]:
    """Read the numbers of a line, percentages and thousands as they are written."""
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]

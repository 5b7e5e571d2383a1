"""What the benchmarks of recordings whose analysis documents are known have in common.

Belongs here: finding recordings beside their documents, what excerpts go through, options that
these commands take. Does not belong here: what is compared, and how.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.command import add_degradations, add_lengths
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE, Degradation
from spotify_pipeline.evaluation.noise import pink_noise, with_noise
from spotify_pipeline.harmony import Segments, pack_harmony, unpack_harmony
from spotify_pipeline.recording import AUDIO_SUFFIXES

__all__ = ["CONDITIONS", "SHORTEST_DOCUMENT", "add_pairs", "packed", "recordings_with_documents"]

SHORTEST_DOCUMENT = 40.0
"""Seconds: shorter documents are no impostors. Set by hand."""

CONDITIONS: dict[str, Degradation] = {
    **DEGRADATIONS,
    "pink 5": lambda x, rng: with_noise(x, pink_noise(len(x), rng), 5, RATE),
}
"""What excerpts may go through."""


def packed(segments: Segments) -> Segments:
    """Keep what the index keeps."""
    return unpack_harmony(pack_harmony(segments))


def recordings_with_documents(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Find recordings and the documents beside them, in the order of their names."""
    for document in sorted(folder.glob("*.json")):
        audio = (document.with_suffix(ending) for ending in AUDIO_SUFFIXES)
        recording = next((one for one in audio if one.exists()), None)
        if recording is not None:
            yield recording, document


def add_pairs(parser: argparse.ArgumentParser, lengths: list[float], excerpts: int) -> None:
    """Add the options that say what is compared; the last two are defaults."""
    parser.add_argument(
        "--pairs", type=Path, required=True, metavar="DIR", help="recordings beside their documents"
    )
    parser.add_argument(
        "--documents",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="of other analysis documents, .jsonl or .jsonl.zst",
    )
    add_lengths(parser, lengths)
    add_degradations(parser, [*CONDITIONS], ["clean", "pink 5", "room", "telephone", "white 0"])
    parser.add_argument(
        "--excerpts", type=int, default=excerpts, help="of each recording and condition"
    )

"""The demonstration's material: a small dump in the incoming folder, and excerpts to identify.

Belongs here: choosing the music, making the dump and the excerpts. Does not belong here: running
the pipeline and showing its answers (`cli`).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spotify_pipeline.demo.belongings import mark_home, note_made
from spotify_pipeline.demo.composer import write_pieces
from spotify_pipeline.demo.excerpt import EXCERPT_RATE, write_noisy_excerpt
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report
from spotify_pipeline.recording import audio_files, read_recording
from spotify_pipeline.sample_dump.writing import SampleDump, write_sample_dump
from spotify_pipeline.settings import Settings

__all__ = ["EXCERPT_SECONDS", "NOISE_DECIBEL", "Excerpt", "Material", "prepare_material"]

PIECES = 24
"""Pieces that are composed, or taken of the user's own."""

EXCERPTS = 3
EXCERPT_SECONDS = 10.0
NOISE_DECIBEL = 10.0
SEED = 7


@dataclass(frozen=True)
class Excerpt:
    """A noisy excerpt, and the truth about it.

    Attributes
    ----------
    file
        The excerpt, an MP3.
    title
        Of the piece it was cut from.
    start
        Seconds into the piece.
    indexed
        Whether the piece is part of the dump.
    """

    file: Path
    title: str
    start: float
    indexed: bool


@dataclass(frozen=True)
class Material:
    """The dump that was made, and the excerpts to try on it."""

    dump: SampleDump
    excerpts: tuple[Excerpt, ...]


def prepare_material(settings: Settings, music: Path | None, report: Report) -> Material:
    """Make a dump of all pieces but one, put it into the incoming folder, and cut excerpts.

    Parameters
    ----------
    settings
        The data home; the demo keeps its own files in ``demo`` below it.
    music
        A folder of audio files, of which the first two dozen are used; None composes some.
    report
        Called with what is done, the total and what is being worked on.

    Raises
    ------
    PipelineError
        The data home holds anything that the demo did not make, or there is too little music.
    """
    mark_home(settings)
    settings.create_folders()
    folder = settings.home / "demo"
    pieces = _composed(folder / "music", report) if music is None else _found(music)
    known = _linked(pieces[:-1], folder / "known")
    dump = write_sample_dump(
        known,
        folder / "dump",
        progress=lambda done, total, file: report(done, total, "analysing the music"),
    )
    note_made(settings, (folder / "dump").glob("*/*.zst"))
    for part in ("audio_analysis", "metadata"):
        shutil.copytree(folder / "dump" / part, settings.incoming / part, dirs_exist_ok=True)
    return Material(dump, _excerpts(dump, known, pieces[-1], folder / "excerpts"))


def _composed(folder: Path, report: Report) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return write_pieces(
        folder, PIECES, progress=lambda done, total: report(done, total, "composing music")
    )


def _found(music: Path) -> list[Path]:
    if not music.is_dir():
        raise PipelineError(f"{music}: no such folder")
    files = audio_files(music)
    if len(files) < 2:
        raise PipelineError(f"{music}: the demo needs at least two audio files")
    return files[:PIECES]


def _linked(files: list[Path], folder: Path) -> Path:
    """Gather files in a folder without copying them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, file in enumerate(files):
        link = folder / file.name
        if link.exists():
            link = folder / f"{number} {file.name}"
        link.symlink_to(file.absolute())
    return folder


def _excerpts(dump: SampleDump, known: Path, unknown: Path, folder: Path) -> tuple[Excerpt, ...]:
    """Cut excerpts of some pieces of the dump and one of the piece that is not in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(dump.tracks), min(EXCERPTS, len(dump.tracks)), replace=False)
    sources = [(known / dump.tracks[k].file, dump.tracks[k].title, True) for k in chosen]
    sources.append((unknown, unknown.stem, False))
    excerpts = []
    for number, (source, title, indexed) in enumerate(sources, 1):
        room = max(read_recording(source, EXCERPT_RATE).duration - EXCERPT_SECONDS, 0.0)
        excerpt = Excerpt(folder / f"excerpt {number}.mp3", title, rng.uniform(0, room), indexed)
        write_noisy_excerpt(
            source,
            excerpt.file,
            start=excerpt.start,
            seconds=EXCERPT_SECONDS,
            noise_decibel=NOISE_DECIBEL,
            seed=number,
        )
        excerpts.append(excerpt)
    return tuple(excerpts)

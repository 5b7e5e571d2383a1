"""Demo music that the project composes itself: offline, free of rights, the same for a seed.

Belongs here: how a score is played and mixed, how a piece is labelled, and the files. Does not
belong here: which note is played when (`spotify_pipeline.demo.score`), and the sound of a note
(`spotify_pipeline.demo.instruments`).
"""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spotify_pipeline.demo.instruments import (
    INSTRUMENTS,
    SAMPLE_RATE,
    Instrument,
    Signal,
    draw_drum_kit,
)
from spotify_pipeline.demo.score import Score, write_score
from spotify_pipeline.demo.styles import STYLES, Style
from spotify_pipeline.errors import PipelineError

__all__ = ["ComposerError", "Piece", "compose", "write_pieces"]

LEVELS = {
    "melody": 0.2,
    "chords": 0.09,
    "bass": 0.2,
    "kick": 0.3,
    "snare": 0.12,
    "hat": 0.07,
    "tom": 0.16,
    "crash": 0.08,
}
"""Root mean square of one note of each part in the mix, over `REFERENCE_DURATION`."""

REFERENCE_DURATION = 0.4
"""Seconds of the note by which an instrument's loudness is judged."""

REFERENCE_FREQUENCIES = {"melody": 523.0, "chords": 262.0, "bass": 65.0}
"""Frequency (Hz) of that note: the middle of each part's range."""

TAIL = 2.5
"""Seconds in which the last chord dies away."""

FIRST_WORDS = (
    "Paper", "Northern", "Silent", "Copper", "Velvet", "Distant", "Hollow", "Crooked", "Winter",
    "Amber", "Borrowed", "Electric", "Salted", "Midnight", "Gentle", "Broken", "Seventh", "Harbour",
    "Wooden",
)  # fmt: skip
SECOND_WORDS = (
    "Lanterns", "Rivers", "Signal", "Orchard", "Machines", "Letters", "Horizon", "Staircase",
    "Gardens", "Thunder", "Compass", "Carousel", "Mirrors", "Tramlines", "Feathers", "Windows",
    "Satellites", "Weather", "Promises", "Avenue", "Ember", "Parade", "Echoes",
)  # fmt: skip

TRACKS_PER_ALBUM = 3
SEEDS_PER_ROUND = TRACKS_PER_ALBUM * len(STYLES)
"""After so many seeds every artist has filled an album and begins another."""


class ComposerError(PipelineError):
    """A piece could not be written; the message names the file."""


@dataclass(frozen=True)
class Piece:
    """One piece of music and what its label says.

    Attributes
    ----------
    title, artist, album, year, genre
        Invented; several pieces share an artist and an album.
    samples
        Mono, float32, shape (n,), peak at -1 dB of full scale.
    sample_rate
        In Hz.
    """

    title: str
    artist: str
    album: str
    year: int
    genre: str
    samples: npt.NDArray[np.float32]
    sample_rate: int = SAMPLE_RATE


def compose(seed: int) -> Piece:
    """Compose, play and mix a piece.

    Parameters
    ----------
    seed
        The same seed gives the same samples; the style goes round with the seed.

    Returns
    -------
    Piece
        60 to 90 s long.

    Raises
    ------
    ValueError
        The seed is below 0.
    """
    rng = np.random.default_rng([seed, 1])
    score = write_score(seed)
    samples = _master(_add_reverberation(_play(score, rng), rng))
    album = seed // SEEDS_PER_ROUND * SEEDS_PER_ROUND + seed % len(STYLES)
    return Piece(
        title=title_of(seed),
        artist=score.style.artist,
        album=title_of(album),
        year=1988 + 7 * album % 37,
        genre=score.style.genre,
        samples=samples,
    )


def _form_band(style: Style, rng: np.random.Generator) -> dict[str, Instrument]:
    """Draw an instrument for each part, at the part's level."""
    choices = {"melody": style.lead, "chords": style.harmony, "bass": style.bass}
    band = {part: INSTRUMENTS[str(rng.choice(names))](rng) for part, names in choices.items()}
    band |= draw_drum_kit(rng)
    return {part: _at_level(instrument, part, rng) for part, instrument in band.items()}


def _at_level(instrument: Instrument, part: str, rng: np.random.Generator) -> Instrument:
    """Turn an instrument up or down until a note of it has its part's level in the mix."""
    note = instrument(REFERENCE_FREQUENCIES.get(part, 0.0), REFERENCE_DURATION, rng)
    level = np.sqrt(np.sum(note**2) / (REFERENCE_DURATION * SAMPLE_RATE))
    gain = np.float32(LEVELS[part] * rng.uniform(0.85, 1.15) / level)
    return lambda frequency, duration, rng: gain * instrument(frequency, duration, rng)


def _play(score: Score, rng: np.random.Generator) -> Signal:
    """Play every note on a band drawn for the piece; dry, peak at any level, shape (n,)."""
    band = _form_band(score.style, rng)
    mix = np.zeros(int((score.bar_times[-1] + TAIL) * SAMPLE_RATE), np.float32)
    for note in score.notes:
        sound = band[note.part](440 * 2 ** ((note.pitch - 69) / 12), note.duration, rng)
        start = int(note.time * SAMPLE_RATE)
        room = mix[start : start + len(sound)]
        room += np.float32(note.loudness) * sound[: len(room)]
    return mix


def _add_reverberation(dry: Signal, rng: np.random.Generator) -> Signal:
    """Convolve with a small room: noise that fades exponentially."""
    seconds = rng.uniform(0.5, 1.2)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    response = np.convolve(rng.standard_normal(len(time)), np.full(3, 1 / 3), "same")
    response *= 10 ** (-3 * time / seconds)
    response *= rng.uniform(0.2, 0.35) / np.sqrt(np.sum(response**2))
    size = 1 << (len(dry) + len(response)).bit_length()
    spectrum = np.fft.rfft(dry, size) * np.fft.rfft(response.astype(np.float32), size)
    return dry + np.fft.irfft(spectrum, size)[: len(dry)].astype(np.float32)


def _master(mix: Signal) -> Signal:
    """Round off the loudest strokes, fade out the tail, and bring the peak to -1 dB."""
    limited = np.tanh(mix / (5 * np.sqrt(np.mean(mix**2))))
    tail = int(TAIL * SAMPLE_RATE)
    limited[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
    return np.asarray(limited * (10 ** (-1 / 20) / np.abs(limited).max()), np.float32)


def title_of(seed: int) -> str:
    """Give each of the first ``len(FIRST_WORDS) * len(SECOND_WORDS)`` seeds its own title."""
    # The stride shares no factor with the number of titles, so that it visits all of them.
    first, second = divmod(seed * 131 % (len(FIRST_WORDS) * len(SECOND_WORDS)), len(SECOND_WORDS))
    return f"{FIRST_WORDS[first]} {SECOND_WORDS[second]}"


def write_pieces(
    folder: Path,
    count: int = 24,
    *,
    first_seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Compose pieces and write them as tagged FLAC files.

    A file appears under its name when it is whole; one of the same name is replaced.

    Parameters
    ----------
    folder
        Where to; it is created when it is missing.
    count
        How many pieces.
    first_seed
        The seed of the first piece; the others follow it.
    progress
        Called after each piece with the number of pieces done and ``count``.

    Returns
    -------
    list[Path]
        The files ``<artist> - <title>.flac``, in the order of their seeds.

    Raises
    ------
    ComposerError
        A file or the folder cannot be written.
    ValueError
        The first seed is below 0.
    """
    paths = []
    for done, seed in enumerate(range(first_seed, first_seed + count), start=1):
        piece = compose(seed)
        path = folder / f"{piece.artist} - {piece.title}.flac"
        _write(path, _encode(piece, seed))
        paths.append(path)
        if progress is not None:
            progress(done, count)
    return paths


def _encode(piece: Piece, seed: int) -> bytes:
    """Encode a piece as FLAC with Vorbis comments."""
    import soundfile
    from mutagen.flac import FLAC

    file = io.BytesIO()
    soundfile.write(file, piece.samples, piece.sample_rate, format="FLAC", subtype="PCM_16")
    file.seek(0)
    flac = FLAC(file)
    flac.update(
        title=piece.title,
        artist=piece.artist,
        album=piece.album,
        date=str(piece.year),
        genre=piece.genre,
        tracknumber=str(seed % SEEDS_PER_ROUND // len(STYLES) + 1),
        isrc=f"XXDMO{piece.year % 100:02d}{seed % 100_000:05d}",
    )
    file.seek(0)
    flac.save(file)
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Write a file beside its name and rename it, so that a file that is there is whole."""
    partial = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        message = f"cannot write {path}: {error}; free some space or choose another folder"
        raise ComposerError(message) from error
    finally:
        # Where the folder itself is at fault, there is nothing to clear away.
        with suppress(OSError):
            partial.unlink(missing_ok=True)

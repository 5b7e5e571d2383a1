"""The demo music sounds, is the same for a seed, never repeats itself, and is written whole."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from mutagen.flac import FLAC

from spotify_pipeline.demo import composer
from spotify_pipeline.demo.composer import ComposerError, Piece, compose, title_of, write_pieces
from spotify_pipeline.demo.instruments import SAMPLE_RATE
from spotify_pipeline.demo.score import write_score

SEEDS = (12, 13)
"""Two styles, one straight and one swung."""

composed = cache(compose)


@pytest.fixture
def _composed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "compose", composed)


def test_another_process_composes_the_same_bits() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        other = pool.submit(compose, SEEDS[0]).result()
    piece = composed(SEEDS[0])
    assert other.samples.tobytes() == piece.samples.tobytes()
    assert (other.title, other.artist, other.album) == (piece.title, piece.artist, piece.album)


def test_titles_of_the_first_400_seeds_differ() -> None:
    assert len({title_of(seed) for seed in range(400)}) == 400


@pytest.mark.parametrize("seed", SEEDS)
def test_piece_is_sound_of_the_right_length_and_level(seed: int) -> None:
    piece = composed(seed)
    assert piece.samples.dtype == np.float32
    assert piece.samples.ndim == 1
    assert 60 <= len(piece.samples) / piece.sample_rate <= 91
    assert np.abs(piece.samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    assert abs(piece.samples.mean()) < 0.01
    seconds = piece.samples[: -len(piece.samples) % -SAMPLE_RATE or None]
    loudness = np.sqrt(np.mean(seconds.reshape(-1, SAMPLE_RATE) ** 2, axis=1))
    assert loudness[:-3].min() > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_bars_sound_alike(seed: int) -> None:
    bars = _bars(composed(seed), seed)
    assert len(bars) >= 24
    assert _greatest_likeness(bars) < 0.8


def test_likeness_finds_a_repeated_bar() -> None:
    bars = _bars(composed(SEEDS[0]), SEEDS[0])[:5]
    bars.append(0.5 * np.roll(bars[3], 300))
    assert _greatest_likeness(bars) > 0.98


@pytest.mark.usefixtures("_composed_once")
def test_written_files_carry_their_tags_and_decode(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    paths = write_pieces(
        tmp_path / "music",
        len(SEEDS),
        first_seed=SEEDS[0],
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(1, 2), (2, 2)]
    assert sorted((tmp_path / "music").iterdir()) == sorted(paths)
    for seed, path in zip(SEEDS, paths, strict=True):
        piece = composed(seed)
        assert path.name == f"{piece.artist} - {piece.title}.flac"
        samples, sample_rate = soundfile.read(path, dtype="float32")
        assert sample_rate == piece.sample_rate
        np.testing.assert_allclose(samples, piece.samples, atol=2 / 32768)
        flac = FLAC(path)
        assert flac.info.bits_per_sample == 16
        assert {name: value for name, (value,) in flac.items()} == {
            "title": piece.title,
            "artist": piece.artist,
            "album": piece.album,
            "date": str(piece.year),
            "genre": piece.genre,
            "tracknumber": "2",
            "isrc": f"XXDMO{piece.year % 100:02d}{seed:05d}",
        }


@pytest.mark.usefixtures("_composed_once")
def test_interrupted_write_keeps_the_earlier_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_pieces(tmp_path, 1, first_seed=SEEDS[0])
    whole = path.read_bytes()
    write_bytes = Path.write_bytes

    def interrupted(self: Path, content: bytes) -> int:
        write_bytes(self, content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_pieces(tmp_path, 1, first_seed=SEEDS[0])
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_composed_once")
def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "music").write_bytes(b"not a folder")
    with pytest.raises(ComposerError, match="music"):
        write_pieces(tmp_path / "music", 1, first_seed=SEEDS[0])


@pytest.mark.usefixtures("_composed_once")
def test_file_that_cannot_be_replaced_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    piece = composed(SEEDS[0])
    path = tmp_path / f"{piece.artist} - {piece.title}.flac"
    path.mkdir()
    with pytest.raises(ComposerError, match=piece.title):
        write_pieces(tmp_path, 1, first_seed=SEEDS[0])
    assert list(tmp_path.iterdir()) == [path]


def _bars(piece: Piece, seed: int) -> list[npt.NDArray[np.float32]]:
    """Cut a piece, thinned to a quarter, at its bar lines; all bars as long as the shortest."""
    rate = piece.sample_rate // 4
    samples = piece.samples[: len(piece.samples) // 4 * 4].reshape(-1, 4).mean(axis=1)
    starts = (np.array(write_score(seed).bar_times) * rate).astype(int)
    length = int(np.diff(starts).min())
    return [samples[start : start + length] for start in starts[:-1]]


def _greatest_likeness(bars: list[npt.NDArray[np.float32]]) -> float:
    """Give the highest correlation, -1 to 1, of any two bars at any shift."""
    size = 2 << len(bars[0]).bit_length()
    spectra = [np.fft.rfft(bar / np.linalg.norm(bar), size) for bar in bars]
    return max(
        float(np.fft.irfft(first * np.conj(second)).max())
        for first, second in combinations(spectra, 2)
    )

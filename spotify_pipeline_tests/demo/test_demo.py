"""The demonstration's material, and its respect for data that is not its own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from spotify_pipeline.demo.demo import EXCERPT_SECONDS, Material, prepare_material
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import shard_of_file_name

PIECE_SECONDS = 13.0
PIECES = {"one.wav", "two.flac", "deeper/one.wav", "unknown.wav"}


def settings_in(folder: Path) -> Settings:
    settings = Settings(folder / "home", folder / "home" / "incoming")
    settings.create_folders()
    return settings


def no_report(done: int, total: int, what: str) -> None:
    """Take progress and do nothing with it."""


def write_music(folder: Path) -> Path:
    """Write bursts of noise and a file that is not audio."""
    for seed, name in enumerate(sorted(PIECES)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).normal(size=round(PIECE_SECONDS * 16_000))
        noise *= np.exp(-8 * (np.arange(len(noise)) / 16_000 % 0.45))
        soundfile.write(path, 0.2 * noise, 16_000)
    (folder / "notes.txt").write_text("not audio")
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_in(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_music(tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def reports() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def material(settings: Settings, music: Path, reports: list[tuple[int, int, str]]) -> Material:
    return prepare_material(settings, music, lambda *report: reports.append(report))


def test_the_dump_holds_all_pieces_but_one(material: Material) -> None:
    assert len(material.dump.tracks) == len(PIECES) - 1
    assert material.dump.failed == ()
    assert "unknown" not in {track.title for track in material.dump.tracks}


def test_the_dump_lies_in_the_incoming_folder(material: Material, settings: Settings) -> None:
    shards = {path.name for path in (settings.incoming / "audio_analysis").iterdir()}
    assert {shard_of_file_name(name) for name in shards} == {
        track.shard for track in material.dump.tracks
    }
    assert (settings.incoming / "metadata" / "spotify_clean.sqlite3.zst").is_file()


def test_excerpts_tell_the_truth_about_themselves(material: Material) -> None:
    indexed = [excerpt for excerpt in material.excerpts if excerpt.indexed]
    (unknown,) = (excerpt for excerpt in material.excerpts if not excerpt.indexed)
    assert sorted(e.title for e in indexed) == sorted(t.title for t in material.dump.tracks)
    assert unknown.title == "unknown"
    for excerpt in material.excerpts:
        assert 0 <= excerpt.start <= PIECE_SECONDS - EXCERPT_SECONDS
        assert read_for_fingerprint(excerpt.file).duration == pytest.approx(
            EXCERPT_SECONDS, abs=0.001
        )


def test_an_excerpt_is_cut_from_where_it_says(material: Material, music: Path) -> None:
    (unknown,) = (excerpt for excerpt in material.excerpts if not excerpt.indexed)
    piece = read_for_fingerprint(music / "unknown.wav").samples
    noisy = read_for_fingerprint(unknown.file).samples
    clean = piece[round(unknown.start * 11_025) :][: len(noisy)]
    assert np.corrcoef(clean, noisy)[0, 1] > 0.6


def test_progress_is_reported_to_the_end(
    material: Material, reports: list[tuple[int, int, str]]
) -> None:
    assert reports[-1] == (
        len(material.dump.tracks),
        len(material.dump.tracks),
        "analysing the music",
    )


def test_the_music_stays_as_it_is(material: Material, music: Path) -> None:
    assert material.excerpts
    names = {path.relative_to(music).as_posix() for path in music.rglob("*.*")}
    assert names == PIECES | {"notes.txt"}
    assert not any(path.is_symlink() for path in music.rglob("*"))


def test_a_home_in_which_the_demo_ran_is_not_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.home / "demo").mkdir()
    settings.audio_database.touch()
    (settings.incoming / "7O.jsonl.zst").touch()
    with pytest.raises(PipelineError, match="nowhere: no such folder"):
        prepare_material(settings, tmp_path / "nowhere", no_report)


@pytest.mark.parametrize("name", ["audio.duckdb", "meta.duckdb"])
def test_a_home_with_other_data_is_refused(tmp_path: Path, music: Path, name: str) -> None:
    settings = settings_in(tmp_path)
    (settings.home / name).write_bytes(b"precious")
    with pytest.raises(PipelineError, match="choose another data home"):
        prepare_material(settings, music, no_report)
    assert (settings.home / name).read_bytes() == b"precious"
    assert not (settings.home / "demo").exists()


@pytest.mark.parametrize(
    "name", ["metadata/spotify_clean.sqlite3.zst", "audio_analysis/7O.jsonl.zst", "0a.jsonl.zst"]
)
def test_files_that_wait_in_the_incoming_folder_are_not_touched(
    tmp_path: Path, music: Path, name: str
) -> None:
    settings = settings_in(tmp_path)
    waiting = settings.incoming / name
    waiting.parent.mkdir(exist_ok=True)
    waiting.write_bytes(b"precious")
    with pytest.raises(PipelineError, match="choose another data home"):
        prepare_material(settings, music, no_report)
    assert waiting.read_bytes() == b"precious"
    assert not (settings.home / "demo").exists()


def test_a_music_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="nowhere: no such folder"):
        prepare_material(settings_in(tmp_path), tmp_path / "nowhere", no_report)


@pytest.mark.parametrize("files", [[], ["one.wav"]])
def test_too_little_music_is_an_error(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(PipelineError, match="audio file"):
        prepare_material(settings_in(tmp_path), tmp_path, no_report)

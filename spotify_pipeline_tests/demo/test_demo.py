"""The demonstration's material, and its respect for data that is not its own."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spotify_pipeline.demo.belongings import mark_home
from spotify_pipeline.demo.demo import EXCERPT_SECONDS, Material, prepare_material
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import shard_of_file_name
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_documents
from spotify_pipeline_tests.extracts import reduce_documents
from spotify_pipeline_tests.metadata_file import write_metadata

PIECE_SECONDS = 13.0
PIECES = {"one.wav", "two.flac", "deeper/one.wav", "unknown.wav"}


def settings_in(folder: Path) -> Settings:
    settings = Settings(folder / "home", folder / "home" / "incoming")
    settings.create_folders()
    return settings


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)  # no process more for three short pieces
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


@pytest.fixture
def demo_home(material: Material, settings: Settings, tmp_path: Path) -> Settings:
    """Give a copy of the home in which the demo ran."""
    assert material
    shutil.copytree(settings.home, tmp_path / "home", symlinks=True)
    return settings_in(tmp_path)


def test_a_home_in_which_the_demo_ran_is_not_refused(demo_home: Settings) -> None:
    mark_home(demo_home)
    mark_home(demo_home)


def test_a_home_in_which_the_demo_was_interrupted_is_not_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    def interrupt(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_material(settings, None, interrupt)
    assert files_below(settings.home)
    mark_home(settings)


@pytest.mark.parametrize(
    "name",
    [
        "audio.duckdb",
        "meta.duckdb",
        "holiday.jpg",
        "incoming/metadata/spotify_clean.sqlite3.zst",
        "incoming/audio_analysis/7O.jsonl.zst",
        "incoming/half.part",
    ],
)
def test_a_home_that_holds_anything_is_refused_and_not_touched(
    tmp_path: Path, music: Path, name: str
) -> None:
    settings = Settings(tmp_path / "home", tmp_path / "home" / "incoming")
    precious = settings.home / name
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"precious")
    with pytest.raises(PipelineError, match="was not made by the demo") as error:
        prepare_material(settings, music, no_report)
    assert str(precious) in str(error.value)
    assert files_below(settings.home) == [precious]
    assert precious.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "name", ["metadata/spotify_clean.sqlite3.zst", "audio_analysis/7O.jsonl.zst", "0a.jsonl.zst"]
)
def test_a_demos_home_with_a_file_of_the_users_is_refused(
    demo_home: Settings, music: Path, name: str
) -> None:
    waiting = demo_home.incoming / name
    waiting.write_bytes(b"precious")
    with pytest.raises(PipelineError, match="was not made by the demo"):
        prepare_material(demo_home, music, no_report)
    assert waiting.read_bytes() == b"precious"


def test_a_demos_home_with_a_shard_of_the_users_is_refused(demo_home: Settings) -> None:
    create_audio_database(demo_home.audio_database)
    with connect(demo_home.audio_database) as connection:
        extract = reduce_documents(demo_home, "0a", make_documents("0a", 1))
        ingest_extract(connection, extract, "run")
    with pytest.raises(PipelineError, match=r"shard 0a in .*audio\.duckdb was not made"):
        mark_home(demo_home)


def test_a_demos_home_with_a_catalogue_of_the_users_is_refused(
    demo_home: Settings, tmp_path: Path
) -> None:
    source = write_metadata(tmp_path / "spotify_clean.sqlite3")
    build_metadata(source, demo_home.staging, demo_home.metadata_database)
    with pytest.raises(PipelineError, match=r"table \w+ in .*meta\.duckdb was not made"):
        mark_home(demo_home)


def test_a_music_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="nowhere: no such folder"):
        prepare_material(settings_in(tmp_path), tmp_path / "nowhere", no_report)


@pytest.mark.parametrize("files", [[], ["one.wav"]])
def test_too_little_music_is_an_error(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(PipelineError, match="audio file"):
        prepare_material(settings_in(tmp_path), tmp_path, no_report)

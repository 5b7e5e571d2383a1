"""A whole dump made from a small folder of music."""

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import zstandard
from mutagen.flac import FLAC

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.fingerprint import decode_echoprint, decode_rhythm
from spotify_pipeline.sample_dump.writing import SampleDump, write_sample_dump
from spotify_pipeline.shards import OWN_MUSIC_SHARDS, is_track_id

CATALOGUE = Path("metadata", "spotify_clean.sqlite3.zst")


def write_noise(path: Path, seed: int, seconds: float = 6.0) -> None:
    """Write bursts of noise, which have onsets in every band."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    samples = generator.normal(size=round(16_000 * seconds))
    samples *= np.exp(-8 * (np.arange(len(samples)) / 16_000 % 0.45))
    soundfile.write(path, 0.2 * samples, 16_000)


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    write_noise(folder / "Ann - Nile.wav", 1)
    write_noise(folder / "deep" / "down" / "tagged.flac", 2)
    file = FLAC(folder / "deep" / "down" / "tagged.flac")
    file.update({"title": "Delta", "artist": ["Ann", "Bob"], "isrc": "GBAYE0601498"})
    file.save()
    write_noise(folder / "short.WAV", 3, seconds=0.1)
    soundfile.write(folder / "silence.flac", np.zeros(40_000), 8_000)
    shutil.copyfile(folder / "Ann - Nile.wav", folder / "deep" / "copy.wav")
    (folder / "broken.mp3").write_bytes(b"this is not audio")
    (folder / "empty.ogg").touch()
    soundfile.write(folder / "nan.wav", np.full(9_000, np.nan), 8_000, subtype="FLOAT")
    (folder / "notes.txt").write_text("not audio, and not to be listed")
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out") / "dump"


@pytest.fixture(scope="module")
def calls() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def dump(music: Path, out: Path, calls: list[tuple[int, int, str]]) -> SampleDump:
    return write_sample_dump(
        music, out, workers=1, progress=lambda done, total, file: calls.append((done, total, file))
    )


def documents(out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((out / "audio_analysis").iterdir()):
        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield path.name, json.loads(line)


def files_below(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


def test_every_distinct_readable_file_becomes_a_track(dump: SampleDump) -> None:
    found = {track.file: (track.title, track.artist) for track in dump.tracks}
    assert found == {
        "Ann - Nile.wav": ("Nile", "Ann"),
        "deep/down/tagged.flac": ("Delta", "Ann, Bob"),
        "short.WAV": ("short", "Unknown Artist"),
        "silence.flac": ("silence", "Unknown Artist"),
    }
    assert list(found) == sorted(found)
    assert dump.duplicates == 1


def test_unreadable_files_are_reported_with_a_reason(dump: SampleDump) -> None:
    assert [file for file, _ in dump.failed] == ["broken.mp3", "empty.ogg", "nan.wav"]
    assert all(reason and "broken.mp3" not in reason for _, reason in dump.failed)


def test_progress_counts_up_to_all_files(
    dump: SampleDump, calls: list[tuple[int, int, str]]
) -> None:
    assert [done for done, _, _ in calls] == list(range(1, 8))
    assert {total for _, total, _ in calls} == {len(dump.tracks) + len(dump.failed)}
    assert "broken.mp3" in {file for _, _, file in calls}


def test_a_track_lies_in_the_shard_that_its_id_names(dump: SampleDump, out: Path) -> None:
    found = {document["meta"]["track_id"]: name for name, document in documents(out)}
    assert found == {track.track_id: f"{track.shard}.jsonl.zst" for track in dump.tracks}
    for track in dump.tracks:
        assert is_track_id(track.track_id)
        assert track.track_id.startswith(track.shard)
        assert track.shard in OWN_MUSIC_SHARDS


def test_documents_hold_fingerprints_that_can_be_decoded(dump: SampleDump, out: Path) -> None:
    nile = next(track.track_id for track in dump.tracks if track.title == "Nile")
    content = {document["meta"]["track_id"]: document for _, document in documents(out)}[nile]
    assert decode_rhythm(content["track"]["rhythmstring"]).counts.sum() > 20
    assert len(decode_echoprint(content["track"]["echoprintstring"]).codes) > 5
    assert content["track"]["duration"] == pytest.approx(6)


def test_shards_are_single_frames_that_tell_size_and_checksum(dump: SampleDump, out: Path) -> None:
    for file in [*(out / "audio_analysis").iterdir(), out / CATALOGUE]:
        content = file.read_bytes()
        parameters = zstandard.get_frame_parameters(content)
        assert parameters.has_checksum
        assert parameters.content_size == len(zstandard.decompress(content))


def test_the_catalogue_has_the_same_tracks(dump: SampleDump, out: Path, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    path.write_bytes(zstandard.decompress((out / CATALOGUE).read_bytes()))
    with closing(sqlite3.connect(path)) as connection:
        rows = set(connection.execute("SELECT id, name FROM tracks"))
        durations = dict(connection.execute("SELECT name, duration_ms FROM tracks"))
    assert rows == {(track.track_id, track.title) for track in dump.tracks}
    assert durations["silence"] == 5000


def test_the_manifest_lists_the_tracks(dump: SampleDump, out: Path) -> None:
    text = (out / "manifest.csv").read_text(encoding="utf-8")
    assert text.startswith("file,track_id,shard,title,artist\n")
    rows = [
        (row["file"], row["track_id"], row["shard"], row["title"], row["artist"])
        for row in csv.DictReader(io.StringIO(text))
    ]
    assert rows == [(t.file, t.track_id, t.shard, t.title, t.artist) for t in dump.tracks]


def test_nothing_half_done_is_left(dump: SampleDump, out: Path) -> None:
    shards = {f"audio_analysis/{track.shard}.jsonl.zst" for track in dump.tracks}
    assert files_below(out) == {"manifest.csv", CATALOGUE.as_posix(), *shards}
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_a_second_run_gives_the_same_names_and_drops_what_is_gone(
    dump: SampleDump, music: Path, out: Path, tmp_path: Path
) -> None:
    fewer, again = tmp_path / "music", tmp_path / "out"
    shutil.copytree(music, fewer)
    shutil.copytree(out, again)
    gone = next(track for track in dump.tracks if track.title == "silence")
    (fewer / gone.file).unlink()
    (fewer / "short.WAV").rename(fewer / "renamed.wav")
    second = write_sample_dump(fewer, again, workers=1)
    kept = {track.track_id for track in dump.tracks} - {gone.track_id}
    assert {track.track_id for track in second.tracks} == kept
    assert {document["meta"]["track_id"] for _, document in documents(again)} == kept


def test_two_processes_give_the_same_manifest_byte_for_byte(
    dump: SampleDump, music: Path, out: Path, tmp_path: Path
) -> None:
    assert write_sample_dump(music, tmp_path, workers=2) == dump
    assert (tmp_path / "manifest.csv").read_bytes() == (out / "manifest.csv").read_bytes()


@pytest.mark.parametrize("shards", [(), ("8a",), ("00", "../x"), ("7ZZ",)])
def test_unknown_shards_are_refused_with_the_pattern(
    music: Path, tmp_path: Path, shards: tuple[str, ...]
) -> None:
    with pytest.raises(PipelineError, match="from 0 to 7"):
        write_sample_dump(music, tmp_path / "out", shards=shards)


def test_a_folder_without_audio_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="holds no audio file"):
        write_sample_dump(tmp_path, tmp_path / "out")


def test_a_music_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="is not a folder"):
        write_sample_dump(tmp_path / "missing", tmp_path / "out")


def test_a_folder_of_unreadable_files_only_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mp3").write_bytes(b"no")
    with pytest.raises(PipelineError, match=r"no audio file .* a\.mp3"):
        write_sample_dump(tmp_path / "music", tmp_path / "out", workers=1)
    assert files_below(tmp_path / "out") == set()


@pytest.mark.parametrize("name", ["audio_analysis/00.jsonl.zst", CATALOGUE.as_posix()])
def test_a_downloaded_dump_is_not_overwritten(music: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_bytes(b"months of downloading")
    with pytest.raises(PipelineError, match="will not be replaced"):
        write_sample_dump(music, tmp_path, shards=["00"])
    assert files_below(tmp_path) == {name}


@pytest.mark.usefixtures("disk_that_folds_case")
def test_two_shards_of_one_run_do_not_share_a_file_where_the_disk_folds_case(
    tmp_path: Path,
) -> None:
    for seed in range(8):
        write_noise(tmp_path / "music" / f"{seed}.wav", seed, seconds=0.1)
    with pytest.raises(PipelineError, match="another spelling"):
        write_sample_dump(tmp_path / "music", tmp_path / "out", shards=["0a", "0A"], workers=1)
    assert files_below(tmp_path / "out") == set()


@pytest.mark.usefixtures("disk_that_folds_case")
def test_a_shard_from_elsewhere_is_not_overwritten_where_the_disk_folds_case(
    tmp_path: Path,
) -> None:
    write_noise(tmp_path / "music" / "a.wav", 5, seconds=0.1)
    foreign = tmp_path / "out" / "audio_analysis" / "0a.jsonl.zst"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"from elsewhere")
    (tmp_path / "out" / "manifest.csv").touch()
    with pytest.raises(PipelineError, match="another spelling"):
        write_sample_dump(tmp_path / "music", tmp_path / "out", shards=["0A"], workers=1)
    assert foreign.read_bytes() == b"from elsewhere"


def test_an_output_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_noise(tmp_path / "music" / "a.wav", 6, seconds=0.2)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(PipelineError, match="taken"):
        write_sample_dump(tmp_path / "music", tmp_path / "taken", workers=1)

"""Which files an evaluation is made of, and which of them are asked for."""

import shutil
from pathlib import Path

import pytest
import soundfile

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.evaluation.pieces import Piece, asked_pieces, read_pieces
from spotify_pipeline_tests.evaluation.music import MUSIC_RATE, copied_music, no_report
from spotify_pipeline_tests.tracks import fingerprint_of, make_track

FINGERPRINT = fingerprint_of(make_track(1))
PIECES = [Piece(Path(f"piece {number}.flac"), FINGERPRINT) for number in range(40)]


def test_files_of_one_name_in_several_folders_are_pieces_of_their_own(
    music: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name / "piece.flac" for name in "ab"]
    for file, piece in zip(files, sorted(music.iterdir()), strict=False):
        file.parent.mkdir()
        shutil.copy(piece, file)
    pieces = read_pieces([tmp_path], no_report, pytest.fail)
    assert [piece.file for piece in pieces] == files
    assert pieces[0].fingerprint.rhythm != pieces[1].fingerprint.rhythm


def test_what_is_damaged_or_short_is_left_out_and_named(music: Path, tmp_path: Path) -> None:
    copied_music(music, tmp_path, 2)
    (tmp_path / "damaged.ogg").write_bytes(b"no music")
    samples, rate = soundfile.read(tmp_path / "piece 0.flac", frames=29 * MUSIC_RATE)
    soundfile.write(tmp_path / "short.flac", samples, rate)
    warnings: list[str] = []
    pieces = read_pieces([tmp_path], no_report, warnings.append)
    assert [piece.file.name for piece in pieces] == ["piece 0.flac", "piece 1.flac"]
    assert ["damaged.ogg" in line for line in warnings] == [True, False]
    assert "short.flac: shorter than 30 s" in warnings[1]


def test_of_copies_the_first_counts(music: Path, tmp_path: Path) -> None:
    copied_music(music, tmp_path, 2)
    shutil.copy(tmp_path / "piece 0.flac", tmp_path / "piece 1 again.flac")
    warnings: list[str] = []
    pieces = read_pieces([tmp_path], no_report, warnings.append)
    assert [piece.file.name for piece in pieces] == ["piece 0.flac", "piece 1.flac"]
    (line,) = warnings
    assert "piece 1 again.flac: the same music as" in line
    assert line.endswith("piece 0.flac")


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="nowhere: no such folder; name one that holds"):
        read_pieces([tmp_path / "nowhere"], no_report, pytest.fail)


def test_a_single_piece_is_too_few(music: Path, tmp_path: Path) -> None:
    copied_music(music, tmp_path, 1)
    with pytest.raises(PipelineError, match="needs 2 readable pieces of 30 s or more"):
        read_pieces([tmp_path], no_report, pytest.fail)


def test_a_folder_without_music_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="holds no audio file"):
        read_pieces([tmp_path], no_report, pytest.fail)


def test_folders_are_read_one_after_the_other(music: Path, tmp_path: Path) -> None:
    files = [tmp_path / "b" / "piece 1.flac", tmp_path / "a" / "piece 0.flac"]
    for file in files:
        file.parent.mkdir()
        shutil.copy(music / file.name, file)
    pieces = read_pieces([tmp_path / "b", tmp_path / "a"], no_report, pytest.fail)
    assert [piece.file for piece in pieces] == files


def test_the_pieces_asked_for_are_those_of_the_part() -> None:
    for part in (Part.VALIDATION, Part.TEST):
        asked = asked_pieces(PIECES, part, pytest.fail)
        assert asked == [piece for piece in PIECES if part_of(piece.file) is part]
        assert len(asked) > 4


def test_a_test_set_that_is_too_small_is_all_pieces() -> None:
    warnings: list[str] = []
    assert asked_pieces(PIECES[:4], Part.TEST, warnings.append) == PIECES[:4]
    assert warnings == [
        "1 of 4 pieces belong to the test set, which is too few: all pieces are asked for"
    ]


def test_a_validation_set_that_is_too_small_is_refused() -> None:
    with pytest.raises(PipelineError, match="1 of 4 pieces belong to the validation set; it takes"):
        asked_pieces(PIECES[:4], Part.VALIDATION, pytest.fail)

"""Which files of a folder an evaluation is made of."""

from pathlib import Path

import pytest

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.pieces import read_pieces
from spotify_pipeline_tests.evaluation.music import no_report, write_piece


def test_files_of_one_name_in_several_folders_are_pieces_of_their_own(tmp_path: Path) -> None:
    files = [write_piece(tmp_path / name / "piece.flac", seed) for seed, name in enumerate("ab")]
    pieces = read_pieces(tmp_path, no_report, pytest.fail)
    assert [piece.file for piece in pieces] == files
    assert pieces[0].fingerprint.rhythm != pieces[1].fingerprint.rhythm


def test_what_is_damaged_or_short_is_left_out_and_named(tmp_path: Path) -> None:
    for seed in range(2):
        write_piece(tmp_path / f"{seed}.flac", seed)
    (tmp_path / "damaged.ogg").write_bytes(b"no music")
    write_piece(tmp_path / "short.flac", 2, seconds=29)
    warnings: list[str] = []
    pieces = read_pieces(tmp_path, no_report, warnings.append)
    assert [piece.file.name for piece in pieces] == ["0.flac", "1.flac"]
    assert ["damaged.ogg" in line for line in warnings] == [True, False]
    assert "short.flac: shorter than 30 s" in warnings[1]


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="nowhere: no such folder; name one that holds"):
        read_pieces(tmp_path / "nowhere", no_report, pytest.fail)


def test_a_single_piece_is_too_few(tmp_path: Path) -> None:
    write_piece(tmp_path / "lone.flac", 0)
    with pytest.raises(PipelineError, match="needs 2 readable pieces of 30 s or more"):
        read_pieces(tmp_path, no_report, pytest.fail)


def test_a_folder_without_music_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="holds no audio file"):
        read_pieces(tmp_path, no_report, pytest.fail)

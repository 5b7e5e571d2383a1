"""Benchmarks of single recordings: figures lie where those of composed music must lie."""

from pathlib import Path

import pytest

from benchmarks import fingerprint, front_end, harmony, segment_figures, timeline
from spotify_pipeline_tests.benchmarks.made import Made, numbers
from spotify_pipeline_tests.shared import shared_path


def test_a_fingerprint_takes_less_than_the_music_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    fingerprint.main(["--runs", "1"])
    lines = capsys.readouterr().out.splitlines()
    seconds = {line[2:26].strip(): float(line[26:]) for line in lines if line.startswith("  ")}
    assert len(seconds) == 7
    assert all(0 < one < 60 for one in seconds.values())
    assert numbers(lines[-1])[-1] > 0


def test_most_onsets_of_a_document_are_found_again(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    front_end.main(["--pairs", str(made.pairs)])
    lines = [line for line in capsys.readouterr().out.splitlines() if "libresample" in line]
    assert len(lines) == len(front_end.ROUNDINGS)
    for line in lines:
        same, near, codes = numbers(line)[-3:]
        assert 0.6 < same <= near <= 1
        assert 0.5 < codes <= 1


def test_the_right_document_agrees_and_impostors_do_not(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "nats.png"
    few = ["--lengths", "10", "--degradations", "clean", "--excerpts", "2"]
    documents = ["--pairs", str(made.pairs), "--documents", *map(str, made.others)]
    harmony.main([*documents, *few, "--plot", str(plot), "--music", str(made.music)])
    printed = capsys.readouterr().out
    rows = [line.partition(" 10 s")[2] for line in printed.splitlines() if " 10 s " in line]
    figures = {row.split()[0]: numbers(row) for row in rows}
    assert figures.keys() == {"pitches", "loudness", "both"}
    for name, least in {"pitches": 0.4, "loudness": 0.5}.items():
        assert least < figures[name][0] <= 1
        assert figures[name][1] > 0
    together = figures["pitches"][1] + figures["loudness"][1]
    assert figures["both"][0] == pytest.approx(together, abs=0.5 * together)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "validation set,   4 pieces: pitches" in printed


def test_the_right_track_has_more_loudness_and_timbre_than_impostors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    documents = ["--documents", str(shared_path("real-documents", "documents.jsonl.zst"))]
    few = ["--lengths", "20", "--degradations", "clean", "--excerpts", "1"]
    segment_figures.main(["--pairs", str(shared_path("pairs")), *documents, *few])
    lines = [one.split("  ") for one in capsys.readouterr().out.splitlines() if " clean " in one]
    rows = [[part.strip() for part in line if part.strip()] for line in lines]
    nats = {evidence: float(median) for _, _, evidence, median, *_ in rows}
    assert {"harmony", "loudness", "timbre", "all three"} <= nats.keys()
    assert min(nats.values()) > 2


def test_fewer_than_two_recordings_have_nothing_to_be_fitted_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        segment_figures.main(["--pairs", str(tmp_path), "--documents", "none"])
    assert ended.value.code == 2
    assert "0 recordings with documents; 2 are needed" in capsys.readouterr().err


def test_a_timeline_finds_the_pieces_and_their_borders(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--pieces", "2", "--distractors", "20"]
    timeline.main(["--music", str(made.music), "--part", "validation", *few])
    found, ran = [line for line in capsys.readouterr().out.splitlines() if line][-2:]
    assert found.startswith("3 of 3 found, 0 stretches too many")
    median, most = numbers(found)[-2:]
    assert median <= most < 5
    minutes, seconds, times, *_ = numbers(ran)
    assert times == pytest.approx(60 * minutes / seconds, abs=1)

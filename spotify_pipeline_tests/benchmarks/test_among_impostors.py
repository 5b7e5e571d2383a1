"""Benchmarks that ask for excerpts: clean ones are found, and figures are those of as many."""

from pathlib import Path

import pytest

from benchmarks import detection, exhaustive, harmony_weight, impostors
from spotify_pipeline_tests.benchmarks.made import Made, numbers, table

CLEAN = ["--lengths", "10", "--degradations", "clean"]


def asked(made: Made) -> list[str]:
    return ["--music", str(made.music), "--part", "validation", *CLEAN]


def test_detection_accepts_clean_excerpts_and_writes_what_went_wrong(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot, worst = tmp_path / "reliability.png", tmp_path / "worst.md"
    files = ["--plot", str(plot), "--worst", str(worst)]
    detection.main([*asked(made), "--distractors", "20", "--excerpts", "1", *files])
    printed = capsys.readouterr().out
    assert "Machine: " in printed
    rows = table(printed)
    assert (rows["pieces that are asked for"], rows["impostors: spliced"]) == (["4"], ["10"])
    excerpts, right = rows["all"][:2]
    assert excerpts == "4"
    assert numbers(right)[0] == 100
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert worst.read_text()


def test_exhaustive_scoring_and_the_identifier_find_clean_excerpts(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    exhaustive.main([*asked(made), "--distractors", "20"])
    assert table(capsys.readouterr().out)["clean 10 s"] == ["4", "100.0%", "100.0%", "0"]


def test_clean_excerpts_have_the_first_rank_whatever_harmony_counts(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--distractors", "20", "--candidates", "20"]
    weights = ["--weights", "0", "5", "--loudness-weights", "1"]
    harmony_weight.main([*asked(made), *few, *weights])
    rows = table(capsys.readouterr().out)
    assert rows["0"] == rows["5"] == rows["5 + 1"] == ["4", "4", "4", "0"]
    assert rows["clean 10 s"] == ["4", "4", "4", "4"]


def test_the_best_impostor_stays_below_the_own_piece(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    impostors.main([*asked(made), "--largest", "1000"])
    spliced, independent = (
        table(part)["1,000"] for part in capsys.readouterr().out.split("independent gaps,")
    )
    for cells in (spliced, independent):
        mean, high, most = (numbers(cell)[0] for cell in cells[:3])
        assert 0 < mean <= most
        assert high <= most
        assert cells[-1] == "100.0%"
    # beats of real music come nearer than independent gaps
    assert numbers(spliced[0]) > numbers(independent[0])

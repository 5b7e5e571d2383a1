"""Benchmarks of the index find what is in it, and replace what they say they replace."""

from pathlib import Path

import pytest

from benchmarks import frontier, index
from spotify_pipeline_tests.benchmarks.made import Made, numbers


def rows_of(printed: str, kind: str) -> list[list[float]]:
    return [numbers(line) for line in printed.splitlines() if line.strip().startswith(kind)]


def test_clean_excerpts_are_candidates_and_times_and_sizes_are_printed(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--tracks", "20", "--seconds", "10", "--excerpts", "1", "--baseline", "20"]
    index.main(["--music", str(made.music), "--part", "validation", *few])
    printed = capsys.readouterr().out
    ((_, quick, thorough, first, *milliseconds),) = rows_of(printed, "clean")
    assert (quick, thorough, first) == (100, 100, 100)
    assert all(one > 0 for one in milliseconds)
    (size,) = [numbers(line) for line in printed.splitlines() if "20 tracks, built at" in line][:1]
    tracks, rate, postings, trains = size
    assert tracks == 20
    assert rate > 0
    assert postings > 1_000 < trains
    assert "cold, clean 10 s, median of 4" in printed


def test_trains_are_compared_by_the_benchmark_of_the_index(
    made: Made, capfd: pytest.CaptureFixture[str]
) -> None:
    few = ["--tracks", "20", "--excerpts", "1", "--seconds", "5"]
    frontier.main(["--music", str(made.music), *few, "--features", "0", "--trains", "rhythm"])
    printed = capfd.readouterr().out
    assert "=== index of rhythm" in printed
    assert rows_of(printed, "clean")[0][1:3] == [100, 100]


@pytest.mark.parametrize("setting", frontier.FEATURES)
def test_every_constant_of_a_setting_is_replaced(tmp_path: Path, setting: dict[str, int]) -> None:
    frontier.copy_package(tmp_path, setting)
    features = (tmp_path / "spotify_pipeline/index/features.py").read_text()
    segment = (tmp_path / "spotify_pipeline/index/segment.py").read_text()
    assert f"step={setting['step']}" in features
    assert f"PLACE_FRAMES = {setting['PLACE_FRAMES']}\n" in segment

"""The benchmark of the index finds what is in it, and prints what it takes."""

import pytest

from benchmarks import index
from spotify_pipeline_tests.benchmarks.made import Made, numbers, table


def test_clean_excerpts_are_found_and_times_sizes_and_chance_are_printed(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--tracks", "20", "--degradations", "clean", "--lengths", "10"]
    index.main(["--music", str(made.music), "--part", "validation", *few])
    printed = capsys.readouterr().out
    rows = table(printed)
    known, *recalls, first, named, seconds, most = rows["clean 10 s"][:9]
    assert known == "2"
    assert recalls == ["100.0%"] * 4
    assert (first, named) == ("100.0%", "100.0%")
    assert 0 < float(seconds) <= float(most)
    (size,) = [numbers(line) for line in printed.splitlines() if "20 tracks, built at" in line]
    _, rate, a_track, postings, trains, harmony = size
    assert min(rate, a_track, harmony) > 0
    assert postings > 1_000 < trains
    assert "cold, median of 2 of known pieces" in printed
    assert rows["8"][-1] == "100.0%"
    assert "a thorough search of 40,000,000 tracks in 12 segments" in printed

"""The benchmark of fetching by torrent: both ways give the same files."""

import pytest

from benchmarks import download


def test_both_ways_are_timed_and_what_came_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    download.main(["--files", "2", "--megabytes", "1", "--piece-kib", "64"])
    at_once, one_by_one, overhead = capsys.readouterr().out.splitlines()[1:]
    assert at_once.startswith("all_at_once: ")
    assert one_by_one.startswith("one_at_a_time: ")
    assert overhead.startswith("overhead: ")
    came = [int(line.split()[3].replace(",", "")) for line in (at_once, one_by_one)]
    whole = 2 * 1_000_000 + 1234
    assert came[0] == whole
    assert whole < came[1] <= whole + 2 * 64 * 1024

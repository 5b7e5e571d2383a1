"""Benchmark of the server: figures of a small run are there, and plausible."""

import re

import pytest

from benchmarks import serve
from spotify_pipeline_tests.benchmarks.made import Made, numbers, table


def test_clips_are_sent_and_a_microphone_is_heard(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    serve.main(
        ["--music", str(made.music), "--tracks", "50", "--clients", "1", "2", "--requests", "2"]
    )
    printed = capsys.readouterr().out
    rows = table(printed)
    for name in ("in Python", "1 client", "2 clients"):
        rate, median, high = (numbers(cell)[0] for cell in rows[name][:3])
        assert rate > 0 < median <= high
        assert rows[name][3] == "100.0%"
    assert numbers(rows["1 client"][4])[0] > 50
    assert re.search(r"overhead of one client, median: -?\d+ ms", printed)
    assert "microphone: 2 of 2 named" in printed

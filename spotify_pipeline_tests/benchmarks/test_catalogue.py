"""Benchmarks of the catalogue: all loads give the same rows, and questions are answered."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import catalogue, catalogue_text, synthetic_catalogue
from benchmarks.catalogue import kinds
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline_tests.benchmarks.made import numbers, table

FEW = ["--tracks", "500", "--questions", "3"]


def test_a_synthetic_catalogue_has_as_many_tracks_as_were_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalogue.sqlite3"
    synthetic_catalogue.main([str(file), "--tracks", "500"])
    tracks, _, _, size = numbers(capsys.readouterr().out)
    assert tracks == 500
    assert size == pytest.approx(file.stat().st_size / 500, abs=1)
    with closing(sqlite3.connect(file)) as connection:
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in TABLES}
    assert counts["tracks"] == 500
    assert all(counts.values())


def test_all_loads_give_the_same_rows_and_keys_are_looked_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalogue.main(FEW)
    printed = capsys.readouterr().out
    assert "rows: the same in all that load all" in printed
    rows = table(printed)
    seconds, rate, *_ = (numbers(cell)[0] for cell in rows["ours"])
    assert seconds > 0 < rate
    for name, *_ in kinds():
        median, high = map(float, rows[name][:2])
        assert 0 < median <= high


def test_titles_are_found_in_the_text_index(capsys: pytest.CaptureFixture[str]) -> None:
    catalogue_text.main(FEW)
    printed = capsys.readouterr().out
    assert "500 tracks indexed at" in printed
    rows = table(printed)
    assert numbers(rows["artist and title"][-1]) == [100]
    assert rows["tantivy"] and rows["FTS5"]

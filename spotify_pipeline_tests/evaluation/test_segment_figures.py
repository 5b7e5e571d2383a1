"""The benchmark of segments' loudness and timbre, on the recordings whose documents are known."""

import sys
from pathlib import Path

from spotify_pipeline_tests.processes import CHECKOUT, run
from spotify_pipeline_tests.shared import shared_path

BENCHMARK = CHECKOUT / "benchmarks" / "segment_figures.py"


def rows_of(printed: str) -> dict[str, list[str]]:
    """Give the figures of the table by condition, by the evidence."""
    lines = [line.split("  ") for line in printed.splitlines() if line.strip().startswith("clean ")]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {evidence: figures for _, _, evidence, *figures in cells}


def test_the_right_track_has_more_loudness_timbre_and_harmony_than_impostors(
    tmp_path: Path,
) -> None:
    printed = run(
        tmp_path,
        sys.executable,
        str(BENCHMARK),
        *("--pairs", str(shared_path("pairs"))),
        *("--documents", str(shared_path("real-documents", "documents.jsonl.zst"))),
        *("--lengths", "20", "--degradations", "clean", "--excerpts", "1"),
        timeout=300,
    )
    assert printed.returncode == 0, printed.stderr
    rows = rows_of(printed.stdout)
    assert {"harmony", "loudness", "timbre", "all three"} < rows.keys()
    for evidence in ("harmony", "loudness", "timbre"):
        assert float(rows[evidence][0]) > 2, evidence


def test_recordings_without_documents_are_too_few(tmp_path: Path) -> None:
    printed = run(
        tmp_path, sys.executable, str(BENCHMARK), *("--pairs", str(tmp_path), "--documents", "none")
    )
    assert printed.returncode == 2
    assert "0 recordings with documents; 2 are needed" in printed.stderr

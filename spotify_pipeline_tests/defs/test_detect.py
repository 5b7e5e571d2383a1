"""The job ``detect``, run in this process on a small index."""

import base64
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.detect import MOST_PLOTS
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.identify.observed import write_fingerprint
from spotify_pipeline_tests.tracks import fingerprint_of, make_tracks, publish_tracks

TRACKS = make_tracks(MOST_PLOTS + 1)


def run_detection(home: Path, recordings: list[Path]) -> dg.ExecuteInProcessResult:
    """Run the job on an index of the tracks."""
    settings = Settings(home, home / "incoming")
    publish_tracks(settings.index, TRACKS)
    config = {"recordings": [str(path) for path in recordings]}
    job = build_defs(settings).resolve_job_def("detect")
    return job.execute_in_process(run_config=config, raise_on_error=False)


def detect(home: Path, recordings: list[Path]) -> dict[str, dg.MetadataValue]:
    """Run the job; give the metadata."""
    result = run_detection(home, recordings)
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    return dict(output.step_output_data.metadata)


@pytest.fixture
def excerpts(tmp_path: Path) -> list[Path]:
    """Write the fingerprint of an excerpt of each track."""
    return [
        write_fingerprint(
            tmp_path / f"{number}.json", fingerprint_of(track, start=20 + number, seconds=10)
        )
        for number, track in enumerate(TRACKS)
    ]


def test_the_figures_of_each_decision_are_a_table(tmp_path: Path, excerpts: list[Path]) -> None:
    missing = tmp_path / "missing.wav"
    metadata = detect(tmp_path / "home", [missing, *excerpts[:2]])
    table = metadata["evidence"]
    assert isinstance(table, dg.TableMetadataValue)
    rows: list[dict[str, Any]] = [dict(record.data) for record in table.records]
    assert [row["track"] for row in rows] == [track.track_id for track in TRACKS[:2]]
    assert [row["offset"] for row in rows] == pytest.approx([20, 21], abs=0.01)
    assert all(row["accepted"] for row in rows)
    assert all(row["second"] < row["likelihood"] / 2 for row in rows)
    assert all(row["onsets"] / 2 < row["aligned"] <= row["onsets"] for row in rows)
    assert {column.name for column in table.schema.columns} == set(rows[0])


def test_a_file_of_any_name_has_one_row(tmp_path: Path, excerpts: list[Path]) -> None:
    odd = excerpts[0].rename(tmp_path / "a | b\nc.json")
    answers = detect(tmp_path / "home", [odd])["answers"].value
    assert isinstance(answers, str)
    _, _, row = answers.splitlines()
    assert "a \\| b c.json" in row
    assert TRACKS[0].track_id in row


def test_some_alignments_are_pictures_in_the_metadata(tmp_path: Path, excerpts: list[Path]) -> None:
    shown = detect(tmp_path / "home", excerpts)["alignments"].value
    assert isinstance(shown, str)
    head, *pictures = shown.split("data:image/png;base64,")
    assert head == "![alignment]("
    assert len(pictures) == MOST_PLOTS
    for picture in pictures:
        assert base64.b64decode(picture.partition(")")[0]).startswith(b"\x89PNG")


def test_recordings_that_nothing_comes_near_have_neither(tmp_path: Path) -> None:
    metadata = detect(tmp_path / "home", [tmp_path / "missing.wav"])
    assert metadata["unreadable"].value == 1
    assert metadata["alignments"].value == ""


def test_a_recording_that_cannot_be_read_fails_the_run_once_the_others_are_answered(
    tmp_path: Path, excerpts: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    result = run_detection(tmp_path / "home", [tmp_path / "missing.wav", excerpts[0]])
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None
    assert str(failure.description).startswith("1 of 2 recordings could not be read")
    assert output.step_output_data.metadata["identified"].value == 1
    assert TRACKS[0].track_id in capfd.readouterr().out
    assert run_detection(tmp_path / "home", excerpts[:1]).success

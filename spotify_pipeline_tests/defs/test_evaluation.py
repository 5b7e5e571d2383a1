"""The job ``evaluation``, run in this process on a little music."""

import base64
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from spotify_pipeline.defs import build_defs
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.evaluation.music import compose_music

SMALL: dict[str, Any] = {"distractors": 10, "lengths": [10.0], "degradations": ["clean"]}


def run(home: Path, config: dict[str, Any]) -> dg.ExecuteInProcessResult:
    job = build_defs(Settings(home, home / "incoming")).resolve_job_def("evaluation")
    return job.execute_in_process(run_config=config, raise_on_error=False)


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None
    assert failure.description is not None
    return failure.description


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dg.MetadataValue]:
    folder = tmp_path_factory.mktemp("evaluation")
    compose_music(folder / "music", 2)
    result = run(folder / "home", SMALL | {"music": str(folder / "music")})
    assert result.success
    (materialised,) = result.asset_materializations_for_node("detection_evaluation")
    return dict(materialised.metadata)


def test_the_tables_are_markdown(metadata: dict[str, dg.MetadataValue]) -> None:
    for name in ("impostors", "detection", "baselines", "time", "reliability"):
        table = metadata[name]
        assert isinstance(table, dg.MarkdownMetadataValue)
        assert table.value is not None
        assert table.value.startswith("| ")
    assert "s | 2 | 100.0% (34-100) |" in str(metadata["detection"].value)
    assert "# Worst cases" in str(metadata["worst"].value)


def test_headline_figures_are_numbers_that_can_be_plotted(
    metadata: dict[str, dg.MetadataValue],
) -> None:
    for name in ("top_1", "given", "wrong", "false", "error_ms", "time_ms", "given clean"):
        assert isinstance(metadata[name], dg.FloatMetadataValue)
    assert metadata["top_1"].value == 1
    assert metadata["pieces"].value == 2
    assert metadata["excerpts"].value == 2
    assert metadata["impostors_independent"].value == 10


def test_the_reliability_is_a_picture_in_the_metadata(
    metadata: dict[str, dg.MetadataValue],
) -> None:
    head, picture = str(metadata["reliability_plot"].value).split("data:image/png;base64,")
    assert head == "![reliability]("
    assert base64.b64decode(picture.removesuffix(")")).startswith(b"\x89PNG")


def test_a_folder_that_is_not_there_fails_with_what_to_do(tmp_path: Path) -> None:
    result = run(tmp_path, {"music": str(tmp_path / "nowhere")})
    assert failure_of(result).startswith(f"{tmp_path / 'nowhere'}: no such folder; name one that")


def test_a_degradation_that_is_none_fails_with_those_that_are(tmp_path: Path) -> None:
    result = run(tmp_path, {"music": str(tmp_path), "degradations": ["rain"]})
    assert "there is no degradation 'rain'; there are clean, mp3 64k" in failure_of(result)


def test_a_run_without_music_is_refused_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="music"):
        run(tmp_path, {})

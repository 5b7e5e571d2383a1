"""What tests of commands have in common."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    return CliRunner(env={HOME_VARIABLE: str(tmp_path / "home"), INCOMING_VARIABLE: None})

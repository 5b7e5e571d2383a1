"""Music that all tests of this room share."""

from pathlib import Path

import pytest

from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline_tests.evaluation.music import compose_music, no_report


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of four pieces."""
    folder = tmp_path_factory.mktemp("music")
    compose_music(folder, 4)
    return folder


@pytest.fixture(scope="session")
def pieces(music: Path) -> list[Piece]:
    """Read them."""
    return read_pieces([music], no_report, pytest.fail)

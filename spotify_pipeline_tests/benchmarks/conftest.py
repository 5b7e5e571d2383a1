"""Music and documents that all tests of this room share."""

import pytest

from spotify_pipeline_tests.benchmarks.made import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Compose six pieces, and make documents of three."""
    return make(tmp_path_factory.mktemp("made"))

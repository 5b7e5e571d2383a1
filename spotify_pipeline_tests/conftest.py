"""What tests of several rooms need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotify_pipeline.pools import bound_pools
from spotify_pipeline.settings import blas_threads
from spotify_pipeline_tests.disks import mounted_disk

bound_pools(blas_threads())  # as every process of the program does


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on an empty disk of 16 MB."""
    with mounted_disk(tmp_path / "small disk") as folder:
        yield folder

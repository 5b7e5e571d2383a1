"""What tests of several rooms need."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from spotify_pipeline.pools import bound_pools
from spotify_pipeline.settings import blas_threads
from spotify_pipeline_tests.disks import mounted_disk

bound_pools(blas_threads())  # as every process of the program does

MEMORY = Path("/dev/shm")
"""A disk in memory, which Linux has."""

ROOM = 2 * 10**9
"""Bytes that a run of all tests never needs at once."""


SLOW = (
    "benchmarks/",
    "defs/test_in_process.py",
    "end_to_end/",
    "index/building/test_killed_build.py",
    "page/",
    "serve/",
    "test_compiling.py",
    "torrent/",
    "training/",
)
"""Tests that start processes, browsers and clients, or train: two thirds of the time of all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make quick` leaves out."""
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).as_posix().startswith(SLOW):
            item.add_marker("slow")


def pytest_configure() -> None:
    """Keep the files of tests in memory where they fit: a disk is waited for at each commit."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session", autouse=True)
def migrations_read_once() -> Iterator[None]:
    """Read Dagster's migrations once: it does for each run's database, which takes longer than it.

    The databases come out the same.
    """
    from_config = ScriptDirectory.from_config
    read: dict[str | None, ScriptDirectory] = {}

    def once(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        if location not in read:
            read[location] = from_config(config)
        return read[location]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", once)
        yield


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on an empty disk of 16 MB."""
    with mounted_disk(tmp_path / "small disk") as folder:
        yield folder


@pytest.fixture
def disk_that_folds_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each file be found by its name in any case, as where the disk folds it."""
    exists = Path.exists

    def folds_case(path: Path) -> bool:
        others = path.parent.iterdir() if path.parent.is_dir() else ()
        return exists(path) or path.name.lower() in {other.name.lower() for other in others}

    monkeypatch.setattr(Path, "exists", folds_case)

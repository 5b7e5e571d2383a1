"""Pools of BLAS and OpenMP have as many threads as the setting says, in every process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spotify_pipeline.pools import VARIABLES
from spotify_pipeline.settings import BLAS_THREADS_VARIABLE, HOME_VARIABLE
from spotify_pipeline_tests.processes import CHECKOUT, SPOTIFY_PIPELINE

COUNT = """
import numpy, threadpoolctl
print(max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()))
"""
BY_COMMAND = (
    "from spotify_pipeline.cli import main; main(['warm-up', '--help'], standalone_mode=False)"
)
BY_DAGSTER = "import spotify_pipeline.definitions"


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    return kept | {HOME_VARIABLE: str(home), "PYTHONPATH": str(CHECKOUT)} | more


def threads(home: Path, start: str, **more: str) -> int:
    """Count the threads of a pool in a process that has started so, its last line."""
    done = subprocess.run(
        [sys.executable, "-c", f"{start}\n{COUNT}"],
        env=environment(home, **more),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return int(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("start", [BY_COMMAND, BY_DAGSTER, f"import numpy\n{BY_DAGSTER}"])
def test_a_product_takes_one_thread_by_default(tmp_path: Path, start: str) -> None:
    assert threads(tmp_path, start) == 1


def test_the_setting_allows_more(tmp_path: Path) -> None:
    assert threads(tmp_path, BY_COMMAND, **{BLAS_THREADS_VARIABLE: "2"}) == 2


def test_a_library_s_own_variable_goes_first(tmp_path: Path) -> None:
    more = {BLAS_THREADS_VARIABLE: "1", "OPENBLAS_NUM_THREADS": "2"}
    assert threads(tmp_path, BY_COMMAND, **more) == 2


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many"])
def test_a_number_of_threads_that_is_none_is_an_error_that_names_the_setting(
    tmp_path: Path, text: str
) -> None:
    done = subprocess.run(
        [SPOTIFY_PIPELINE, "warm-up"],
        env=environment(tmp_path, **{BLAS_THREADS_VARIABLE: text}),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"{BLAS_THREADS_VARIABLE} is '{text}', but must be a whole number" in done.stderr

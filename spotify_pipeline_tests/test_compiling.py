"""Compiling: it is reported, done once, and ahead of use if wished."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from numba import njit

from spotify_pipeline.compiling import telling_of_compiling
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, run

SAID = "compiling for this machine, once"

DETECTING = """
from spotify_pipeline.compiling import compile_kernels, telling_of_compiling
with telling_of_compiling(print):
    compile_kernels()
"""


def test_what_is_compiled_is_reported_once_and_what_is_compiled_already_is_not() -> None:
    double = njit(lambda number: 2 * number)
    reported: list[str] = []
    for _ in range(2):
        with telling_of_compiling(reported.append):
            assert (double(1), double(1.5)) == (2, 3)
    assert len(reported) == 1


def test_after_a_warm_up_nothing_is_left_to_compile(tmp_path: Path) -> None:
    warmed = run(tmp_path, SPOTIFY_PIPELINE, "warm-up", timeout=600)
    assert warmed.returncode == 0, warmed.stderr
    assert warmed.stdout.startswith("detection is compiled for this machine")
    detected = subprocess.run(
        [sys.executable, "-c", DETECTING], capture_output=True, text=True, check=True
    )
    assert detected.stdout == ""


def test_the_first_command_that_compiles_says_so(tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(11_025), 11_025)
    command = [SPOTIFY_PIPELINE, "fingerprint", str(silence)]
    values = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first = subprocess.run(command, env=values, capture_output=True, text=True, check=True)
    again = subprocess.run(command, env=values, capture_output=True, text=True, check=True)
    assert first.stderr.count(SAID) == 1
    assert again.stderr == ""
    assert first.stdout == again.stdout

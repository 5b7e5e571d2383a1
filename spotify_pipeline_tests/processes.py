"""The project's commands with a data home of their own, as real processes or within this one.

Each command has a test in which it is a process; where it is about what a command says and does,
it runs here: a process takes seconds to import everything.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE

__all__ = [
    "CHECKOUT",
    "DAGSTER",
    "SPOTIFY_PIPELINE",
    "environment",
    "held_open_by_another_process",
    "run",
    "run_here",
]

CHECKOUT = Path(__file__).resolve().parents[1]
_SCRIPTS = Path(sys.executable).parent
SPOTIFY_PIPELINE = str(_SCRIPTS / "spotify-pipeline")
DAGSTER = str(_SCRIPTS / "dagster")

_HOLD_OPEN = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def environment(home: Path) -> dict[str, str]:
    """Give the environment of a process on a data home with a Dagster instance of its own."""
    values = {key: value for key, value in os.environ.items() if key != INCOMING_VARIABLE}
    dagster_home = home / "dagster-home"
    dagster_home.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
    kept = {key: settings[key] for key in ("concurrency", "run_queue", "telemetry")}
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(kept))
    return values | {HOME_VARIABLE: str(home), "DAGSTER_HOME": str(dagster_home)}


def run(home: Path, *command: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run a command to its end on a data home."""
    return subprocess.run(
        command,
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_here(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project to its end on a data home, in this process."""
    variables = {**environment(home), INCOMING_VARIABLE: None}
    result = CliRunner(env=variables).invoke(main, arguments)
    return subprocess.CompletedProcess(
        arguments, result.exit_code, stdout=result.stdout, stderr=result.stderr
    )


@contextmanager
def held_open_by_another_process(path: Path) -> Iterator[None]:
    """Keep a DuckDB file open for writing in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD_OPEN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"open\n"
        yield
        process.stdin.close()

"""Eight shards by a backfill in real Dagster processes, beside one after the other.

    python -m benchmarks.backfill --documents DIR --strings DIR [--megabytes 200] [--shards 8]
        [--ways command runs backfill]

Makes eight shards of that size (unpacked), and a data home for each way to ingest them: *command*
is ``spotify-pipeline ingest``, *runs* is ``dagster job execute``, a run a shard, and *backfill* a
Dagster daemon with a backfill of the job ``ingest`` and ``dagster.yaml``'s settings. Ends with an
error unless all databases hold the same tracks. Starting a run's processes takes seconds of either
core, which long shards hide. The index is not part of the times.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from benchmarks.command import ROOT, command_line, print_machine
from benchmarks.shards import Generator, add_real_parts, write_shard
from spotify_pipeline.store.database import DatabaseBusyError
from spotify_pipeline.store.ledger import read_ledger

SHARDS = ["0a", "0A", "0b", "0B", "0c", "0C", "0d", "0D"]
MODULE = "spotify_pipeline.definitions"
SCRIPTS = Path(sys.executable).parent
SETTINGS = ROOT / "dagster.yaml"
LONGEST = 1800.0


def environment(home: Path) -> dict[str, str]:
    """Give a process a data home and a Dagster instance of its own, with the project's settings."""
    dagster_home = home / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(SETTINGS, dagster_home)
    return {
        **os.environ,
        "SPOTIFY_PIPELINE_HOME": str(home),
        "DAGSTER_HOME": str(dagster_home),
        "PYTHONWARNINGS": "ignore",
    }


def one_by_one(home: Path, _: Sequence[str]) -> float:
    """Ingest by the command; gives seconds until the last shard is committed."""
    started = time.time()
    finish(home, "spotify-pipeline", "ingest")
    return last_commit(home) - started


def by_runs(home: Path, shards: Sequence[str]) -> float:
    """Execute the job for each shard in turn; gives seconds until the last shard is committed."""
    started = time.time()
    for shard in shards:
        tags = f'{{"dagster/partition": "{shard}"}}'
        finish(home, "dagster", "job", "execute", "-m", MODULE, "-j", "ingest", "--tags", tags)
    return last_commit(home) - started


def by_backfill(home: Path, shards: Sequence[str]) -> float:
    """Launch a backfill at a running daemon; gives seconds until the last shard is committed."""
    finish(home, "dagster", "instance", "info")
    daemon_command = [str(SCRIPTS / "dagster-daemon"), "run", "-m", MODULE]
    with (home / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            daemon_command, env=environment(home), cwd=home, stdout=log, stderr=log
        )
    try:
        time.sleep(15)  # its code location is loaded, and the sensors have had their first look
        started = time.time()
        backfill = ["job", "backfill", "-m", MODULE, "-j", "ingest", "--noprompt"]
        finish(home, "dagster", *backfill, "--partitions", ",".join(shards))
        while len(committed(home)) < len(shards):
            if daemon.poll() is not None or time.time() - started > LONGEST:
                raise SystemExit(f"the backfill did not end: {(home / 'daemon.log').read_text()}")
            time.sleep(1)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    return last_commit(home) - started


def finish(home: Path, script: str, *words: str) -> None:
    """Run a command on a data home to its end; what it wrote is shown if it fails."""
    done = subprocess.run(
        [str(SCRIPTS / script), *words],
        env=environment(home),
        cwd=home,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{script} {words[0]} failed:\n{done.stdout}")


def committed(home: Path) -> list[str]:
    """Name the shards that are in the ledger, none while a run has it."""
    try:
        return list(read_ledger(home / "audio.duckdb"))
    except DatabaseBusyError:
        return []


def last_commit(home: Path) -> float:
    """Tell when the last shard was committed, in seconds since 1970."""
    with duckdb.connect(home / "audio.duckdb", read_only=True) as connection:
        [(when,)] = connection.execute("SELECT epoch(max(ingested_at)) FROM shards").fetchall()
    return float(when)


def content(home: Path) -> list[tuple[object, ...]]:
    """Read what a home's database holds."""
    with duckdb.connect(home / "audio.duckdb", read_only=True) as connection:
        return connection.execute(
            "SELECT track_id, shard, md5(echoprint), md5(rhythm) FROM tracks ORDER BY track_id"
        ).fetchall()


WAYS: dict[str, Callable[[Path, Sequence[str]], float]] = {
    "command": one_by_one,
    "runs": by_runs,
    "backfill": by_backfill,
}


def main(words: Sequence[str] | None = None) -> None:
    """Make the shards, ingest them in all ways, compare."""
    parser = command_line(__doc__)
    add_real_parts(parser, required=True)
    parser.add_argument("--megabytes", type=int, default=200, help="of each shard, unpacked")
    parser.add_argument(
        "--shards", type=int, choices=range(1, len(SHARDS) + 1), default=len(SHARDS), help="to make"
    )
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="to compare")
    arguments = parser.parse_args(words)
    print_machine()
    shards = SHARDS[: arguments.shards]
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, name) for name in arguments.ways]
        for shard in shards:
            for home in homes:
                (home / "incoming").mkdir(parents=True, exist_ok=True)
            target = homes[0] / "incoming" / f"{shard}.jsonl.zst"
            generator = Generator(arguments.documents, arguments.strings, seed=ord(shard[1]))
            write_shard(generator, shard, target, arguments.megabytes)
            for home in homes[1:]:
                shutil.copy2(target, home / "incoming")
        for home, way in zip(homes, arguments.ways, strict=True):
            print(f"{way:>10}: {WAYS[way](home, shards):6.1f} s", flush=True)
            if content(home) != content(homes[0]):
                raise SystemExit(f"{way}: its tracks differ")
        print(f"{len(content(homes[0]))} tracks, the same in all")


if __name__ == "__main__":
    main()

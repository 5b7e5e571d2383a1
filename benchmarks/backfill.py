"""Eight shards by a backfill in real Dagster processes, beside one after the other.

    python benchmarks/backfill.py --documents DIR --strings DIR [--megabytes 200]

Makes eight shards of that size (unpacked), three times: ``spotify-pipeline ingest`` takes one home,
``dagster job execute`` a run a shard the next, and a Dagster daemon the last, with a backfill of
the job ``ingest`` and ``dagster.yaml``'s settings. Ends with an error unless all databases hold the
same tracks. Starting a run's processes takes seconds of either core, which long shards hide. The
index is not part of the times.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from shards import Generator, write_shard

from spotify_pipeline.store.database import DatabaseBusyError
from spotify_pipeline.store.ledger import read_ledger

SHARDS = ["0a", "0A", "0b", "0B", "0c", "0C", "0d", "0D"]
MODULE = "spotify_pipeline.definitions"
SCRIPTS = Path(sys.executable).parent
SETTINGS = Path(__file__).parents[1] / "dagster.yaml"
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


def one_by_one(home: Path) -> float:
    """Ingest by the command; gives seconds until the last shard is committed."""
    started = time.time()
    command = [str(SCRIPTS / "spotify-pipeline"), "ingest"]
    subprocess.run(command, env=environment(home), cwd=home, check=True, capture_output=True)
    return last_commit(home) - started


def by_runs(home: Path) -> float:
    """Execute the job for each shard in turn; gives seconds until the last shard is committed."""
    started = time.time()
    for shard in SHARDS:
        command = [SCRIPTS / "dagster", "job", "execute", "-m", MODULE, "-j", "ingest"]
        command += ["--tags", f'{{"dagster/partition": "{shard}"}}']
        subprocess.run(command, env=environment(home), cwd=home, check=True, capture_output=True)
    return last_commit(home) - started


def by_backfill(home: Path) -> float:
    """Launch a backfill at a running daemon; gives seconds until the last shard is committed."""
    values = environment(home)
    run = {"env": values, "cwd": home}
    subprocess.run(
        [SCRIPTS / "dagster", "instance", "info"], **run, check=True, capture_output=True
    )  # type: ignore[call-overload]
    with (home / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(  # type: ignore[call-overload]
            [SCRIPTS / "dagster-daemon", "run", "-m", MODULE], **run, stdout=log, stderr=log
        )
    try:
        time.sleep(15)  # its code location is loaded, and the sensors have had their first look
        started = time.time()
        backfill = [SCRIPTS / "dagster", "job", "backfill", "-m", MODULE, "-j", "ingest"]
        backfill += ["--partitions", ",".join(SHARDS), "--noprompt"]
        subprocess.run(backfill, **run, check=True, capture_output=True)  # type: ignore[call-overload]
        while len(committed(home)) < len(SHARDS):
            if daemon.poll() is not None or time.time() - started > LONGEST:
                raise SystemExit(f"the backfill did not end: {(home / 'daemon.log').read_text()}")
            time.sleep(1)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    return last_commit(home) - started


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


WAYS = {"command": one_by_one, "runs": by_runs, "backfill": by_backfill}


def main() -> None:
    """Make the shards, run both, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--strings", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, default=200, help="of each shard, unpacked")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, name) for name in WAYS]
        for shard in SHARDS:
            for home in homes:
                (home / "incoming").mkdir(parents=True, exist_ok=True)
            target = homes[0] / "incoming" / f"{shard}.jsonl.zst"
            generator = Generator(arguments.documents, arguments.strings, seed=ord(shard[1]))
            write_shard(generator, shard, target, arguments.megabytes)
            for home in homes[1:]:
                shutil.copy2(target, home / "incoming")
        for home, (way, ingest) in zip(homes, WAYS.items(), strict=True):
            print(f"{way:>10}: {ingest(home):6.1f} s", flush=True)
            if content(home) != content(homes[0]):
                raise SystemExit(f"{way}: its tracks differ")
        print(f"{len(content(homes[0]))} tracks, the same in all")


if __name__ == "__main__":
    main()

"""A backfill from a torrent to rows in real Dagster processes, and a look at what it does.

Belongs here: what the tests of the whole way share. Does not belong here: what must hold.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil
import yaml

from spotify_pipeline.defs.web_ui import PATIENCE
from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import DOWNLOADS, TORRENT_VARIABLE
from spotify_pipeline.store.database import DatabaseBusyError
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import DAGSTER, environment
from spotify_pipeline_tests.torrent.seeders import made_torrent

__all__ = ["BORDER_PIECE_BYTES", "Backfill"]

TRACKS = 20
BORDER_PIECE_BYTES = 1 << 16
LOOK_SECONDS = 0.05
MODULE = "spotify_pipeline.definitions"


@dataclass(frozen=True)
class Backfill:
    """Shards to be fetched and ingested on a data home.

    Attributes
    ----------
    home
        The data home; its folder ``dagster-home`` is the instance's.
    seeded
        The folder of the torrent's own folder ``dump``.
    shards
        Which.
    ids
        Of all their tracks, in their order.
    torrent
        Its ``.torrent`` data.
    variables
        The environment of its processes.
    """

    home: Path
    seeded: Path
    shards: Sequence[str]
    ids: Sequence[str]
    torrent: bytes
    variables: dict[str, str]

    @classmethod
    def make(cls, folder: Path, shards: Sequence[str]) -> "Backfill":
        """Make shards, and their torrent, with pieces across their borders."""
        home, seeded = folder / "home", folder / "seeded"
        ids = []
        for shard in shards:
            documents = make_documents(shard, TRACKS)
            ids += [document["meta"]["track_id"] for document in documents]
            write_shard(seeded / "dump", shard, documents)
        torrent = made_torrent(seeded / "dump", BORDER_PIECE_BYTES)
        (folder / "dump.torrent").write_bytes(torrent)
        variables = environment(home) | {
            **PATIENCE,
            TORRENT_VARIABLE: str(folder / "dump.torrent"),
            "PYTHONWARNINGS": "ignore",
        }
        _look_often(home / "dagster-home" / "dagster.yaml")
        return cls(home, seeded, shards, sorted(ids), torrent, variables)

    @property
    def sizes(self) -> list[int]:
        """Bytes of the shards' files."""
        return [path.stat().st_size for path in (self.seeded / "dump").iterdir()]

    def launch(self, more: Mapping[str, str]) -> None:
        """Ask for the backfill, with more variables, as a person does."""
        self.variables.update(more)
        backfill = ["job", "backfill", "-m", MODULE, "-j", "download", "--noprompt"]
        launched = subprocess.run(
            [DAGSTER, *backfill, "--partitions", ",".join(self.shards)],
            env=self.variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert launched.returncode == 0, launched.stderr

    @contextmanager
    def daemon(self) -> Iterator[psutil.Process]:
        """Run Dagster's daemon, which starts what is queued; all ends at once with the context."""
        with (self.home / "daemon.log").open("ab") as log:
            process = psutil.Popen(
                [f"{DAGSTER}-daemon", "run", "-m", MODULE],
                env=self.variables,
                cwd=self.home,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            for each in self.processes():
                each.kill()
            process.wait()

    def processes(self) -> list[psutil.Process]:
        """Find all that run on the data home, which is where they were started."""
        found = []
        for each in psutil.process_iter():
            with suppress(psutil.Error):  # gone, or another user's
                if each.cwd() == str(self.home):
                    found.append(each)
        return found

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open its Dagster instance."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster-home")) as found:
            yield found

    def looks(self, daemon: psutil.Process, longest: float) -> Iterator[None]:
        """Look again and again until all is ingested and gone; fail if the daemon ends or it lasts.

        Parameters
        ----------
        daemon
            That works on it.
        longest
            Seconds.
        """
        deadline = time.monotonic() + longest
        while not self.is_done():
            yield
            assert daemon.is_running() and daemon.status() != psutil.STATUS_ZOMBIE
            assert time.monotonic() < deadline, (self.home / "daemon.log").read_text()[-5000:]
            time.sleep(LOOK_SECONDS)

    def is_done(self) -> bool:
        """Tell whether all shards are ingested, and their files gone."""
        incoming = self.home / "incoming"
        if find_shards(incoming) or (incoming / DOWNLOADS).exists():
            return False
        try:
            return read_ledger(self.home / "audio.duckdb").keys() == set(self.shards)
        except DatabaseBusyError:  # a run has it
            return False

    def taken(self) -> int:
        """Count the bytes that the incoming folder takes on the disk."""
        total = 0
        for parent, _, names in os.walk(self.home / "incoming"):
            for name in names:
                try:
                    total += Path(parent, name).stat().st_blocks * 512
                except FileNotFoundError:
                    continue
        return total


def _look_often(settings: Path) -> None:
    """Let the daemon look for what is queued each second."""
    values = yaml.safe_load(settings.read_text())
    values["run_queue"]["dequeue_interval_seconds"] = 1
    settings.write_text(yaml.safe_dump(values))

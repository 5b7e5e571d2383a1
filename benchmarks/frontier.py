"""Other settings of the index: what each brings in recall, and costs in bytes and milliseconds.

    python benchmarks/frontier.py --music DIR [DIR ...] [--tracks 20000] [--excerpts 3]

Runs `benchmarks/index.py` on the validation set, once for each setting: features of the rhythm
trains by gaps, LLR bins a gap and frames of a fine LLR bin, and the frames of a place, the unit of
time of a posting. Each runs in a copy of the package in which these constants are replaced. Then
the settings that a user chooses: which trains are indexed (SPOTIFY_PIPELINE_INDEX).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import spotify_pipeline

PACKAGE = Path(spotify_pipeline.__file__).parent
BENCHMARK = Path(__file__).parent / "index.py"

FEATURES = [
    {"gaps": 2, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 128},  # the package's own
    {"gaps": 2, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 1024},
    {"gaps": 2, "cell_bits": 5, "step": 8, "PLACE_FRAMES": 128},
    {"gaps": 3, "cell_bits": 5, "step": 8, "PLACE_FRAMES": 1024},
    {"gaps": 3, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 1024},
    {"gaps": 3, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 4096},
]
FINE_FRAMES = 128
"""That all fine LLR bins cover, whatever the step."""

SOURCES = ("index/features.py", "index/segment.py")


def copy_package(folder: Path, setting: dict[str, int]) -> None:
    """Copy the package with constants replaced."""
    copy = folder / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    constants = setting | {"fine_cells": FINE_FRAMES // setting["step"]}
    for name, value in constants.items():
        pattern = rf"^(RHYTHM_FEATURES = .*\b{name}=|{name} = )\d+"
        replaced = 0
        for source in SOURCES:
            text, count = re.subn(
                pattern, rf"\g<1>{value}", (copy / source).read_text(), flags=re.MULTILINE
            )
            (copy / source).write_text(text)
            replaced += count
        if replaced != 1:
            raise SystemExit(f"{name}: replaced {replaced} times, not once")


def run(title: str, arguments: list[str], package: Path | None = None) -> None:
    """Run the benchmark, with another package or the installed one."""
    print(f"\n=== {title}", flush=True)
    environment = dict(os.environ)
    if package is not None:
        environment |= {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(package / "cache")}
    subprocess.run([sys.executable, BENCHMARK, *arguments], env=environment, check=True)


def main() -> None:
    """Run every setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--excerpts", type=int, default=3, help="of each piece and length")
    arguments = parser.parse_args()
    common = ["--music", *map(str, arguments.music), "--tracks", str(arguments.tracks)]
    common += ["--excerpts", str(arguments.excerpts), "--part", "validation", "--baseline", "0"]
    for setting in FEATURES:
        title = ", ".join(f"{name} {value}" for name, value in setting.items())
        with TemporaryDirectory() as folder:
            copy_package(Path(folder), setting)
            run(title, [*common, "--seconds", "5"], Path(folder))
    for trains in ("rhythm", "echoprint", "both"):
        run(f"index of {trains}", [*common, "--trains", trains, "--seconds", "5", "10", "20"])


if __name__ == "__main__":
    main()

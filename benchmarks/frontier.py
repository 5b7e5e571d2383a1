"""Other settings of the index: what each brings in recall, and costs in bytes and milliseconds.

    python -m benchmarks.frontier --music DIR [DIR ...] [--tracks 20000] [--excerpts 3]

Runs `benchmarks.index` on the validation set, once for each setting: features of the rhythm trains
by gaps, gap bins and frames of a fine gap bin, and the frames of a time bin, the unit of time of
a posting. Each runs in a copy of the package in which these constants are replaced. Then the
settings that a user chooses: which trains are indexed (SPOTIFY_PIPELINE_INDEX).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command import ROOT, add_music, command_line

PACKAGES = ("spotify_pipeline", "benchmarks")

FEATURES = [
    {"gaps": 2, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 128},  # the package's own
    {"gaps": 2, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 1024},
    {"gaps": 2, "cell_bits": 5, "step": 8, "PLACE_FRAMES": 128},
    {"gaps": 3, "cell_bits": 5, "step": 8, "PLACE_FRAMES": 1024},
    {"gaps": 3, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 1024},
    {"gaps": 3, "cell_bits": 6, "step": 4, "PLACE_FRAMES": 4096},
]
TRAINS = ("rhythm", "echoprint", "both")

FINE_FRAMES = 128
"""That all fine gap bins cover, whatever the step."""

SOURCES = ("spotify_pipeline/index/features.py", "spotify_pipeline/index/segment.py")


def copy_package(folder: Path, setting: dict[str, int]) -> None:
    """Copy the package with constants replaced."""
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    constants = setting | {"fine_cells": FINE_FRAMES // setting["step"]}
    for name, value in constants.items():
        pattern = rf"^(RHYTHM_FEATURES = .*\b{name}=|{name} = )\d+"
        replaced = 0
        for source in SOURCES:
            text, count = re.subn(
                pattern, rf"\g<1>{value}", (folder / source).read_text(), flags=re.MULTILINE
            )
            (folder / source).write_text(text)
            replaced += count
        if replaced != 1:
            raise SystemExit(f"{name}: replaced {replaced} times, not once")


def run(title: str, arguments: list[str], folder: Path = ROOT) -> None:
    """Run the benchmark of the index, with the packages of a folder."""
    print(f"\n=== {title}", flush=True)
    command = [sys.executable, "-m", "benchmarks.index", *arguments]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(folder)}, cwd=folder, check=True)


def main(words: Sequence[str] | None = None) -> None:
    """Run every setting."""
    parser = command_line(__doc__)
    add_music(parser)
    parser.add_argument("--tracks", type=int, default=20_000, help="synthetic tracks to index")
    parser.add_argument("--excerpts", type=int, default=3, help="of each piece and length")
    parser.add_argument(
        "--features",
        type=int,
        default=len(FEATURES),
        help="settings of features, the first so many",
    )
    parser.add_argument("--trains", nargs="*", choices=TRAINS, default=TRAINS, help="to index")
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        default=[5.0, 10.0, 20.0],
        help="of excerpts, where trains are compared",
    )
    arguments = parser.parse_args(words)
    common = ["--music", *(str(folder.absolute()) for folder in arguments.music)]
    common += ["--tracks", str(arguments.tracks), "--excerpts", str(arguments.excerpts)]
    common += ["--part", "validation", "--baseline", "0"]
    lengths = [str(seconds) for seconds in arguments.seconds]
    for setting in FEATURES[: arguments.features]:
        title = ", ".join(f"{name} {value}" for name, value in setting.items())
        with TemporaryDirectory() as folder:
            copy_package(Path(folder), setting)
            run(title, [*common, "--seconds", "5"], Path(folder))
    for trains in arguments.trains:
        run(f"index of {trains}", [*common, "--trains", trains, "--seconds", *lengths])


if __name__ == "__main__":
    main()

"""Detection under every degradation: who comes first, what may be accepted, where, and how sure.

    python benchmarks/detection.py --music DIR [--distractors 20000] [--lengths 3 5 10 20]
        [--degradations clean room ...] [--excerpts 2] [--seed 0] [--peers]
        [--plot reliability.png]

Indexes the pieces of DIR and so many made-up tracks (`evaluation.synthetic`). Of each piece and
degradation (`evaluation.degradations`), 62 s from a random place are degraded, and excerpts are cut
from them. Each is asked twice: of an index with its piece, and of one that lacks its half of the
pieces, where any answer is wrong. Every other piece is of the *tuning* half: weights and thresholds
are chosen there, and everything is reported on the other half.

*top-1*: the own piece comes first. *accepted at 0*: it comes first and is surer than every wrong
answer of the tuning half in this cell (of degradation and length); *at 0.1 %*: surer than all but a
thousandth of the wrong answers of the whole tuning half. *given*: it comes first and is given, with
the confidence that users get by default; *false*: the share of unknown excerpts for which anything
is given. *error*: by how much the position is off where the own piece comes first, median and 90 %;
*beyond 1 s*: the share of these that is further off. *time*: to identify, where the piece is in the
index, median and 90 %.

--peers asks the searches of other systems too, on the Echoprint codes of the same excerpts and
tracks, with thresholds by their own scores: *Jaccard* is echoprint-server's, *aligned codes* counts
codes that agree on a time offset. They hold all codes in memory, some 50 kB a track.

Then the time by stages, where the piece is in the index and where it is not: share of excerpts that
come to the stage, and what it takes of those. Last, the reliability: how often answers of a
confidence are right, also drawn by --plot.

Ctrl-C ends an evaluation early, with a report of what was asked until then.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.evaluate import EvaluationSetting, evaluate
from spotify_pipeline.progress import log_reporter


def parsed() -> argparse.Namespace:
    """Parse the command line."""
    defaults = EvaluationSetting()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True, help="folder of some dozens of pieces")
    parser.add_argument(
        "--distractors", type=int, default=defaults.distractors, help="made-up tracks to index"
    )
    parser.add_argument(
        "--lengths", type=float, nargs="+", default=defaults.lengths, metavar="SECONDS"
    )
    parser.add_argument(
        "--degradations",
        nargs="+",
        choices=[*DEGRADATIONS],
        default=defaults.degradations,
        metavar="NAME",
        help=f"of {', '.join(DEGRADATIONS)} (default: all)",
    )
    parser.add_argument(
        "--excerpts", type=int, default=defaults.excerpts, help="of each piece, kind and length"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of other excerpts")
    parser.add_argument("--peers", action="store_true", help="ask other systems' searches too")
    parser.add_argument("--plot", type=Path, help="draw the reliability diagram, a PNG")
    arguments = parser.parse_args()
    if arguments.plot is not None and not arguments.plot.parent.is_dir():
        parser.error(f"{arguments.plot.parent}: no such folder")
    return arguments


def main() -> None:
    """Ask, and print."""
    arguments = parsed()
    say = partial(print, file=sys.stderr, flush=True)
    try:
        setting = EvaluationSetting(
            arguments.distractors,
            arguments.lengths,
            arguments.degradations,
            arguments.excerpts,
            arguments.seed,
            arguments.peers,
        )
        with TemporaryDirectory() as folder:
            evaluation = evaluate(
                arguments.music, setting, Path(folder) / "index", log_reporter(say), say
            )
    except PipelineError as error:
        sys.exit(str(error))
    for table in evaluation.tables().values():
        print(f"\n{table.text()}")
    if arguments.plot is not None:
        arguments.plot.write_bytes(evaluation.plot())


if __name__ == "__main__":
    main()

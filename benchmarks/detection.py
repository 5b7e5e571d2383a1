"""Detection under every degradation: what is accepted, right or wrong, where, and how sure.

    python -m benchmarks.detection --music DIR [DIR ...] [--documents FILE ...] [--part test]
        [--distractors 20000] [--spliced 10000] [--lengths 3 5 10 20]
        [--degradations clean room ...] [--excerpts 2] [--seed 0] [--peers]
        [--no-harmony]
        [--plot reliability.png] [--worst worst.md]

The names of files divide music into a training set, which the onset network has learned from, a
validation set, on which weights and thresholds were chosen, and a test set (`evaluation.parts`).
Excerpts are of one set, --part. Of each piece and degradation (`evaluation.degradations`), 62 s
from a random place are degraded, and excerpts are cut from them. The pieces are divided into two
groups, and each excerpt is asked for twice: of an index with all pieces of the set, and of one that
lacks the piece's group, where any answer is wrong.

Against them stand impostors: the tracks of analysis documents (--documents, .jsonl or .jsonl.zst),
which may not be recordings of the music asked for; and synthetic tracks (--distractors), --spliced
of them (half, by default) spliced from pieces of the sets before: training and validation set
where the test set is asked, training set where the validation set is (`evaluation.spliced`). The
rest have independent gaps (`evaluation.synthetic`). The first table counts what stood in the index.

*accepted and right*, the main figure: the own piece comes first, with the confidence that users get
by default; *wrong*: another track does. *unknown accepted*: any track is, where the piece is not in
the index. *top-1*: the own piece has the highest confidence; *by likelihood*: the highest
likelihood. *error*: by how much the position is off where the own piece comes first, median and 90
%; *beyond 1 s*: the fraction of these that is further off. *time*: to identify, where the piece is
in the index, median and 90 %. In brackets stand 95 % intervals (Wilson's) in per cent, as if all
excerpts were independent; those of one piece are not, so the true ones are wider. Then the same
over all conditions, and apart for pieces that repeat themselves (*loops*, `evaluation.loops`) and
others.

--no-harmony leaves harmony and loudness out of all tracks, so that rhythm decides alone.

--peers asks the searches of other systems too, on the Echoprint codes of the same excerpts and
tracks: *Jaccard* is echoprint-server's, *aligned codes* counts codes that agree on a time offset.
They hold all codes in memory, some 50 kB a track. *at 0*: the own piece comes first, above every
wrong answer to the other group's excerpts in this condition, by each system's own score.

Then the time by stages, where the piece is in the index and where it is not: fraction of excerpts
that come to the stage, and what it takes of those. Last, the reliability: how often answers of a
confidence are right, also drawn by --plot. --worst writes a page of the surest wrong answers and of
the clearest excerpts that were missed, with the evidence that decided.

Ctrl-C ends an evaluation early, with a report of what was asked until then.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.among_impostors import add_distractors, add_excerpts
from benchmarks.command import command_line, print_machine, say
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.evaluation.evaluate import EvaluationSetting, evaluate
from spotify_pipeline.progress import log_reporter


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    defaults = EvaluationSetting()
    parser = command_line(__doc__)
    add_excerpts(
        parser,
        defaults.part,
        degradations=defaults.degradations,
        lengths=defaults.lengths,
        excerpts=defaults.excerpts,
        seed=defaults.seed,
    )
    add_distractors(parser)
    parser.add_argument("--spliced", type=int, help="of the distractors (default: half)")
    parser.add_argument("--peers", action="store_true", help="ask other systems' searches too")
    parser.add_argument(
        "--no-harmony", action="store_true", help="tracks have neither harmony nor loudness"
    )
    parser.add_argument("--plot", type=Path, help="draw the reliability diagram, a PNG")
    parser.add_argument("--worst", type=Path, help="write the worst cases, Markdown")
    arguments = parser.parse_args(words)
    for file in (arguments.plot, arguments.worst):
        if file is not None and not file.parent.is_dir():
            parser.error(f"{file.parent}: no such folder")
    return arguments


def main(words: Sequence[str] | None = None) -> None:
    """Ask, and print."""
    arguments = parsed(words)
    print_machine()
    try:
        setting = EvaluationSetting(
            distractors=arguments.distractors,
            lengths=arguments.lengths,
            degradations=arguments.degradations,
            excerpts=arguments.excerpts,
            seed=arguments.seed,
            baselines=arguments.peers,
            part=arguments.part,
            spliced=arguments.spliced,
            documents=arguments.documents,
            harmony=not arguments.no_harmony,
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
    if arguments.worst is not None:
        arguments.worst.write_text(evaluation.worst())


if __name__ == "__main__":
    main()

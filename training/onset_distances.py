"""Measures how near a track's onsets lie to those of a recording, where these alone are known.

    python -m training.onset_distances --music DIR [DIR ...] [--stretches 6]

Stretches of the training set go through what a file that is fingerprinted may have gone through
(`decision.FINGERPRINTED`), and are compared with another pressing of the piece (`examples`). It
prints log-likelihood ratios by the distance in frames: measured values for `LLR_NEAR_ONSET` and
`LLR_ELSEWHERE` of `spotify_pipeline.fingerprint.onset_llr`, which are still set by hand.

Belongs here: these few numbers. Does not belong here: what a recording itself tells (`network`).
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.command import add_music, command_line
from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.fingerprint import LLR_BIN_FRAMES
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_features import ONSET_FRAMES
from spotify_pipeline.recording import audio_files
from training.decision import FINGERPRINTED
from training.examples import Example, examples
from training.playback import Played

FARTHEST = 5


def through_a_file(samples: Float32s, rng: np.random.Generator) -> Played:
    """Play a stretch through little."""
    return Played(DEGRADATIONS[str(rng.choice(FINGERPRINTED))](samples, rng), 1.0)


def counts(stretch: Example) -> tuple[np.ndarray, np.ndarray]:
    """Count frames by their distance to the nearest own onset, and those that are track onsets.

    Returns
    -------
    int64 of shape (`FARTHEST` + 2,) each: the last is of all that are farther.
    """
    own = stretch.envelopes[:, :, -len(ONSET_FRAMES) :] > 0
    frames, onsets = np.zeros((2, FARTHEST + 2), np.int64)
    first = -int(ONSET_FRAMES[0])
    for position in range(LLR_BIN_FRAMES):
        left = np.full(own.shape[:2], FARTHEST + 1)
        for distance in range(FARTHEST, -1, -1):
            for apart in {-distance, distance}:
                left[own[:, :, first + position + apart]] = distance
        frames += np.bincount(left.ravel(), minlength=FARTHEST + 2)
        there = stretch.onsets == position
        onsets += np.bincount(left[there], minlength=FARTHEST + 2)
    return frames, onsets


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    add_music(parser)
    parser.add_argument("--stretches", type=int, default=6, help="of each version of a piece")
    arguments = parser.parse_args(words)
    files = [file for folder in arguments.music for file in audio_files(folder)]
    training = [file for file in files if part_of(file) is Part.TRAINING]
    frames, onsets = np.zeros((2, FARTHEST + 2), np.int64)
    for stretch in examples(training, arguments.stretches, play=through_a_file):
        seen, there = counts(stretch)
        frames += seen
        onsets += there
    any_frame = onsets.sum() / frames.sum()
    ratios = np.log(onsets / frames / any_frame)
    for distance, ratio in enumerate(ratios[:-1]):
        print(f"{distance} frames away: {ratio:+.2f}")
    print(f"farther: {ratios[-1]:+.2f}")


if __name__ == "__main__":
    main()

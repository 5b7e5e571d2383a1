"""Trains the onset network, and measures it on music that it was not trained on.

    python -m training.network --music DIR [DIR ...] --out FILE.npz
        [--stretches 36] [--epochs 5] [--seed 0]

The training set's pieces (`evaluation.parts`), as they are and slower and faster, are cut into
stretches of 3 to 12 s, and each is played through what `playback` draws. The target is in which
frames another pressing of the piece has rhythm onsets (`examples`). Stochastic gradient descent
(Adam) minimises the cross-entropy; the same seed and data give the same network.

Printed is what the LLRs tell, in bits a second, of the stretches trained on and of the validation
set's: how many bits fewer it takes to write the onsets down, to the LLR bin and to the frame, if
the LLRs are known. 36 stretches take 13 GB. A GPU with 16 cores takes three minutes; two cores some
hours, by estimate.

Belongs here: layers as JAX has them, the loss, the optimiser. Does not belong here: examples
(`examples`); the network as it runs (`spotify_pipeline.fingerprint.onset_network`).
"""

import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.command import add_music, command_line, say
from spotify_pipeline.evaluation.parts import Part, part_of
from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES, LLR_BINS_PER_SECOND
from spotify_pipeline.fingerprint.model_file import ModelFile
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CONTEXT,
    BIN_FIGURES,
    BINS_OF_BAND,
    ENVELOPE_FIGURES,
    NEAR_FRAMES,
    OnsetFeatures,
)
from spotify_pipeline.fingerprint.onset_llr import bin_llr
from spotify_pipeline.fingerprint.onset_network import OnsetModel
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import audio_files
from training.examples import NO_ONSET, VERSIONS, Example, examples
from training.provenance import made_now

BIN_UNITS, UNITS, SECOND_UNITS = 32, 384, 128
RUN_LLR_BINS, RUNS = 64, 16
"""A batch is so many runs of so many LLR bins each."""

LOAD = 128
"""Batches that are put together at once: 300 MB."""

AHEAD = 3
"""Loads that are put together while one is learned from."""

LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4

ENVELOPE_INPUTS = 2 * ENVELOPE_FIGURES + 2 * len(NEAR_FRAMES) + BANDS

VALIDATION_STRETCHES = 2

Layers = dict[str, tuple[jax.Array, ...]]
"""Weights and biases by the layer's name."""

Learned = tuple[Layers, optax.OptState]

Scale = tuple[np.ndarray, np.ndarray]
"""Means and deviations of what the first layer is given of envelopes."""


def of_bands(layers: Layers, scale: Scale, batch: Example) -> jax.Array:
    """Put together what the first layer is given of each band, as `OnsetModel` has it."""
    inputs = of_envelopes(batch.envelopes.astype(jnp.float32))
    bins = of_bins(layers, batch)
    return jnp.concatenate(((inputs - scale[0]) / scale[1], bins, *beside(bins)), axis=-1)


def of_envelopes(envelopes: jax.Array) -> jax.Array:
    """Put together what the envelopes tell of each band, and which band it is."""
    near = envelopes[..., : len(NEAR_FRAMES)]
    mean = jnp.broadcast_to(envelopes.mean(axis=-2, keepdims=True), envelopes.shape)
    which = jnp.broadcast_to(jnp.eye(BANDS), (*envelopes.shape[:-1], BANDS))
    return jnp.concatenate((envelopes, mean, *beside(near), which), axis=-1)


def beside(bands: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Give what the bands above and below have; of shape (..., 8, n), as they come."""
    nothing = jnp.zeros_like(bands[..., :1, :])
    above = jnp.concatenate((bands[..., 1:, :], nothing), axis=-2)
    below = jnp.concatenate((nothing, bands[..., :-1, :]), axis=-2)
    return above, below


def of_bins(layers: Layers, batch: Example) -> jax.Array:
    """Average the bins' units over each band."""
    llr_bins, figures, biases = layers["bins"]
    spectrum = batch.spectrum.astype(jnp.float32)
    count = spectrum.shape[1] - BIN_CONTEXT + 1
    around = jnp.stack([spectrum[:, k : k + count] for k in range(BIN_CONTEXT)], axis=-1)
    units = jax.nn.relu(around @ llr_bins + (batch.bins @ figures + biases)[:, None])
    return units.reshape(*units.shape[:2], BANDS, BINS_OF_BAND, BIN_UNITS).mean(axis=3)


def loss(layers: Layers, scale: Scale, prior: np.ndarray, batch: Example) -> jax.Array:
    """Give the cross-entropy of the onsets' frames, in nats an LLR bin."""
    values = of_bands(layers, scale, batch)
    for name in ("first", "second"):
        weights, biases = layers[name]
        values = jax.nn.relu(values @ weights + biases)
    weights, biases = layers["last"]
    llr = values @ weights + biases + prior[:, None]
    none = jnp.zeros_like(llr[..., :1])
    frames = jax.nn.log_softmax(jnp.concatenate((none, llr), axis=-1), axis=-1)
    target = (batch.onsets.astype(jnp.int32) - NO_ONSET)[..., None]
    return -jnp.mean(jnp.sum(jnp.take_along_axis(frames, target, axis=-1), axis=-2))


def trained(stretches: Sequence[Example], epochs: int, seed: int) -> OnsetModel:
    """Train a network."""
    scale = scale_of(stretches)
    rates = onset_rates(stretches)
    prior = np.log(rates / (1 - rates) / LLR_BIN_FRAMES)
    costs = jax.value_and_grad(partial(loss, scale=scale, prior=prior))
    batches = sum(len(stretch.onsets) for stretch in stretches) // (RUN_LLR_BINS * RUNS)
    schedule = optax.cosine_decay_schedule(LEARNING_RATE, epochs * batches)
    optimizer = optax.adamw(schedule, weight_decay=WEIGHT_DECAY)

    def step(state: Learned, batch: Example) -> tuple[Learned, jax.Array]:
        layers, moments = state
        cost, gradient = costs(layers, batch=batch)
        updates, moments = optimizer.update(gradient, moments, layers)
        return (optax.apply_updates(layers, updates), moments), cost

    learn = jax.jit(partial(jax.lax.scan, step))
    layers = first_layers(seed)
    state: Learned = (layers, optimizer.init(layers))
    rng = np.random.default_rng([seed, 1])
    report = log_reporter(say, "batches")
    for epoch in range(epochs):
        started = time.perf_counter()
        paid: list[np.ndarray] = []
        for load in loads(stretches, rng):
            state, cost = learn(state, load)
            paid += list(np.asarray(cost))
            report(epoch * batches + len(paid), epochs * batches, "training")
        print(
            f"epoch {epoch + 1}: cost {np.mean(paid):.4f}, {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return model_of(jax.tree.map(np.asarray, state[0]), scale)


def onset_rates(stretches: Sequence[Example]) -> np.ndarray:
    """Give the fraction of LLR bins with an onset, by band."""
    onsets = np.concatenate([stretch.onsets for stretch in stretches])
    return np.asarray(np.clip((onsets != NO_ONSET).mean(axis=0), 1e-6, 1 - 1e-6))


def loads(stretches: Sequence[Example], rng: np.random.Generator) -> Iterator[Example]:
    """Cut all stretches into runs, and give them in any order, `LOAD` batches at a time.

    Those that follow are put together while one is learned from. Arrays are of shape
    (batches, `RUNS`, ...); the last load is smaller.
    """
    runs = [
        (stretch, first)
        for stretch in stretches
        for first in range(
            int(rng.integers(RUN_LLR_BINS)), len(stretch.onsets) - RUN_LLR_BINS + 1, RUN_LLR_BINS
        )
    ]
    order = rng.permutation(len(runs))[: len(runs) // RUNS * RUNS]
    chosen = [
        [runs[position] for position in order[first : first + LOAD * RUNS]]
        for first in range(0, len(order), LOAD * RUNS)
    ]
    with ThreadPoolExecutor(AHEAD) as threads:
        pending: deque[Future[Example]] = deque()
        for part in chosen:
            pending.append(threads.submit(_load, part))
            if len(pending) > AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _load(runs: Sequence[tuple[Example, int]]) -> Example:
    """Put runs together, `RUNS` a batch."""
    parts = zip(*(run_of(stretch, first) for stretch, first in runs), strict=True)
    whole = (np.stack(part) for part in parts)
    return Example(*(part.reshape(-1, RUNS, *part.shape[1:]) for part in whole))


def run_of(stretch: Example, first: int) -> Example:
    """Cut a run of LLR bins out of a stretch."""
    last = first + RUN_LLR_BINS
    part = OnsetFeatures(stretch.envelopes, stretch.spectrum, stretch.bins).part(first, last)
    return Example(part.envelopes, part.spectrum, part.bins, stretch.onsets[first:last])


def scale_of(stretches: Sequence[Example]) -> Scale:
    """Give means and deviations of what the first layer is given of envelopes."""
    envelopes = np.concatenate([stretch.envelopes[::200] for stretch in stretches])
    inputs = np.asarray(of_envelopes(envelopes.astype(np.float32))).reshape(-1, ENVELOPE_INPUTS)
    means, deviations = inputs.mean(axis=0), inputs.std(axis=0) + 1e-2
    # which band it is stays as it is
    means[-BANDS:], deviations[-BANDS:] = 0, 1
    return means, deviations


def first_layers(seed: int) -> Layers:
    """Draw a network that has learned nothing."""
    keys = iter(jax.random.split(jax.random.key(seed), 5))

    def drawn(inward: int, outward: int, gain: float = 2.0) -> jax.Array:
        return jax.random.normal(next(keys), (inward, outward)) * (gain / inward) ** 0.5

    return {
        "bins": (
            drawn(BIN_CONTEXT, BIN_UNITS, 1.0),
            drawn(BIN_FIGURES, BIN_UNITS, 0.1),
            jnp.zeros(BIN_UNITS),
        ),
        "first": (drawn(ENVELOPE_INPUTS + 3 * BIN_UNITS, UNITS), jnp.zeros(UNITS)),
        "second": (drawn(UNITS, SECOND_UNITS), jnp.zeros(SECOND_UNITS)),
        "last": (drawn(SECOND_UNITS, LLR_BIN_FRAMES, 0.1), jnp.zeros(LLR_BIN_FRAMES)),
    }


def model_of(layers: dict[str, tuple[np.ndarray, ...]], scale: Scale) -> OnsetModel:
    """Take the scale of the envelopes into the weights, and sort them by what they weigh."""
    bin_context, bin_figures, bin_biases = layers["bins"]
    (first, first_biases), (second, second_biases) = layers["first"], layers["second"]
    last, last_bias = layers["last"]
    means, deviations = scale
    envelopes = first[:ENVELOPE_INPUTS] / deviations[:, None]
    figures, near = ENVELOPE_FIGURES, len(NEAR_FRAMES)
    own, mean, above, below, which = np.split(envelopes, np.cumsum((figures, figures, near, near)))
    bins, bins_above, bins_below = np.split(first[ENVELOPE_INPUTS:], 3)
    arrays = {
        "bin_context": bin_context,
        "bin_figures": bin_figures,
        "bin_biases": bin_biases,
        "bins": bins,
        "bins_above": bins_above,
        "bins_below": bins_below,
        "own": own,
        "mean": mean,
        "above": above,
        "below": below,
        "biases": which + first_biases - means @ envelopes,
        "hidden_weights": second,
        "hidden_biases": second_biases,
        "weights": last,
        "bias": np.tile(last_bias, (BANDS, 1)),
    }
    return OnsetModel.of({name: array.astype(np.float16) for name, array in arrays.items()})


def bits_a_second(model: OnsetModel, stretches: Sequence[Example]) -> tuple[float, float]:
    """Tell by how many bits the LLRs shorten what the onsets take to write down.

    Returns
    -------
    To the LLR bin, and to the frame.
    """
    onsets = np.concatenate([stretch.onsets for stretch in stretches])
    frames = np.concatenate([model.frame_llr(stretch.features) for stretch in stretches])
    there = onsets != NO_ONSET
    rates = onset_rates(stretches)
    llr_bins = bin_llr(frames) + np.log(rates / (1 - rates))
    with_llr = np.logaddexp(0, np.where(there, -llr_bins, llr_bins)).sum(axis=1).mean()
    without = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()
    bits = (without - with_llr) / np.log(2) * LLR_BINS_PER_SECOND
    # where in its LLR bin an onset is: two bits, if nothing is known
    of_llr_bin = frames.reshape(-1, LLR_BIN_FRAMES, BANDS)
    chosen = np.take_along_axis(of_llr_bin, np.maximum(onsets, 0)[:, None].astype(np.int64), axis=1)
    position = (chosen[:, 0] - bin_llr(frames))[there].sum() / len(onsets)
    return float(bits), float(bits + position / np.log(2) * LLR_BINS_PER_SECOND)


def main(words: Sequence[str] | None = None) -> None:
    """Train, measure, write."""
    parser = command_line(__doc__)
    add_music(parser)
    parser.add_argument("--stretches", type=int, default=36, help="of each version of a piece")
    parser.add_argument(
        "--epochs", type=int, default=5, help="how often every stretch is learned from"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of first weights and of the order of batches"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    arguments = parser.parse_args(words)
    files = [file for folder in arguments.music for file in audio_files(folder)]
    of_part = {part: [file for file in files if part_of(file) is part] for part in Part}
    training, validation = of_part[Part.TRAINING], of_part[Part.VALIDATION]
    report = log_reporter(say, "stretches")
    stretches: list[Example] = []
    total = len(training) * len(VERSIONS) * arguments.stretches
    for example in examples(training, arguments.stretches):
        stretches.append(example)
        report(len(stretches), total, "playing the training set")
    model = trained(stretches, arguments.epochs, arguments.seed)
    made = made_now(
        pieces=sorted(file.stem for file in training),
        settings={name: getattr(arguments, name) for name in ("stretches", "epochs", "seed")},
    )
    held_out = list(examples(validation, VALIDATION_STRETCHES))
    for name, pieces, stretches_of_set in (
        ("training", training, stretches[::7]),
        ("validation", validation, held_out),
    ):
        llr_bin, frame = bits_a_second(model, stretches_of_set)
        made[name] = {"bits a second to the LLR bin": llr_bin, "to the frame": frame}
        print(
            f"{name} set, {len(pieces)} pieces: {llr_bin:.1f} bits a second to the LLR bin,",
            end=" ",
        )
        print(f"{frame:.1f} to the frame", flush=True)
    print(json.dumps(made, indent=1))
    ModelFile({"network": model.arrays()}, {"network": made}).write(arguments.out)


if __name__ == "__main__":
    main()

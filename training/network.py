"""Trains the onset network, and measures it on music that it was not trained on.

    python -m training.network --music DIR [DIR ...] --out FILE.npz
        [--stretches 24] [--epochs 8] [--ranking-epochs 3] [--seed 0]

The training set's pieces (`evaluation.parts`), as they are, slower and faster, and mixed, are cut
into stretches of 3 to 12 s, and each is played through what `playback` draws. The target is in
which frames another pressing of the piece has rhythm onsets (`examples`). Stochastic gradient
descent (Adam) minimises the cross-entropy first; then, at half the rate, the cross-entropy and
`RANKING` times what the LLRs lose where they would name another track (`ranking`). The same seed
and data give the same network, but for what a GPU rounds.

Printed is what the LLRs tell, in bits a second, of the stretches trained on and of the validation
set's: how many bits fewer it takes to write the onsets down, to the LLR bin and to the frame, if
the LLRs are known. Ranking costs bits: what is the same in most tracks tells none of them.
24 stretches take 15 GB, of memory and of a GPU's. A GPU with 16 cores takes four minutes; two cores
some hours, by estimate.

Belongs here: layers as JAX has them, the cross-entropy, the optimiser. Does not belong here:
examples (`examples`); the other loss (`ranking`); the network as it runs
(`spotify_pipeline.fingerprint.onset_network`).
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

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
)
from spotify_pipeline.fingerprint.onset_llr import bin_llr
from spotify_pipeline.fingerprint.onset_network import OnsetModel
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import audio_files
from training.examples import MIXES, NO_ONSET, VERSIONS, Example, examples
from training.provenance import made_now
from training.ranking import Trains, ranking_loss

BIN_UNITS, UNITS, SECOND_UNITS = 32, 384, 128

RUN_LLR_BINS, RUNS = 384, 12
"""A batch is so many runs of so many LLR bins each; stretches are seldom shorter."""

LOAD = 1200
"""Stretches that are on the device as one array."""

OTHERS = 64
"""Runs of a load whose onsets are further wrong trains for a batch."""

RANKING = 16.0
"""An LLR bin's cross-entropy counts once, what it loses by ranking so many times. Chosen on the
validation pieces (`benchmarks/results/onset-network.md`)."""

LEARNING_RATE, RANKING_RATE = 2e-3, 1e-3
WARM_UP = 300
"""Batches over which the learning rate rises."""

MOST_GRADIENT = 1.0
WEIGHT_DECAY = 1e-4

ENVELOPE_INPUTS = 2 * ENVELOPE_FIGURES + 2 * len(NEAR_FRAMES) + BANDS

VALIDATION_STRETCHES = 2

SETTINGS = "stretches", "epochs", "ranking_epochs", "seed"
"""Options that the network's file names."""

Layers = dict[str, tuple[jax.Array, ...]]
"""Weights and biases by the layer's name."""

Learned = tuple[Layers, optax.OptState]

Cost = Callable[[Layers, "Load", jax.Array, jax.Array], jax.Array]
"""Of layers and a batch, onsets of other stretches, and a key of what is drawn."""

Scale = tuple[np.ndarray, np.ndarray]
"""Means and deviations of what the first layer is given of envelopes."""


class Load(NamedTuple):
    """Stretches, or runs of them, filled up to the same length.

    Attributes
    ----------
    envelopes, spectrum, bins, onsets
        As of `Example`, with an axis of stretches before.
    lengths
        int32 of shape (stretches,): the LLR bins that a stretch has.
    """

    envelopes: jax.Array
    spectrum: jax.Array
    bins: jax.Array
    onsets: jax.Array
    lengths: jax.Array


def llr_of(layers: Layers, scale: Scale, batch: Load) -> jax.Array:
    """Give LLRs of frames, of shape (stretches, LLR bins, 8, 4)."""
    values = of_bands(layers, scale, batch)
    for name in ("first", "second"):
        weights, biases = layers[name]
        values = jax.nn.relu(values @ weights + biases)
    weights, biases = layers["last"]
    return values @ weights + biases


def of_bands(layers: Layers, scale: Scale, batch: Load) -> jax.Array:
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


def of_bins(layers: Layers, batch: Load) -> jax.Array:
    """Average the bins' units over each band."""
    llr_bins, figures, biases = layers["bins"]
    spectrum = batch.spectrum.astype(jnp.float32)
    count = spectrum.shape[1] - BIN_CONTEXT + 1
    around = jnp.stack([spectrum[:, k : k + count] for k in range(BIN_CONTEXT)], axis=-1)
    units = jax.nn.relu(around @ llr_bins + (batch.bins @ figures + biases)[:, None])
    return units.reshape(*units.shape[:2], BANDS, BINS_OF_BAND, BIN_UNITS).mean(axis=3)


def loss(layers: Layers, scale: Scale, prior: np.ndarray, batch: Load) -> jax.Array:
    """Give the cross-entropy of the onsets' frames, in nats an LLR bin."""
    return cross_entropy(llr_of(layers, scale, batch), prior, batch)


def loss_and_ranking(
    layers: Layers,
    scale: Scale,
    prior: np.ndarray,
    batch: Load,
    others: jax.Array,
    key: jax.Array,
) -> jax.Array:
    """Add what the LLRs lose where they would name another track.

    Parameters
    ----------
    layers, scale, prior, batch
        As of `loss`.
    others
        int8 of shape (trains, LLR bins, 8): onsets of further stretches.
    key
        Of what is drawn.
    """
    llr = llr_of(layers, scale, batch)
    bins = jax.nn.logsumexp(llr, axis=-1) - np.log(LLR_BIN_FRAMES)
    of_trains, of_ranking = jax.random.split(key)
    own = Trains.drawn(batch.onsets, of_trains)
    (temperature,) = layers["temperature"]
    ranking = ranking_loss(temperature, bins, batch.lengths, own, others, of_ranking)
    return cross_entropy(llr, prior, batch) + RANKING * ranking


def cross_entropy(llr: jax.Array, prior: np.ndarray, batch: Load) -> jax.Array:
    """Give the cross-entropy of the onsets' frames by LLRs, in nats an LLR bin."""
    absolute = llr + prior[:, None]
    none = jnp.zeros_like(absolute[..., :1])
    frames = jax.nn.log_softmax(jnp.concatenate((none, absolute), axis=-1), axis=-1)
    target = (batch.onsets.astype(jnp.int32) - NO_ONSET)[..., None]
    costs = -jnp.sum(jnp.take_along_axis(frames, target, axis=-1), axis=(-1, -2))
    there = jnp.arange(costs.shape[1]) < batch.lengths[:, None]
    return jnp.sum(costs * there) / jnp.sum(there)


def trained(
    stretches: Sequence[Example], epochs: int, ranking_epochs: int, seed: int
) -> OnsetModel:
    """Train a network: so many epochs by cross-entropy, then so many by ranking, too."""
    scale = scale_of(stretches)
    rates = onset_rates(stretches)
    prior = np.log(rates / (1 - rates) / LLR_BIN_FRAMES)
    rng = np.random.default_rng([seed, 1])
    loads = loads_of(stretches, rng)
    layers = first_layers(seed)

    def by_cross_entropy(layers: Layers, batch: Load, _: jax.Array, __: jax.Array) -> jax.Array:
        return loss(layers, scale, prior, batch)

    def by_ranking(layers: Layers, batch: Load, others: jax.Array, key: jax.Array) -> jax.Array:
        return loss_and_ranking(layers, scale, prior, batch, others, key)

    layers = learned(layers, loads, by_cross_entropy, epochs, LEARNING_RATE, rng)
    layers = learned(layers, loads, by_ranking, ranking_epochs, RANKING_RATE, rng)
    return model_of(jax.tree.map(np.asarray, layers), scale)


def learned(
    layers: Layers,
    loads: Sequence[Load],
    cost_of: Cost,
    epochs: int,
    rate: float,
    rng: np.random.Generator,
) -> Layers:
    """Learn from all loads so many times."""
    batches = max(len(runs_of(load, rng)[0]) for load in loads) // RUNS
    optimizer = optimizer_of(rate, max(epochs * batches * len(loads), 1))
    learn = learner(optimizer, cost_of)
    state: Learned = (layers, optimizer.init(layers))
    key = jax.random.key(int(rng.integers(2**31)))
    for epoch in range(epochs):
        started = time.perf_counter()
        paid = []
        for number in rng.permutation(len(loads)):
            # loads have about as many runs; all are taken as of one length, so as to compile once
            runs = runs_of(loads[number], rng)
            order = np.resize(np.arange(len(runs[0])), (batches, RUNS))
            others = rng.integers(len(runs[0]), size=(batches, OTHERS))
            chosen = np.concatenate((order, others), axis=1)
            key, own = jax.random.split(key)
            keys = jax.random.split(own, batches)
            state, costs = learn(state, loads[number], *(of_run[chosen] for of_run in runs), keys)
            paid.append(float(np.mean(costs)))
        seconds = time.perf_counter() - started
        said = f"epoch {epoch + 1} of {epochs}: cost {np.mean(paid):.4f}, {seconds:.0f} s"
        print(said, file=sys.stderr, flush=True)
    return state[0]


def optimizer_of(rate: float, batches: int) -> optax.GradientTransformation:
    """Give Adam, whose rate rises, then falls to nothing within so many batches."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, min(WARM_UP, batches // 10), batches)
    return optax.chain(
        optax.clip_by_global_norm(MOST_GRADIENT),
        optax.adamw(schedule, weight_decay=WEIGHT_DECAY),
    )


def learner(
    optimizer: optax.GradientTransformation, cost_of: Cost
) -> Callable[..., tuple[Learned, jax.Array]]:
    """Compile what learns from batches of a load, one after the other, and tells their costs.

    Of each batch, the first `RUNS` runs are learned from, the others' onsets are further trains.
    """
    costs = jax.value_and_grad(cost_of)

    def learn(
        state: Learned, load: Load, stretches: jax.Array, firsts: jax.Array, keys: jax.Array
    ) -> tuple[Learned, jax.Array]:
        def step(
            state: Learned, chosen: tuple[jax.Array, jax.Array, jax.Array]
        ) -> tuple[Learned, jax.Array]:
            layers, moments = state
            stretches, firsts, key = chosen
            cut = jax.vmap(partial(run_of, load))
            batch = cut(stretches[:RUNS], firsts[:RUNS])
            others = cut(stretches[RUNS:], firsts[RUNS:]).onsets
            cost, gradient = costs(layers, batch, others, key)
            updates, moments = optimizer.update(gradient, moments, layers)
            return (optax.apply_updates(layers, updates), moments), cost

        done: tuple[Learned, jax.Array] = jax.lax.scan(step, state, (stretches, firsts, keys))
        return done

    compiled: Callable[..., tuple[Learned, jax.Array]] = jax.jit(learn, donate_argnums=0)
    return compiled


def run_of(load: Load, stretch: jax.Array, first: jax.Array) -> Load:
    """Cut a run of LLR bins out of a stretch."""

    def cut(array: jax.Array, llr_bins: int) -> jax.Array:
        return jax.lax.dynamic_slice_in_dim(array[stretch], first, llr_bins)

    return Load(
        cut(load.envelopes, RUN_LLR_BINS),
        cut(load.spectrum, RUN_LLR_BINS + BIN_CONTEXT - 1),
        load.bins[stretch],
        cut(load.onsets, RUN_LLR_BINS),
        jnp.minimum(load.lengths[stretch] - first, RUN_LLR_BINS),
    )


def runs_of(load: Load, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw where runs lie, in any order: their stretches, and their first LLR bins in these."""
    lengths = np.asarray(load.lengths)
    stretches = np.repeat(
        np.arange(len(lengths)), np.maximum(np.rint(lengths / RUN_LLR_BINS), 1).astype(int)
    )
    stretches = rng.permutation(stretches)
    firsts = rng.integers(0, np.maximum(lengths[stretches] - RUN_LLR_BINS, 0) + 1)
    return stretches.astype(np.int32), firsts.astype(np.int32)


def loads_of(stretches: Sequence[Example], rng: np.random.Generator) -> list[Load]:
    """Deal stretches to loads of about `LOAD`, all of one shape, on the device."""
    llr_bins = max(RUN_LLR_BINS, *(len(stretch.onsets) for stretch in stretches))
    order = rng.permutation(len(stretches))
    count = -(-len(stretches) // LOAD)
    size = -(-len(stretches) // count)
    dealt = np.resize(order, (count, size))
    return [
        jax.device_put(load_of([stretches[position] for position in positions], llr_bins))
        for positions in dealt
    ]


def load_of(stretches: Sequence[Example], llr_bins: int) -> Load:
    """Fill stretches up to so many LLR bins."""

    def filled(arrays: Sequence[np.ndarray], length: int, value: int = 0) -> np.ndarray:
        shape = len(arrays), length, *arrays[0].shape[1:]
        whole = np.full(shape, value, arrays[0].dtype)
        for row, array in zip(whole, arrays, strict=True):
            row[: len(array)] = array
        return whole

    return Load(
        filled([stretch.envelopes for stretch in stretches], llr_bins),
        filled([stretch.spectrum for stretch in stretches], llr_bins + BIN_CONTEXT - 1),
        np.stack([stretch.bins for stretch in stretches]),
        filled([stretch.onsets for stretch in stretches], llr_bins, NO_ONSET),
        np.array([len(stretch.onsets) for stretch in stretches], np.int32),
    )


def onset_rates(stretches: Sequence[Example]) -> np.ndarray:
    """Give the fraction of LLR bins with an onset, by band."""
    onsets = np.concatenate([stretch.onsets for stretch in stretches])
    return np.asarray(np.clip((onsets != NO_ONSET).mean(axis=0), 1e-6, 1 - 1e-6))


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
        # of ranking alone: no part of the network that runs
        "temperature": (jnp.zeros(()),),
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
    parser.add_argument("--stretches", type=int, default=24, help="of each version of a piece")
    parser.add_argument(
        "--epochs", type=int, default=8, help="how often every stretch is learned from"
    )
    parser.add_argument(
        "--ranking-epochs", type=int, default=3, help="how often after that, by ranking, too"
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
    total = len(training) * (len(VERSIONS) + MIXES) * arguments.stretches
    for example in examples(training, arguments.stretches):
        stretches.append(example)
        report(len(stretches), total, "playing the training set")
    model = trained(stretches, arguments.epochs, arguments.ranking_epochs, arguments.seed)
    made = made_now(
        pieces=sorted(file.stem for file in training),
        settings={name: getattr(arguments, name) for name in SETTINGS},
    )
    held_out = list(examples(validation, VALIDATION_STRETCHES, len(VERSIONS)))
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

"""Teaches the network that hears onset odds, and tells what it hears of music it was not taught on.

    pip install -e '.[teaching]'
    python benchmarks/onset_model.py --music DIR [DIR ...] [--stretches 32] [--epochs 5]
        [--out spotify_pipeline/fingerprint/onset_model.npz]

Every piece of the training set (`evaluation.parts`), as it is and slower and faster (so lower and
higher too: as good as other pieces), is cut into stretches of 12 s, and each is played through what
`heard` draws: rooms, noise, codecs, a telephone, another speed or pitch, or nothing; rooms and loud
noise more often than not, since little else is missed. What the network has to tell is in which
cells of `fingerprint.onset_odds` the clean, whole piece has rhythm onsets. It learns by stochastic
gradient descent (Adam).

Printed is what the odds tell, in bits a second, of the stretches learned from and of stretches of
the validation set: how many bits fewer it takes to write the onsets down if the odds are known.
Without --out nothing is written.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy import signal

from spotify_pipeline.evaluation import noise
from spotify_pipeline.evaluation.codecs import resampled
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    ODDS_CELLS_PER_SECOND,
    SAMPLE_RATE,
    OnsetTrains,
    fingerprint,
)
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CELLS,
    BIN_FIGURES,
    BINS_OF_BAND,
    ENVELOPE_FIGURES,
    NEAR_FRAMES,
    OnsetFeatures,
    onset_features,
)
from spotify_pipeline.fingerprint.onset_network import OnsetModel
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording

STRETCH_SECONDS = 12
VERSIONS = (1.0, 0.72, 0.85, 1.18, 1.39)
BIN_UNITS, UNITS, SECOND_UNITS = 32, 192, 64
RUN_CELLS, RUNS = 64, 8
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
MOST_SPEED = 0.045
CODED = ("telephone", "mp3 64k", "mp3 16k", "opus 32k", "clipped")

ENVELOPE_INPUTS = 2 * ENVELOPE_FIGURES + 2 * len(NEAR_FRAMES) + BANDS

Layers = dict[str, tuple[jax.Array, ...]]
"""Weights and biases by the layer's name."""

Scale = tuple[np.ndarray, np.ndarray]
"""Means and deviations of what the first layer is given of envelopes."""


class Example(NamedTuple):
    """A stretch as it was heard, or a run of its cells, or a batch of runs.

    Attributes
    ----------
    envelopes, spectrum, bins
        As `OnsetFeatures` has them, the first two float16; runs have an axis of their own before.
    onsets
        bool of shape (cells, 8): where the clean piece has any.
    """

    envelopes: np.ndarray
    spectrum: np.ndarray
    bins: np.ndarray
    onsets: np.ndarray

    @classmethod
    def of(cls, features: OnsetFeatures, onsets: np.ndarray) -> "Example":
        """Keep features with half as many bits."""
        halves = features.envelopes.astype(np.float16), features.spectrum.astype(np.float16)
        return cls(*halves, features.bins, onsets)

    @property
    def features(self) -> OnsetFeatures:
        """Give a stretch's features."""
        singles = self.envelopes.astype(np.float32), self.spectrum.astype(np.float32)
        return OnsetFeatures(*singles, self.bins)

    def run(self, first: int) -> "Example":
        """Cut out a run of cells."""
        last = first + RUN_CELLS
        part = OnsetFeatures(self.envelopes, self.spectrum, self.bins).part(first, last)
        return Example(part.envelopes, part.spectrum, part.bins, self.onsets[first:last])


def heard(samples: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Play a stretch through something; gives the speed too."""
    if rng.random() < 0.08:
        return samples, 1.0
    if rng.random() < 0.15:
        return DEGRADATIONS[str(rng.choice(["pitch +1", "pitch -1"]))](samples, rng), 1.0
    if rng.random() < 0.55:
        samples = in_a_room(samples, rng)
    if rng.random() < 0.6:
        samples = in_noise(samples, rng)
    if rng.random() < 0.4:
        samples = noise.band(samples, rng.uniform(80, 300), rng.uniform(3000, 5400), RATE)
    if rng.random() < 0.5:
        samples = DEGRADATIONS[str(rng.choice(CODED))](samples, rng)
    if rng.random() < 0.25:
        speed = 1 + rng.uniform(-MOST_SPEED, MOST_SPEED)
        return resampled(samples, RATE * speed, RATE), speed
    return samples, 1.0


def in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverberate for 0.15 to 0.9 s, between half and twice as loud as the direct sound."""
    seconds = rng.uniform(0.15, 0.9)
    times = np.arange(round(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail[: round(rng.uniform(0.001, 0.01) * RATE)] = 0
    tail *= 10 ** (rng.uniform(-6, 6) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)


def in_noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise of some kind, at -4 to 20 dB, around 0 dB the most often."""
    length = len(samples)
    kinds = [
        rng.standard_normal,
        partial(noise.pink_noise, rng=rng),
        partial(noise.babble, rate=RATE, rng=rng),
        partial(noise.applause, rate=RATE, rng=rng),
    ]
    added = kinds[int(rng.integers(len(kinds)))](length)
    return noise.with_noise(samples, added, rng.triangular(-4, 0, 20), RATE)


def examples(pieces: Sequence[Piece], stretches: int) -> list[Example]:
    """Have stretches of pieces heard, so many of each version."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        heard_pieces = [
            processes.submit(examples_of, piece, version, stretches)
            for piece in pieces
            for version in range(len(VERSIONS))
        ]
        return [example for piece in heard_pieces for example in piece.result()]


def examples_of(piece: Piece, version: int, stretches: int) -> list[Example]:
    """Have stretches of a version of a piece heard."""
    rng = np.random.default_rng([piece.key, version])
    samples = resampled(read_recording(piece.file, RATE).samples, RATE * VERSIONS[version], RATE)
    trains = fingerprint(resampled(samples, RATE, SAMPLE_RATE)).rhythm
    found = []
    for _ in range(stretches):
        first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
        stretch = samples[first : first + STRETCH_SECONDS * RATE]
        played, speed = heard(stretch, rng)
        late = int(rng.integers(SAMPLE_RATE))
        features = onset_features(resampled(played, RATE, SAMPLE_RATE)[late:])
        start = (first / RATE + late * speed / SAMPLE_RATE) * FRAMES_PER_SECOND
        onsets = onsets_in_cells(trains, start, speed, len(features))
        found.append(Example.of(features, onsets))
    return found


def onsets_in_cells(trains: OnsetTrains, start: float, speed: float, cells: int) -> np.ndarray:
    """Tell which cells of a recording have onsets, which begins at a frame of a track."""
    found = np.zeros((cells, BANDS), np.bool_)
    for band in range(BANDS):
        frames = (trains.band(band) - start) / speed
        places = np.floor(frames / ODDS_CELL_FRAMES).astype(np.int64)
        found[places[(places >= 0) & (places < cells)], band] = True
    return found


def of_bands(layers: Layers, scale: Scale, batch: Example) -> jax.Array:
    """Put together what the first layer is given of each band, as `OnsetModel` has it."""
    told = of_envelopes(batch.envelopes.astype(jnp.float32))
    bins = heard_in_bins(layers, batch)
    return jnp.concatenate(((told - scale[0]) / scale[1], bins, *beside(bins)), axis=-1)


def of_envelopes(envelopes: jax.Array) -> jax.Array:
    """Put together what the envelopes tell of each band, and which band it is."""
    near = envelopes[..., : len(NEAR_FRAMES)]
    mean = jnp.broadcast_to(envelopes.mean(axis=-2, keepdims=True), envelopes.shape)
    which = jnp.broadcast_to(jnp.eye(BANDS), (*envelopes.shape[:-1], BANDS))
    return jnp.concatenate((envelopes, mean, *beside(near), which), axis=-1)


def beside(bands: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Give what the bands above and below are told; of shape (..., 8, n), as they come."""
    nothing = jnp.zeros_like(bands[..., :1, :])
    above = jnp.concatenate((bands[..., 1:, :], nothing), axis=-2)
    below = jnp.concatenate((nothing, bands[..., :-1, :]), axis=-2)
    return above, below


def heard_in_bins(layers: Layers, batch: Example) -> jax.Array:
    """Average the bins' units over each band."""
    cells, figures, biases = layers["bins"]
    spectrum = batch.spectrum.astype(jnp.float32)
    count = spectrum.shape[1] - BIN_CELLS + 1
    around = jnp.stack([spectrum[:, k : k + count] for k in range(BIN_CELLS)], axis=-1)
    units = jax.nn.relu(around @ cells + (batch.bins @ figures + biases)[:, None])
    return units.reshape(*units.shape[:2], BANDS, BINS_OF_BAND, BIN_UNITS).mean(axis=3)


def loss(layers: Layers, scale: Scale, prior: np.ndarray, batch: Example) -> jax.Array:
    """Tell what the odds cost, in nats a cell."""
    values = of_bands(layers, scale, batch)
    for name in ("first", "second"):
        weights, biases = layers[name]
        values = jax.nn.relu(values @ weights + biases)
    weights, biases = layers["last"]
    odds = (values @ weights + biases)[..., 0] + prior
    return jnp.mean(jnp.sum(jnp.logaddexp(0, odds) - odds * batch.onsets, axis=-1))


def learned(stretches: Sequence[Example], epochs: int) -> OnsetModel:
    """Teach a network."""
    scale = scale_of(stretches)
    rates = np.concatenate([stretch.onsets for stretch in stretches]).mean(axis=0)
    costs = jax.value_and_grad(partial(loss, scale=scale, prior=np.log(rates / (1 - rates))))
    batches = sum(len(stretch.onsets) for stretch in stretches) // (RUN_CELLS * RUNS)
    schedule = optax.cosine_decay_schedule(LEARNING_RATE, epochs * batches)
    optimizer = optax.adamw(schedule, weight_decay=WEIGHT_DECAY)

    @jax.jit
    def step(
        layers: Layers, state: optax.OptState, batch: Example
    ) -> tuple[Layers, optax.OptState, jax.Array]:
        cost, gradient = costs(layers, batch=batch)
        updates, state = optimizer.update(gradient, state, layers)
        return optax.apply_updates(layers, updates), state, cost

    layers = first_layers()
    state = optimizer.init(layers)
    rng = np.random.default_rng(1)
    for epoch in range(epochs):
        started = time.perf_counter()
        paid = []
        for batch in batched(stretches, rng):
            layers, state, cost = step(layers, state, batch)
            paid.append(cost)
        print(
            f"epoch {epoch + 1}: cost {np.mean(paid):.4f}, {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return model_of(jax.tree.map(np.asarray, layers), scale)


def batched(stretches: Sequence[Example], rng: np.random.Generator) -> Iterator[Example]:
    """Cut all stretches into runs, and give them in any order, so many at once."""
    runs = [
        (stretch, first)
        for stretch in stretches
        for first in range(
            int(rng.integers(RUN_CELLS)), len(stretch.onsets) - RUN_CELLS + 1, RUN_CELLS
        )
    ]
    order = rng.permutation(len(runs))
    for first in range(0, len(runs) - RUNS + 1, RUNS):
        chosen = [runs[place] for place in order[first : first + RUNS]]
        parts = zip(*(stretch.run(first) for stretch, first in chosen), strict=True)
        yield Example(*(np.stack(part) for part in parts))


def scale_of(stretches: Sequence[Example]) -> Scale:
    """Give means and deviations of what the first layer is given of envelopes."""
    envelopes = np.concatenate([stretch.envelopes[::200] for stretch in stretches])
    told = np.asarray(of_envelopes(envelopes.astype(np.float32))).reshape(-1, ENVELOPE_INPUTS)
    means, deviations = told.mean(axis=0), told.std(axis=0) + 1e-2
    # which band it is stays as it is
    means[-BANDS:], deviations[-BANDS:] = 0, 1
    return means, deviations


def first_layers() -> Layers:
    """Draw a network that has learned nothing."""
    keys = iter(jax.random.split(jax.random.key(0), 5))

    def drawn(inward: int, outward: int, gain: float = 2.0) -> jax.Array:
        return jax.random.normal(next(keys), (inward, outward)) * (gain / inward) ** 0.5

    return {
        "bins": (
            drawn(BIN_CELLS, BIN_UNITS, 1.0),
            drawn(BIN_FIGURES, BIN_UNITS, 0.1),
            jnp.zeros(BIN_UNITS),
        ),
        "first": (drawn(ENVELOPE_INPUTS + 3 * BIN_UNITS, UNITS), jnp.zeros(UNITS)),
        "second": (drawn(UNITS, SECOND_UNITS), jnp.zeros(SECOND_UNITS)),
        "last": (drawn(SECOND_UNITS, 1), jnp.zeros(1)),
    }


def model_of(layers: dict[str, tuple[np.ndarray, ...]], scale: Scale) -> OnsetModel:
    """Take the scale of the envelopes into the weights, and sort them by what they weigh."""
    bin_cells, bin_figures, bin_biases = layers["bins"]
    (first, first_biases), (second, second_biases) = layers["first"], layers["second"]
    last, last_bias = layers["last"]
    means, deviations = scale
    envelopes = first[:ENVELOPE_INPUTS] / deviations[:, None]
    figures, near = ENVELOPE_FIGURES, len(NEAR_FRAMES)
    own, mean, above, below, which = np.split(envelopes, np.cumsum((figures, figures, near, near)))
    bins, bins_above, bins_below = np.split(first[ENVELOPE_INPUTS:], 3)
    arrays = {
        "bin_cells": bin_cells,
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
        "weights": last[:, 0],
        "bias": np.full(BANDS, last_bias[0]),
    }
    return OnsetModel.of({name: array.astype(np.float16) for name, array in arrays.items()})


def bits_a_second(model: OnsetModel, stretches: Sequence[Example]) -> float:
    """Tell by how many bits the odds shorten what the onsets take to write down."""
    onsets = np.concatenate([stretch.onsets for stretch in stretches])
    rates = np.clip(onsets.mean(axis=0), 1e-6, 1 - 1e-6)
    odds = np.concatenate([model.odds(stretch.features) for stretch in stretches])
    odds += np.log(rates / (1 - rates))
    with_odds = np.logaddexp(0, np.where(onsets, -odds, odds)).sum(axis=1).mean()
    without = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()
    return float((without - with_odds) / np.log(2) * ODDS_CELLS_PER_SECOND)


def main() -> None:
    """Teach, test, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--stretches", type=int, default=32, help="of each version of a piece")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file to write, .npz")
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    training, validation = (
        [piece for piece in pieces if piece.part is part]
        for part in (Part.TRAINING, Part.VALIDATION)
    )
    held_out = examples(validation, max(arguments.stretches // 8, 1))
    taught = examples(training, arguments.stretches)
    model = learned(taught, arguments.epochs)
    cells = [sum(len(example.onsets) for example in some) for some in (taught, held_out)]
    print(
        f"taught on {len(training)} pieces, {cells[0]:,} cells:"
        f" {bits_a_second(model, taught):.1f} bits a second of these,"
        f" {bits_a_second(model, held_out):.1f} of {cells[1]:,} cells of other music",
        flush=True,
    )
    if arguments.out is not None:
        model.write(arguments.out)


if __name__ == "__main__":
    main()

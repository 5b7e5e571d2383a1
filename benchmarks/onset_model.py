"""Teaches the network that hears onset odds, and tells what it hears of music it was not taught on.

    pip install -e '.[teaching]'
    python benchmarks/onset_model.py --music DIR [--stretches 32] [--epochs 6] [--folds]
        [--out spotify_pipeline/fingerprint/onset_model.npz]

Every other piece of DIR, those of the *tuning* half of `benchmarks/detection.py`, as it is and
slower and faster (so lower and higher too: as good as other pieces), is cut into stretches of 12 s,
and each is played through what `heard` draws: rooms, noise, codecs, a telephone, another speed or
pitch, or nothing. What the network has to tell is in which cells of `fingerprint.onset_odds` the
clean, whole piece has rhythm onsets. It learns by stochastic gradient descent (Adam).

Printed is what the odds tell, in bits a second, of the stretches learned from and of stretches of
the reporting half: how many bits fewer it takes to write the onsets down if the odds are known.
Without --out nothing is written. With --folds, two more networks are taught on every other tuning
piece each, and written beside OUT with `-0` and `-1` at the end of the name:
`benchmarks/decision_weights.py` has each hear the pieces it was not taught on.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy import signal

from spotify_pipeline.evaluation import noise
from spotify_pipeline.evaluation.codecs import resampled
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline.evaluation.queries import REPORTING, TUNING
from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    ODDS_CELLS_PER_SECOND,
    SAMPLE_RATE,
    OnsetTrains,
    fingerprint,
)
from spotify_pipeline.fingerprint.onset_odds import (
    FEATURES,
    NEAR_FRAMES,
    OnsetModel,
    onset_features,
    warm_envelopes,
)
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording

STRETCH_SECONDS = 12
VERSIONS = (1.0, 0.72, 0.85, 1.18, 1.39)
UNITS, SECOND_UNITS = 96, 48
BATCH = 512
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
MOST_SPEED = 0.045
CODED = ("telephone", "mp3 64k", "mp3 16k", "opus 32k", "clipped")

INPUTS = 2 * FEATURES + 2 * len(NEAR_FRAMES) + BANDS
CHUNK = 10_000

Layers = list[tuple[jax.Array, jax.Array]]
"""Weights and biases."""

Scale = tuple[np.ndarray, np.ndarray]
"""Means and deviations of the inputs."""

Examples = tuple[np.ndarray, np.ndarray]
"""Features, float16 of shape (cells, 8, features), and onsets, bool of shape (cells, 8)."""


def heard(samples: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Play a stretch through something; gives the speed too."""
    if rng.random() < 0.12:
        return samples, 1.0
    if rng.random() < 0.15:
        return DEGRADATIONS[str(rng.choice(["pitch +1", "pitch -1"]))](samples, rng), 1.0
    if rng.random() < 0.45:
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
    """Add noise of some kind, at -3 to 20 dB."""
    length = len(samples)
    kinds = [
        rng.standard_normal,
        partial(noise.pink_noise, rng=rng),
        partial(noise.babble, rate=RATE, rng=rng),
        partial(noise.applause, rate=RATE, rng=rng),
    ]
    added = kinds[int(rng.integers(len(kinds)))](length)
    return noise.with_noise(samples, added, rng.uniform(-3, 20), RATE)


def examples(pieces: Sequence[Piece], numbers: Sequence[int], stretches: int) -> Examples:
    """Have stretches of pieces heard, so many of each version."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        heard_pieces = [
            processes.submit(examples_of, pieces[number], number, version, stretches)
            for number in numbers
            for version in range(len(VERSIONS))
        ]
        features, onsets = zip(*(piece.result() for piece in heard_pieces), strict=True)
    return np.concatenate(features), np.concatenate(onsets)


def examples_of(piece: Piece, number: int, version: int, stretches: int) -> Examples:
    """Have stretches of a version of a piece heard."""
    rng = np.random.default_rng([number, version])
    samples = resampled(read_recording(piece.file, RATE).samples, RATE * VERSIONS[version], RATE)
    trains = fingerprint(resampled(samples, RATE, SAMPLE_RATE)).rhythm
    features, onsets = [], []
    for _ in range(stretches):
        first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
        stretch = samples[first : first + STRETCH_SECONDS * RATE]
        played, speed = heard(stretch, rng)
        late = int(rng.integers(SAMPLE_RATE))
        clip = resampled(played, RATE, SAMPLE_RATE)[late:]
        described = onset_features(warm_envelopes(clip))
        start = (first / RATE + late * speed / SAMPLE_RATE) * FRAMES_PER_SECOND
        features.append(described.astype(np.float16))
        onsets.append(onsets_in_cells(trains, start, speed, len(described)))
    return np.concatenate(features), np.concatenate(onsets)


def onsets_in_cells(trains: OnsetTrains, start: float, speed: float, cells: int) -> np.ndarray:
    """Tell which cells of a recording have onsets, which begins at a frame of a track."""
    found = np.zeros((cells, BANDS), np.bool_)
    for band in range(BANDS):
        frames = (trains.band(band) - start) / speed
        places = np.floor(frames / ODDS_CELL_FRAMES).astype(np.int64)
        found[places[(places >= 0) & (places < cells)], band] = True
    return found


def inputs(features: jax.Array) -> jax.Array:
    """Put together what the network sees of each band: as `OnsetModel` has it, in one array."""
    near = features[:, :, : len(NEAR_FRAMES)]
    nothing = jnp.zeros_like(near[:, :1])
    above = jnp.concatenate((near[:, 1:], nothing), axis=1)
    below = jnp.concatenate((nothing, near[:, :-1]), axis=1)
    mean = jnp.broadcast_to(features.mean(axis=1, keepdims=True), features.shape)
    which = jnp.broadcast_to(jnp.eye(BANDS), (len(features), BANDS, BANDS))
    return jnp.concatenate((features, mean, above, below, which), axis=2)


def odds_of(layers: Layers, scale: Scale, features: jax.Array) -> jax.Array:
    """Give log odds of shape (cells, 8) as `OnsetModel.odds` does, less those of any onset."""
    values = (inputs(features.astype(jnp.float32)) - scale[0]) / scale[1]
    for weights, biases in layers[:-1]:
        values = jax.nn.relu(values @ weights + biases)
    weights, biases = layers[-1]
    return (values @ weights + biases)[..., 0]


def loss(
    layers: Layers, scale: Scale, prior: np.ndarray, features: jax.Array, onsets: jax.Array
) -> jax.Array:
    """Tell what the odds cost, in nats a cell."""
    odds = odds_of(layers, scale, features) + prior
    return jnp.mean(jnp.sum(jnp.logaddexp(0, odds) - odds * onsets, axis=1))


def learned(features: np.ndarray, onsets: np.ndarray, epochs: int) -> OnsetModel:
    """Teach a network."""
    scale = scale_of(features)
    rates = onsets.mean(axis=0)
    costs = jax.value_and_grad(partial(loss, scale=scale, prior=np.log(rates / (1 - rates))))
    schedule = optax.cosine_decay_schedule(LEARNING_RATE, epochs * (len(features) // BATCH))
    optimizer = optax.adamw(schedule, weight_decay=WEIGHT_DECAY)

    @jax.jit
    def step(
        layers: Layers, state: optax.OptState, features: jax.Array, onsets: jax.Array
    ) -> tuple[Layers, optax.OptState, jax.Array]:
        cost, gradient = costs(layers, features=features, onsets=onsets)
        updates, state = optimizer.update(gradient, state, layers)
        return optax.apply_updates(layers, updates), state, cost

    layers = first_layers()
    state = optimizer.init(layers)
    order = np.random.default_rng(1)
    for epoch in range(epochs):
        started = time.perf_counter()
        places = order.permutation(len(features))
        paid = []
        for first in range(0, len(places) - BATCH + 1, BATCH):
            chosen = np.sort(places[first : first + BATCH])
            batch = features[chosen], onsets[chosen].astype(np.float32)
            layers, state, cost = step(layers, state, *batch)
            paid.append(cost)
        print(
            f"epoch {epoch + 1}: cost {np.mean(paid):.4f}, {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return model_of([(np.asarray(a), np.asarray(b)) for a, b in layers], scale)


def scale_of(features: np.ndarray) -> Scale:
    """Give means and deviations of the inputs."""
    some = np.asarray(inputs(features[::200].astype(np.float32))).reshape(-1, INPUTS)
    means, deviations = some.mean(axis=0), some.std(axis=0) + 1e-2
    # which band it is stays as it is
    means[-BANDS:], deviations[-BANDS:] = 0, 1
    return means, deviations


def first_layers() -> Layers:
    """Draw a network that has learned nothing."""
    sizes = (INPUTS, UNITS, SECOND_UNITS, 1)
    keys = jax.random.split(jax.random.key(0), len(sizes) - 1)
    return [
        (jax.random.normal(key, (inward, outward)) * (2 / inward) ** 0.5, jnp.zeros(outward))
        for key, inward, outward in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def model_of(layers: Sequence[tuple[np.ndarray, np.ndarray]], scale: Scale) -> OnsetModel:
    """Take the scale of the inputs into the weights, and sort them by what they weigh."""
    (first, first_biases), (second, second_biases), (last, last_bias) = layers
    means, deviations = scale
    first = first / deviations[:, None]
    ends = np.cumsum((FEATURES, FEATURES, len(NEAR_FRAMES), len(NEAR_FRAMES)))
    own, mean, above, below, which = np.split(first, ends)
    arrays = {
        "own": own,
        "mean": mean,
        "above": above,
        "below": below,
        "biases": which + first_biases - means @ first,
        "hidden_weights": second,
        "hidden_biases": second_biases,
        "weights": last[:, 0],
        "bias": np.full(BANDS, last_bias[0]),
    }
    return OnsetModel.of({name: array.astype(np.float16) for name, array in arrays.items()})


def bits_a_second(model: OnsetModel, examples: Examples) -> float:
    """Tell by how many bits the odds shorten what the onsets take to write down."""
    features, onsets = examples
    rates = np.clip(onsets.mean(axis=0), 1e-6, 1 - 1e-6)
    odds = np.concatenate(
        [
            model.odds(features[first : first + CHUNK].astype(np.float32))
            for first in range(0, len(features), CHUNK)
        ]
    )
    odds += np.log(rates / (1 - rates))
    with_odds = np.logaddexp(0, np.where(onsets, -odds, odds)).sum(axis=1).mean()
    without = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()
    return float((without - with_odds) / np.log(2) * ODDS_CELLS_PER_SECOND)


def main() -> None:
    """Teach, test, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--stretches", type=int, default=32, help="of each version of a piece")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--folds", action="store_true", help="teach two more on a half each")
    parser.add_argument("--out", type=Path, help="file to write, .npz")
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    tuning = range(TUNING, len(pieces), 2)
    held_out = examples(pieces, range(REPORTING, len(pieces), 2), max(arguments.stretches // 8, 1))
    lots = [("", tuning)]
    if arguments.folds:
        lots += [(f"-{fold}", tuning[fold::2]) for fold in range(2)]
    for name, numbers in lots:
        taught = examples(pieces, numbers, arguments.stretches)
        model = learned(*taught, arguments.epochs)
        print(
            f"taught on {len(numbers)} pieces, {len(taught[0]):,} cells:"
            f" {bits_a_second(model, taught):.1f} bits a second of these,"
            f" {bits_a_second(model, held_out):.1f} of {len(held_out[0]):,} cells of other music",
            flush=True,
        )
        if arguments.out is not None:
            model.write(arguments.out.with_stem(arguments.out.stem + name))


if __name__ == "__main__":
    main()

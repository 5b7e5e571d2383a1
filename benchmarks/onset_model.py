"""Teaches the network that hears onset odds, and tells what it hears of music it was not taught on.

    python benchmarks/onset_model.py --music DIR [--stretches 40] [--units 96] [--epochs 8]
        [--out spotify_pipeline/fingerprint/onset_model.npz]

Every other piece of DIR, those of the *tuning* half of `benchmarks/detection.py`, is cut into
stretches of 12 s, and each is played through what `heard` draws: rooms, noise, codecs, a telephone,
another speed or pitch, or nothing. What the network has to tell is in which cells of
`fingerprint.onset_odds` the clean, whole piece has rhythm onsets. It learns by stochastic gradient
descent (Adam), as scikit-learn has it.

Printed is what the odds tell, in bits a second, of the stretches learned from and of stretches of
the reporting half: how many bits fewer it takes to write the onsets down if the odds are known.
Without --out nothing is written.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy import signal
from sklearn.neural_network import MLPClassifier

from spotify_pipeline.evaluation import noise
from spotify_pipeline.evaluation.codecs import resampled
from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE
from spotify_pipeline.evaluation.pieces import Piece, read_pieces
from spotify_pipeline.evaluation.queries import REPORTING, TUNING
from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    ODDS_CELL_FRAMES,
    SAMPLE_RATE,
    OnsetTrains,
)
from spotify_pipeline.fingerprint.onset_odds import OnsetModel, onset_features, warm_envelopes
from spotify_pipeline.progress import log_reporter
from spotify_pipeline.recording import read_recording

STRETCH_SECONDS = 12
BATCH = 512
CHUNK = 32 * BATCH
LEARNING_RATE, LAST_LEARNING_RATE = 1e-3, 2e-4
LAST_EPOCHS = 2
MOST_SPEED = 0.045
CODED = ("telephone", "mp3 64k", "mp3 16k", "opus 32k", "clipped")


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


def examples(pieces: Sequence[Piece], half: int, stretches: int) -> tuple[np.ndarray, np.ndarray]:
    """Give features, float16 of shape (cells, features), and onsets, bool of shape (cells, 8)."""
    features, onsets = [], []
    for number in range(half, len(pieces), 2):
        rng = np.random.default_rng([half, number])
        samples = read_recording(pieces[number].file, RATE).samples
        for _ in range(stretches):
            first = int(rng.integers(0, max(len(samples) - STRETCH_SECONDS * RATE, 1)))
            stretch = samples[first : first + STRETCH_SECONDS * RATE]
            played, speed = heard(stretch, rng)
            clip = resampled(played, RATE, SAMPLE_RATE)[int(rng.integers(SAMPLE_RATE)) :]
            # as long as it would be at the speed of the piece
            late = len(stretch) / RATE - len(clip) * speed / SAMPLE_RATE
            described = onset_features(stretched(warm_envelopes(clip), speed))
            features.append(described.astype(np.float16))
            start = (first / RATE + late) * FRAMES_PER_SECOND
            onsets.append(onsets_in_cells(pieces[number].fingerprint.rhythm, start, len(described)))
    return np.concatenate(features), np.concatenate(onsets)


def stretched(bands: np.ndarray, speed: float) -> np.ndarray:
    """Make envelopes longer by a factor."""
    places = np.arange(int(len(bands) * speed)) / speed
    return np.stack(
        [np.interp(places, np.arange(len(bands)), bands[:, band]) for band in range(BANDS)], axis=1
    ).astype(np.float32)


def onsets_in_cells(trains: OnsetTrains, start: float, cells: int) -> np.ndarray:
    """Tell which cells from a frame on have onsets."""
    found = np.zeros((cells, BANDS), np.bool_)
    for band in range(BANDS):
        places = np.floor((trains.band(band) - start) / ODDS_CELL_FRAMES).astype(np.int64)
        found[places[(places >= 0) & (places < cells)], band] = True
    return found


def learned(features: np.ndarray, onsets: np.ndarray, units: int, epochs: int) -> OnsetModel:
    """Teach a network."""
    rates = onsets.mean(axis=0)
    means = features.mean(axis=0, dtype=np.float64)
    deviations = features.std(axis=0, dtype=np.float64) + 1e-3
    network = MLPClassifier((units,), batch_size=BATCH, random_state=1)
    order = np.random.default_rng(1)
    for epoch in range(epochs):
        started = time.perf_counter()
        places = order.permutation(len(features))
        for first in range(0, len(places), CHUNK):
            chosen = places[first : first + CHUNK]
            scaled = ((features[chosen] - means) / deviations).astype(np.float32)
            network.partial_fit(scaled, onsets[chosen], classes=np.arange(BANDS))
            last = epoch >= epochs - LAST_EPOCHS
            network._optimizer.learning_rate_init = LAST_LEARNING_RATE if last else LEARNING_RATE
        print(
            f"epoch {epoch + 1}: loss {network.loss_:.4f}, {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    hidden = network.coefs_[0] / deviations[:, None]
    arrays = {
        "hidden_weights": hidden,
        "hidden_biases": network.intercepts_[0] - means @ hidden,
        "weights": network.coefs_[1],
        "biases": network.intercepts_[1] - np.log(rates / (1 - rates)),
    }
    return OnsetModel.of({name: array.astype(np.float16) for name, array in arrays.items()})


def bits_a_second(model: OnsetModel, features: np.ndarray, onsets: np.ndarray) -> float:
    """Tell by how many bits the odds shorten what the onsets take to write down."""
    rates = np.clip(onsets.mean(axis=0), 1e-6, 1 - 1e-6)
    odds = model.odds(features.astype(np.float32)) + np.log(rates / (1 - rates))
    with_odds = np.logaddexp(0, np.where(onsets, -odds, odds)).sum(axis=1).mean()
    without = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()
    return float((without - with_odds) / np.log(2) * FRAMES_PER_SECOND / ODDS_CELL_FRAMES)


def main() -> None:
    """Teach, test, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--stretches", type=int, default=40, help="of each piece")
    parser.add_argument("--units", type=int, default=96, help="in the hidden layer")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, help="file to write, .npz")
    arguments = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    pieces = read_pieces(arguments.music, log_reporter(say, "files"), say)
    taught = examples(pieces, TUNING, arguments.stretches)
    print(f"taught on {len(taught[0]):,} cells")
    model = learned(*taught, arguments.units, arguments.epochs)
    held_out = examples(pieces, REPORTING, max(arguments.stretches // 8, 1))
    print(f"bits a second: {bits_a_second(model, *taught):.1f} of what it was taught on,")
    print(f"{bits_a_second(model, *held_out):.1f} of {len(held_out[0]):,} cells of other music")
    if arguments.out is not None:
        arrays = {name: getattr(model, name).astype(np.float16) for name in vars(model)}
        np.savez_compressed(arguments.out, **arrays)


if __name__ == "__main__":
    main()

"""What the onset network loses where it would name another track: it learns to tell tracks apart.

That onsets are dense here tells little of a track: so they are in many others. Cross-entropy pays
for knowing it all the same. So LLRs are summed as a search does (`index.kernels.likelihood`),
at the onsets of the right train and of wrong ones, and what counts is by how much the right
sum is above the others: InfoNCE (van den Oord et al., arXiv:1807.03748).

Wrong are the trains of all other runs of a batch and of further stretches, each at every circular
shift; and a run's own train, shifted: it is as dense as the right one, so that only the moments of
its onsets tell. A search has many more to choose from (`OFFSETS`), for which these stand.

Belongs here: the loss of LLRs and trains. Does not belong here: what gives LLRs, and learns
(`network`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from spotify_pipeline.fingerprint import LLR_BIN_FRAMES
from training.examples import NO_ONSET

__all__ = ["Trains", "ranking_loss", "scores"]

OFFSETS = 3.4e8
"""Of 20,000 tracks, to the LLR bin: the right one is to be above as many wrong ones."""

OWN_OFFSETS = 0.1
"""A wrong shift of the right train counts as so many of another. Set by hand: a loop fits its own
train at more than one shift."""

NEAR_LLR_BINS = 43
"""Shifts of the own train by no more than so many (0.5 s) are not taken for wrong."""

SHORTEST_LLR_BINS = 86
"""What is summed of a run is from so many LLR bins (1 s) to all: the longer, the less is left to
learn of recordings that are clear."""


class Trains(NamedTuple):
    """Rhythm trains, of runs or others.

    Attributes
    ----------
    onsets
        int8 of shape (trains, LLR bins, 8): as of `examples.Example`.
    moved
        int32 of shape (trains,), frames: by so many an offset to the LLR bin misses it.
    """

    onsets: jax.Array
    moved: jax.Array

    @classmethod
    def drawn(cls, onsets: jax.Array, key: jax.Array) -> "Trains":
        """Draw by how much offsets miss, up to half an LLR bin."""
        half = LLR_BIN_FRAMES // 2
        return cls(onsets, jax.random.randint(key, onsets.shape[:1], -half, half))

    def struck(self) -> jax.Array:
        """Tell which LLR bins have an onset: 1 or 0, float32 of shape (trains, LLR bins, 8)."""
        frames = self.onsets.astype(jnp.int32)
        later = jnp.floor_divide(frames + self.moved[:, None, None], LLR_BIN_FRAMES)
        parts = [
            jnp.roll(jnp.where((frames != NO_ONSET) & (later == by), 1.0, 0.0), by, axis=1)
            for by in (-1, 0, 1)
        ]
        return jnp.maximum(jnp.maximum(parts[0], parts[1]), parts[2])


def ranking_loss(
    temperature: jax.Array,
    llr: jax.Array,
    lengths: jax.Array,
    own: Trains,
    others: jax.Array,
    key: jax.Array,
) -> jax.Array:
    """Give what it costs to name the right one among all, in nats an LLR bin.

    Parameters
    ----------
    temperature
        Logarithm of what sums are times of: onsets of several bands come together, so a sum of LLRs
        tells less than it says.
    llr
        float32 of shape (runs, LLR bins, 8), as `fingerprint.onset_llr` gives them.
    lengths
        int32 of shape (runs,): the LLR bins that a run has.
    own
        Each run's train.
    others
        int8 of shape (trains, LLR bins, 8): onsets of further stretches.
    key
        Of what is drawn: which part of each run is summed, by how much offsets miss.
    """
    runs, llr_bins = llr.shape[:2]
    of_part, of_others = jax.random.split(key)
    inside = parts_of(lengths, llr_bins, of_part)
    trains = jnp.concatenate((own.struck(), Trains.drawn(others, of_others).struck()))
    sums = jnp.exp(temperature) * scores(llr * inside[..., None], trains)
    right = sums[jnp.arange(runs), jnp.arange(runs), 0]
    wrong = jax.nn.logsumexp(sums + counted(runs, len(trains), llr_bins), axis=(1, 2))
    return jnp.mean(jax.nn.softplus(wrong - right) / jnp.maximum(inside.sum(axis=1), 1))


def parts_of(lengths: jax.Array, llr_bins: int, key: jax.Array) -> jax.Array:
    """Draw a part of each run; 1 where it is, float32 of shape (runs, LLR bins)."""
    of_length, of_first = jax.random.split(key)
    longest, shortest = np.log(llr_bins), np.log(min(SHORTEST_LLR_BINS, llr_bins))
    drawn = jax.random.uniform(of_length, lengths.shape, minval=shortest, maxval=longest)
    chosen = jnp.minimum(jnp.exp(drawn), lengths)
    first = jax.random.uniform(of_first, lengths.shape) * (lengths - chosen)
    at = jnp.arange(llr_bins)
    inside = (at >= first[:, None]) & (at < (first + chosen)[:, None])
    return inside.astype(jnp.float32)


def scores(llr: jax.Array, trains: jax.Array) -> jax.Array:
    """Sum LLRs at the onsets of trains at every circular shift.

    Parameters
    ----------
    llr
        float32 of shape (runs, LLR bins, 8).
    trains
        float32 of shape (trains, LLR bins, 8), as `Trains.struck` gives them.

    Returns
    -------
    float32 of shape (runs, trains, LLR bins), nats: at shift s an LLR bin falls on the train's that
    is s later.
    """
    of_llr, of_trains = jnp.fft.rfft(llr, axis=1), jnp.fft.rfft(trains, axis=1)
    # rounded products would cost more than a nat
    products = jnp.einsum("ifb,jfb->ijf", jnp.conj(of_llr), of_trains, precision="highest")
    return jnp.fft.irfft(products, n=llr.shape[1], axis=-1)


def counted(runs: int, trains: int, llr_bins: int) -> jax.Array:
    """Give logarithms of how many offsets each shift of each train stands for.

    Of shape (runs, trains, LLR bins); the runs' own trains come first.
    """
    each = np.log(OFFSETS / (llr_bins * max(trains - 1, 1)))
    shift = jnp.arange(llr_bins)
    near = jnp.minimum(shift, llr_bins - shift) <= NEAR_LLR_BINS
    own = jnp.where(near, -jnp.inf, each + np.log(OWN_OFFSETS))
    return jnp.where(jnp.eye(runs, trains, dtype=bool)[..., None], own, each)

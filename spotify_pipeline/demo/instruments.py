"""Synthesised instruments: how a note of the demo music sounds.

Three families of tones (wavetables, frequency modulation, plucked strings) and two of drums
(membranes, noise), each with parameters that are drawn anew for every piece, so that the guitar of
one piece is not the guitar of the next.

Belongs here: everything between a frequency and its samples. Does not belong here: which note is
played when, and the mix; see `spotify_pipeline.demo.composer`.

References
----------
.. [1] J. M. Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation",
   Journal of the Audio Engineering Society 21(7), 1973.
.. [2] K. Karplus and A. Strong, "Digital Synthesis of Plucked-String and Drum Timbres", Computer
   Music Journal 7(2), 1983.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

__all__ = ["INSTRUMENTS", "SAMPLE_RATE", "Instrument", "Signal", "draw_drum_kit"]

SAMPLE_RATE = 22050
"""Samples per second of every sound made here."""

Signal = npt.NDArray[np.float32]
"""Mono samples, shape (n,), about -1 to 1."""

Instrument = Callable[[float, float, np.random.Generator], Signal]
"""Plays one note: frequency (Hz), duration (s), and the source of its small irregularities.

Drums have a pitch and a length of their own and ignore the note's.
"""

_TABLE_SIZE = 4096
_DETUNING_CENTS = 3.0


@dataclass(frozen=True)
class Envelope:
    """How loud a tone is over its life; all in seconds.

    Attributes
    ----------
    attack
        Time from silence to full loudness.
    decay
        Time constant of the exponential fall while the note is held.
    release
        Time from the end of the note to silence.
    """

    attack: float
    decay: float
    release: float

    def shape(self, time: Signal, duration: float) -> Signal:
        """Give the loudness at each time since the start of a note that is held for a duration."""
        rise = np.minimum(time / self.attack, 1.0)
        fall = np.clip((duration + self.release - time) / self.release, 0.0, 1.0)
        return np.asarray(rise * fall * np.exp(-time / self.decay), np.float32)


def _wavetable_tone(
    frequency: float,
    duration: float,
    rng: np.random.Generator,
    *,
    partials: npt.NDArray[np.float64],
    envelope: Envelope,
    brightness_decay: float,
    vibrato: float = 0.0,
    breath: float = 0.0,
) -> Signal:
    """Play one period over and over, its overtones fading sooner than its fundamental.

    The partials are the amplitudes of the harmonics, the fundamental first; the overtones fade to
    the mellow tone with the time constant ``brightness_decay`` (s); vibrato is in cents, and breath
    the amplitude of the noise beside a tone of peak 1.
    """
    time = _time_axis(duration + envelope.release)
    audible = partials[: max(1, int(0.45 * SAMPLE_RATE / frequency))]
    phased = audible * np.exp(1j * rng.uniform(0, 0.8, len(audible)))
    bright, mellow = _one_period(phased), _one_period(phased[:2])
    wobble = vibrato * np.log(2) / 1200 * np.sin(2 * np.pi * rng.uniform(4.5, 6.0) * time)
    cycles = np.cumsum(_detuned(frequency, rng) / SAMPLE_RATE * (1 + wobble), dtype=np.float64)
    index = ((cycles + rng.random()) * _TABLE_SIZE).astype(np.int64) % _TABLE_SIZE
    tone = mellow[index] + np.exp(-time / brightness_decay) * (bright[index] - mellow[index])
    if breath:
        tone = tone + breath * rng.standard_normal(len(time), dtype=np.float32)
    return np.asarray(tone * envelope.shape(time, duration), np.float32)


def _frequency_modulated_tone(
    frequency: float,
    duration: float,
    rng: np.random.Generator,
    *,
    ratio: float,
    depth: float,
    depth_decay: float,
    envelope: Envelope,
) -> Signal:
    """Play a sine whose phase another sine modulates, the less the older the note is [1]_.

    The ratio is the frequency of the modulator over that of the carrier: whole for harmonic tones,
    else bells. The depth is in radians at the start and falls with a time constant (s).
    """
    time = _time_axis(duration + envelope.release)
    angle = 2 * np.pi * _detuned(frequency, rng) * time.astype(np.float64) + rng.uniform(0, 6)
    modulation = depth * np.exp(-time / depth_decay) * np.sin(ratio * angle)
    return np.asarray(np.sin(angle + modulation) * envelope.shape(time, duration), np.float32)


def _plucked_string(
    frequency: float,
    duration: float,
    rng: np.random.Generator,
    *,
    brightness: float,
    sustain: float,
    release: float,
) -> Signal:
    """Play a burst of noise that runs round a delay line and loses its overtones on the way [2]_.

    Brightness, 0 to 1, is how much of the overtones the plectrum excites; the fundamental fades
    with the time constant ``sustain`` (s). A round through the line multiplies harmonic k by a
    constant, so that all rounds follow from the first one's spectrum at once.
    """
    time = _time_axis(duration + release)
    frequency = _detuned(frequency, rng)
    period = max(4, round(SAMPLE_RATE / frequency))
    harmonic = np.arange(period // 2 + 1)
    excitation = np.fft.rfft(rng.uniform(-1, 1, period)) / (1 + harmonic) ** (1 - brightness)
    excitation[0] = 0
    loss = np.cos(np.pi * harmonic / period) * np.exp(-1 / (sustain * frequency))
    rounds = np.arange(int((duration + release) * frequency) + 2)[:, np.newaxis]
    line = np.fft.irfft(excitation * np.abs(loss) ** rounds, period, axis=1)
    line /= np.abs(line[0]).max()
    # The line holds whole samples; reading it a little faster or slower tunes the string.
    position = np.arange(len(time)) * (period * frequency / SAMPLE_RATE)
    tone = np.interp(position, np.arange(line.size), line.ravel())
    return np.asarray(tone * Envelope(0.002, 60.0, release).shape(time, duration), np.float32)


def _membrane(
    _frequency: float,
    _duration: float,
    rng: np.random.Generator,
    *,
    pitch: float,
    bend: float,
    bend_decay: float,
    decay: float,
) -> Signal:
    """Strike a skin: a sine that falls from ``bend`` times its pitch (Hz) while it fades (s)."""
    time = _time_axis(5 * decay)
    frequency = pitch * rng.uniform(0.98, 1.02) * (1 + (bend - 1) * np.exp(-time / bend_decay))
    tone = np.sin(2 * np.pi * np.cumsum(frequency, dtype=np.float64) / SAMPLE_RATE)
    return np.asarray(tone * Envelope(0.001, decay, 2 * decay).shape(time, 3 * decay), np.float32)


def _noise_burst(
    _frequency: float,
    _duration: float,
    rng: np.random.Generator,
    *,
    decay: float,
    sharpness: int,
) -> Signal:
    """Strike metal or wires: noise that fades (s), differentiated ``sharpness`` times."""
    time = _time_axis(5 * decay)
    noise = np.diff(rng.standard_normal(len(time) + sharpness, dtype=np.float32), sharpness)
    shape = Envelope(0.001, decay * rng.uniform(0.85, 1.15), 2 * decay).shape(time, 3 * decay)
    return np.asarray(noise * shape * (0.4 / 2 ** (sharpness / 2)), np.float32)


def draw_drum_kit(rng: np.random.Generator) -> dict[str, Instrument]:
    """Build a kit of its own sound: ``kick``, ``snare``, ``hat``, ``tom`` and ``crash``."""
    uniform = rng.uniform
    kick = partial(
        _membrane,
        pitch=uniform(44, 62),
        bend=uniform(2.5, 5),
        bend_decay=uniform(0.015, 0.04),
        decay=uniform(0.07, 0.16),
    )
    skin = partial(
        _membrane, pitch=uniform(160, 240), bend=1.5, bend_decay=0.02, decay=uniform(0.03, 0.07)
    )
    wires = partial(_noise_burst, decay=uniform(0.04, 0.11), sharpness=int(rng.integers(0, 2)))
    return {
        "kick": kick,
        "snare": partial(_layered, skin, wires),
        "hat": partial(_noise_burst, decay=uniform(0.012, 0.05), sharpness=int(rng.integers(2, 4))),
        "tom": partial(
            _membrane, pitch=uniform(85, 150), bend=1.8, bend_decay=0.06, decay=uniform(0.1, 0.18)
        ),
        "crash": partial(_noise_burst, decay=uniform(0.3, 0.6), sharpness=1),
    }


def _layered(
    first: Instrument,
    second: Instrument,
    frequency: float,
    duration: float,
    rng: np.random.Generator,
) -> Signal:
    """Strike two sounds at once."""
    sounds = first(frequency, duration, rng), second(frequency, duration, rng)
    both = np.zeros(max(map(len, sounds)), np.float32)
    for sound in sounds:
        both[: len(sound)] += sound
    return both


def _time_axis(seconds: float) -> Signal:
    return np.arange(int(seconds * SAMPLE_RATE), dtype=np.float32) / np.float32(SAMPLE_RATE)


def _detuned(frequency: float, rng: np.random.Generator) -> float:
    return frequency * 2 ** (rng.normal(0, _DETUNING_CENTS) / 1200)


def _one_period(harmonics: npt.NDArray[np.complex128]) -> Signal:
    """Sum harmonics, the fundamental first, into one period of peak 1, shape (_TABLE_SIZE,)."""
    spectrum = np.zeros(_TABLE_SIZE // 2 + 1, np.complex128)
    spectrum[1 : len(harmonics) + 1] = harmonics
    period = np.fft.irfft(spectrum)
    return np.asarray(period / np.abs(period).max(), np.float32)


def _draw_organ(rng: np.random.Generator) -> Instrument:
    drawbars = np.zeros(8)
    drawbars[[0, 1, 2, 3, 5, 7]] = rng.uniform(0.1, 1.0, 6)
    return partial(
        _wavetable_tone,
        partials=drawbars,
        envelope=Envelope(0.008, 30.0, 0.05),
        brightness_decay=20.0,
        vibrato=rng.uniform(0, 12),
    )


def _draw_strings(rng: np.random.Generator) -> Instrument:
    return partial(
        _wavetable_tone,
        partials=np.arange(1.0, 25.0) ** -rng.uniform(1.0, 1.5),
        envelope=Envelope(rng.uniform(0.06, 0.15), 8.0, 0.25),
        brightness_decay=rng.uniform(1.0, 4.0),
        vibrato=rng.uniform(5, 14),
    )


def _draw_flute(rng: np.random.Generator) -> Instrument:
    return partial(
        _wavetable_tone,
        partials=np.array([1.0, rng.uniform(0.15, 0.4), rng.uniform(0.05, 0.2), 0.04]),
        envelope=Envelope(rng.uniform(0.03, 0.06), 6.0, 0.08),
        brightness_decay=1.0,
        vibrato=rng.uniform(8, 20),
        breath=rng.uniform(0.01, 0.04),
    )


def _draw_synthesizer(rng: np.random.Generator) -> Instrument:
    # Every second harmonic of a saw is thinned out towards a square wave.
    partials = 1.0 / np.arange(1, 31)
    partials[1::2] *= rng.uniform(0, 1)
    return partial(
        _wavetable_tone,
        partials=partials,
        envelope=Envelope(0.005, rng.uniform(0.8, 3.0), 0.08),
        brightness_decay=rng.uniform(0.1, 0.5),
        vibrato=rng.uniform(0, 10),
    )


def _draw_marimba(rng: np.random.Generator) -> Instrument:
    partials = np.zeros(10)
    partials[[0, 3, 9]] = 1.0, rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.3)
    return partial(
        _wavetable_tone,
        partials=partials,
        envelope=Envelope(0.002, rng.uniform(0.2, 0.4), 0.1),
        brightness_decay=rng.uniform(0.03, 0.08),
    )


def _draw_electric_piano(rng: np.random.Generator) -> Instrument:
    return partial(
        _frequency_modulated_tone,
        ratio=float(rng.choice((1.0, 2.0, 7.0))),
        depth=rng.uniform(0.6, 1.8),
        depth_decay=rng.uniform(0.15, 0.6),
        envelope=Envelope(0.003, rng.uniform(0.8, 1.6), 0.12),
    )


def _draw_bell(rng: np.random.Generator) -> Instrument:
    return partial(
        _frequency_modulated_tone,
        ratio=rng.uniform(2.6, 3.6),
        depth=rng.uniform(1.0, 2.5),
        depth_decay=rng.uniform(0.2, 0.5),
        envelope=Envelope(0.002, rng.uniform(0.5, 1.0), 0.3),
    )


def _draw_brass(rng: np.random.Generator) -> Instrument:
    return partial(
        _frequency_modulated_tone,
        ratio=1.0,
        depth=rng.uniform(2.0, 3.5),
        depth_decay=rng.uniform(0.5, 1.5),
        envelope=Envelope(rng.uniform(0.02, 0.05), 4.0, 0.08),
    )


def _draw_guitar(rng: np.random.Generator) -> Instrument:
    return partial(
        _plucked_string,
        brightness=rng.uniform(0.3, 0.9),
        sustain=rng.uniform(0.5, 1.2),
        release=rng.uniform(0.08, 0.2),
    )


def _draw_bass_guitar(rng: np.random.Generator) -> Instrument:
    return partial(
        _plucked_string,
        brightness=rng.uniform(0.0, 0.3),
        sustain=rng.uniform(0.6, 1.2),
        release=0.06,
    )


def _draw_synthesizer_bass(rng: np.random.Generator) -> Instrument:
    return partial(
        _wavetable_tone,
        partials=np.arange(1.0, 13.0) ** -rng.uniform(1.2, 2.2),
        envelope=Envelope(0.005, rng.uniform(0.4, 1.2), 0.05),
        brightness_decay=rng.uniform(0.08, 0.3),
    )


INSTRUMENTS: Mapping[str, Callable[[np.random.Generator], Instrument]] = {
    "organ": _draw_organ,
    "strings": _draw_strings,
    "flute": _draw_flute,
    "synthesizer": _draw_synthesizer,
    "marimba": _draw_marimba,
    "electric piano": _draw_electric_piano,
    "bell": _draw_bell,
    "brass": _draw_brass,
    "guitar": _draw_guitar,
    "bass guitar": _draw_bass_guitar,
    "synthesizer bass": _draw_synthesizer_bass,
}
"""Builders of instruments by name; each call draws another one of the kind."""

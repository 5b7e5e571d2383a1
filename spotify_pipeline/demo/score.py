"""The notes of a piece of demo music, drawn from a seed.

A piece draws a style, a key, chord progressions, grooves and motifs, and writes every note of a
song form (intro, verses, choruses, bridge, outro) from them. Motifs develop from phrase to phrase,
grooves vary from bar to bar, and every note is played somewhat early or late, so that nothing is
repeated to the sample.

Belongs here: which note is played when. Does not belong here: what there is to choose from (see
`spotify_pipeline.demo.styles`), and anything that sounds (`spotify_pipeline.demo.composer`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from spotify_pipeline.demo.styles import (
    FORMS,
    LAYERS,
    PROGRESSIONS,
    SCALES,
    STROKES,
    STYLES,
    TEXTURES,
    Style,
)

__all__ = ["Note", "Score", "write_score"]

LEAD_IN = 0.3
"""Seconds of silence before the first bar."""

Motif = tuple[tuple[int, int], ...]
"""Two bars of melody: (sixteenth, scale degree above the chord's root), in order of time."""

Melody = tuple[tuple[int, int, int], ...]
"""One bar of melody: (sixteenth, length in sixteenths, scale degree above the chord's root)."""


class Note(NamedTuple):
    """One note of one part: time and duration in seconds, pitch in MIDI numbers, loudness 0 to 1.2.

    The parts are ``melody``, ``chords``, ``bass`` and the drums of the kit; drums have no pitch and
    no duration.
    """

    part: str
    time: float
    loudness: float
    pitch: int = 0
    duration: float = 0.0


@dataclass(frozen=True)
class Score:
    """The notes of a piece.

    Attributes
    ----------
    style
        The style it is written in, with the grooves of this piece.
    bar_times
        Start of every bar in seconds; the last entry is the end of the last bar.
    notes
        Every note, in no particular order.
    """

    style: Style
    bar_times: tuple[float, ...]
    notes: tuple[Note, ...]


def write_score(seed: int) -> Score:
    """Write the notes of a piece; the same seed gives the same notes.

    Raises
    ------
    ValueError
        The seed is below 0.
    """
    rng = np.random.default_rng([seed, 0])
    material = _draw_material(STYLES[seed % len(STYLES)], rng)
    bars = list(_lay_out_bars(material, rng))
    writers = (_write_drums, _write_bass, _write_chords, _write_melody)
    notes = (
        _perform(note, bar, material, rng)
        for bar in bars
        for write in writers
        for note in write(bar, material, rng)
    )
    end = bars[-1].start + bars[-1].sixteenth * material.style.steps
    return Score(
        style=material.style,
        bar_times=(*(bar.start for bar in bars), end),
        notes=tuple(note for note in notes if note.loudness > 0),
    )


@dataclass(frozen=True)
class Material:
    """What all bars of a piece are made of; the mappings are by section."""

    style: Style
    tempo: float
    tonic: int
    scale: tuple[int, ...]
    swing: float
    timing_error: float
    seventh: bool
    progressions: Mapping[str, tuple[int, ...]]
    textures: Mapping[str, str]
    motifs: Mapping[str, Motif]

    def pitch(self, degree: int) -> int:
        """Give the MIDI number of a scale degree; 0 is the tonic."""
        octave, step = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[step]

    def chord(self, root: int) -> tuple[int, ...]:
        """Give the degrees of the chord on a root."""
        return tuple(root + third for third in ((0, 2, 4, 6) if self.seventh else (0, 2, 4)))


@dataclass(frozen=True)
class Bar:
    """One bar before its notes are written.

    Attributes
    ----------
    section
        Letter of the section, as in ``FORMS``.
    start, sixteenth
        When it starts, and how long a sixteenth of it lasts, in seconds.
    root, next_root
        Scale degrees of this bar's chord and the next one's.
    transposition
        In semitones.
    layers
        How loud the parts play, as in ``LAYERS``.
    melody
        What the melody plays, before chord tones are put on the pulse.
    opens, closes, ends
        Whether it is the first bar of a section, the last of a phrase, and the last of the piece.
    """

    section: str
    start: float
    sixteenth: float
    root: int
    next_root: int
    transposition: int
    layers: Mapping[str, float]
    melody: Melody
    opens: bool
    closes: bool
    ends: bool


def _draw_material(style: Style, rng: np.random.Generator) -> Material:
    """Draw a key, a tempo, grooves, progressions and motifs for a piece in a style."""
    order = rng.permutation(len(PROGRESSIONS))
    density = rng.uniform(0.7, 1.2)
    motifs = {section: _draw_motif(style, density, rng) for section in "VCB"}
    return Material(
        style=replace(
            style,
            kick=_mutate(style.kick, rng),
            snare=_mutate(style.snare, rng),
            hat=_mutate(style.hat, rng),
            comping=_mutate(style.comping, rng),
        ),
        tempo=rng.uniform(*style.tempo),
        tonic=int(rng.integers(48, 60)),
        scale=SCALES[str(rng.choice(style.scales))],
        swing=rng.uniform(*style.swing),
        timing_error=rng.uniform(0.003, 0.007),
        seventh=rng.random() < 0.5,
        progressions={s: PROGRESSIONS[i] for s, i in zip("IVCBO", order, strict=False)},
        textures={s: str(rng.choice(TEXTURES)) for s in "IVCBO"},
        motifs={**motifs, "I": motifs["C"], "O": motifs["V"]},
    )


def _mutate(pattern: str, rng: np.random.Generator) -> str:
    """Swap neighbouring characters of a pattern once or twice; the first one keeps its place."""
    strokes = list(pattern)
    for _ in range(int(rng.integers(1, 3))):
        position = int(rng.integers(1, len(strokes) - 1))
        neighbour = position + int(rng.choice((-1, 1)))
        if neighbour:
            strokes[position], strokes[neighbour] = strokes[neighbour], strokes[position]
    return "".join(strokes)


def _draw_motif(style: Style, density: float, rng: np.random.Generator) -> Motif:
    """Walk along the scale over two bars, mostly on strong sixteenths and in small steps."""
    steps = style.steps
    degree = int(rng.integers(0, 5))
    motif = []
    for sixteenth in range(2 * steps):
        within = sixteenth % steps
        chance = 0.75 if within in style.pulse else 0.4 if within % 2 == 0 else 0.08
        if rng.random() < chance * density:
            motif.append((sixteenth, degree))
            degree += int(rng.choice((-3, -2, -1, -1, 0, 1, 1, 2, 4)))
            degree = min(max(degree, -3), 9)
    return tuple(motif) or ((0, degree),)


def _develop(motif: Motif, rng: np.random.Generator) -> Motif:
    """Vary a motif as composers do, by sequence, inversion, retrograde, ornament or thinning."""
    degrees = [degree for _, degree in motif]
    match str(rng.choice(("sequence", "inversion", "retrograde", "ornament", "thinning"))):
        case "sequence":
            shift = int(rng.choice((-2, -1, 1, 2)))
            degrees = [degree + shift for degree in degrees]
        case "inversion":
            degrees = [2 * degrees[0] - degree for degree in degrees]
        case "retrograde":
            degrees.reverse()
        case "ornament":
            graces = [(s + 1, d + 1) for s, d in motif if rng.random() < 0.35]
            # A grace note never displaces a note of the motif.
            return tuple(sorted({**dict(graces), **dict(motif)}.items()))
        case _:
            kept = [note for note in motif if rng.random() < 0.75]
            return tuple(kept) or motif
    return tuple(zip((sixteenth for sixteenth, _ in motif), degrees, strict=True))


def _draw_form(material: Material, rng: np.random.Generator) -> list[tuple[str, int]]:
    """Draw the sections and their numbers of bars, so that the piece lasts 60 to 90 s."""
    sections = str(rng.choice(FORMS))
    bars = [2 if section in "IO" else 4 for section in sections]
    seconds_per_bar = material.style.steps * 15 / material.tempo
    missing = rng.uniform(66, 80) / seconds_per_bar - sum(bars)
    order = sorted(range(len(sections)), key=lambda i: "CVBIO".index(sections[i]))
    for phrase in range(max(0, round(missing / 4))):
        bars[order[phrase % len(order)]] += 4
    return list(zip(sections, bars, strict=True))


def _lay_out_bars(material: Material, rng: np.random.Generator) -> Iterator[Bar]:
    """Lay out the bars of a piece: when they are played, on which chord, with which melody."""
    form = _draw_form(material, rng)
    slots = [(section, index, count) for section, count in form for index in range(count)]
    roots = [material.progressions[section][index % 4] for section, index, _ in slots]
    roots[-1:] = [0, 0]  # the last bar rests on the tonic, and so does what would follow it
    last_chorus = max(number for number, slot in enumerate(slots) if slot[:2] == ("C", 0))
    lift = int(rng.choice((0, 0, 1, 2)))
    melodies = _melodies(form, material, rng)
    start, drift = LEAD_IN, 0.0
    for number, (section, index, count) in enumerate(slots):
        drift = 0.7 * drift + rng.normal(0, 0.003)
        sixteenth = 15 / material.tempo * (1 + drift)
        fade = 1 - 0.5 * index / count if section == "O" else 1.0
        level = fade * rng.uniform(0.93, 1.0)
        yield Bar(
            section=section,
            start=start,
            sixteenth=sixteenth,
            root=roots[number],
            next_root=roots[number + 1],
            transposition=lift if section == "C" and number >= last_chorus else 0,
            layers={part: level * loudness for part, loudness in LAYERS[section].items()},
            melody=next(melodies),
            opens=index == 0,
            closes=index % 4 == 3 or index == count - 1,
            ends=number == len(slots) - 1,
        )
        start += sixteenth * material.style.steps


def _melodies(
    form: Sequence[tuple[str, int]], material: Material, rng: np.random.Generator
) -> Iterator[Melody]:
    """Give each bar its melody: a section opens with its motif and then develops it."""
    steps = material.style.steps
    motifs = dict(material.motifs)
    for section, count in form:
        phrase = motifs[section]
        for index in range(0, count, 2):
            yield _melody_of_bar(phrase, 0, steps)
            yield _melody_of_bar(phrase, 1, steps)
            phrase = _develop(phrase if index % 4 else motifs[section], rng)
        motifs[section] = _develop(motifs[section], rng)


def _melody_of_bar(motif: Motif, half: int, steps: int) -> Melody:
    """Cut one bar out of a motif of two; a note lasts until the next one, at most half a bar."""
    ends = [sixteenth for sixteenth, _ in motif[1:]] + [2 * steps]
    return tuple(
        (sixteenth - half * steps, min(end - sixteenth, steps // 2), degree)
        for (sixteenth, degree), end in zip(motif, ends, strict=True)
        if sixteenth // steps == half
    )


# The writers put notes where the page has them: time and duration in sixteenths of their bar, and
# loudness within their part. `_perform` turns that into what the players do.


def _write_drums(bar: Bar, material: Material, rng: np.random.Generator) -> Iterator[Note]:
    """Play the groove with a few strokes missed and added, and a fill at the end of a phrase."""
    style = material.style
    if bar.ends or (bar.opens and bar.section in "VC"):
        yield Note("crash", 0, 0.9)
    if bar.ends:
        yield Note("kick", 0, 1.0)
        return
    fill = style.steps - int(rng.choice((3, 4, 6, 8))) if bar.closes else style.steps
    patterns = {"kick": style.kick, "hat": style.hat, "snare": style.snare}
    if bar.section == "I":
        del patterns["snare"]
    for drum, pattern in patterns.items():
        for sixteenth, stroke in enumerate(pattern[:fill]):
            chance = rng.random()
            loudness = STROKES[stroke] * (chance > 0.05) or 0.3 * (chance > 0.97)
            if loudness:
                yield Note(drum, sixteenth, loudness)
    for sixteenth in range(fill, style.steps):
        if rng.random() < 0.65:
            growth = (sixteenth - fill) / (style.steps - fill)
            drum = str(rng.choice(("snare", "tom", "tom")))
            yield Note(drum, sixteenth, 0.5 + 0.4 * growth)


def _write_bass(bar: Bar, material: Material, rng: np.random.Generator) -> Iterator[Note]:
    """Follow the kick and the pulse on the chord's root, fifth and octave; lead to the next."""
    style = material.style
    onsets = [0]
    for sixteenth in range(1, 1 if bar.ends else style.steps):
        chance = 0.8 if style.kick[sixteenth] != "." else 0.4 * (sixteenth in style.pulse)
        if rng.random() < chance:
            onsets.append(sixteenth)
    for onset, end in zip(onsets, [*onsets[1:], style.steps], strict=True):
        degree, octave = bar.root, 0
        if onset and end == style.steps and bar.next_root != bar.root:
            degree = bar.next_root + int(rng.choice((-1, 1)))
        elif onset:
            degree += int(rng.choice((0, 0, 0, 4)))
            octave = int(rng.choice((0, 0, 0, 0, 12)))
        pitch = _fold(material.pitch(degree) + bar.transposition, 33) + octave
        yield Note("bass", onset, 1.0, pitch, 0.9 * (end - onset))


def _write_chords(bar: Bar, material: Material, rng: np.random.Generator) -> Iterator[Note]:
    """Play the bar's chord, close to the middle of the keyboard, in the section's texture."""
    steps = material.style.steps
    chord = (material.pitch(degree) + bar.transposition for degree in material.chord(bar.root))
    pitches = sorted(_fold(pitch, 55) for pitch in chord)
    texture = "pad" if bar.ends else material.textures[bar.section]
    if texture == "arpeggio":
        turn = int(rng.integers(len(pitches)))
        for number, sixteenth in enumerate(range(0, steps, 2)):
            pitch = pitches[(number + turn) % len(pitches)] + 12 * (number % 4 == 3)
            yield Note("chords", sixteenth, 1.2, pitch, 2.5)
        return
    comping = "x".ljust(steps, ".") if texture == "pad" else material.style.comping
    length = {"pad": 0.95 * steps, "strum": 3.5, "comping": 1.4}[texture]
    lag = rng.uniform(0.08, 0.25) if texture == "strum" else 0.0
    for sixteenth, stroke in enumerate(comping):
        if stroke != "." and (sixteenth == 0 or rng.random() < 0.93):
            for number, pitch in enumerate(pitches):
                yield Note("chords", sixteenth + number * lag, 1.0, pitch, length)


def _write_melody(bar: Bar, material: Material, _: np.random.Generator) -> Iterator[Note]:
    """Play the bar's melody, with chord tones on the pulse."""
    style = material.style
    chord_tones = (*material.chord(0), 7)
    for sixteenth, length, degree in ((0, style.steps, 0),) if bar.ends else bar.melody:
        shift = 0
        if sixteenth in style.pulse:
            shift = min((tone - degree % 7 for tone in chord_tones), key=abs)
        pitch = material.pitch(bar.root + degree + shift) + bar.transposition + 12
        # The line keeps its leaps over octaves as long as it stays between D4 and C#6.
        register = min(max(62, pitch - pitch % 12), 74)
        yield Note("melody", sixteenth, 1.0, _fold(pitch, register), 0.9 * length)


def _fold(pitch: int, lowest: int) -> int:
    """Move a pitch by octaves into the octave that starts at ``lowest``."""
    return lowest + (pitch - lowest) % 12


def _perform(note: Note, bar: Bar, material: Material, rng: np.random.Generator) -> Note:
    """Play a written note as a human would: swung, accented, and not quite on time."""
    style = material.style
    whole, fraction = divmod(note.time / style.swing_unit, 1)
    swung = whole + float(np.interp(fraction, (0, 0.5, 1), (0, material.swing, 1)))
    accent = 1.0 if note.time in style.pulse else 0.85
    layer = note.part if note.part in bar.layers else "drums"
    return note._replace(
        time=bar.start
        + bar.sixteenth * style.swing_unit * swung
        + rng.normal(0, material.timing_error),
        duration=note.duration * bar.sixteenth,
        loudness=note.loudness * accent * rng.uniform(0.85, 1.0) * bar.layers[layer],
    )

"""The raw material of the demo music: styles, scales, chord progressions and song forms.

Belongs here: tables to choose from. Does not belong here: the choosing; see
`spotify_pipeline.demo.score`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FORMS", "LAYERS", "PROGRESSIONS", "SCALES", "STROKES", "STYLES", "TEXTURES", "Style"]


@dataclass(frozen=True)
class Style:
    """What the pieces of a genre have in common.

    Patterns (kick, snare, hat and the chords' comping) hold one character of `STROKES` for each
    sixteenth of a bar, so their length is the meter. The pulse lists the sixteenths that carry the
    beat. Lead, harmony and bass name the instruments to choose from. Tempo (quarter notes per
    minute) and swing are ranges; swing is the fraction of ``swing_unit`` sixteenths that the first
    half of them takes.
    """

    genre: str
    artist: str
    tempo: tuple[float, float]
    pulse: tuple[int, ...]
    kick: str
    snare: str
    hat: str
    comping: str
    scales: tuple[str, ...]
    lead: tuple[str, ...]
    harmony: tuple[str, ...]
    bass: tuple[str, ...]
    swing: tuple[float, float] = (0.5, 0.51)
    swing_unit: int = 2

    @property
    def steps(self) -> int:
        """Sixteenths in a bar."""
        return len(self.kick)


STYLES = (
    Style("Indie Rock", "The Quiet Ferries", (124, 142), (0, 4, 8, 12),
          "X.....x.X.x.....", "....X.......X...", "x.o.x.o.x.o.x.o.", "x..x..x.x..x..x.",
          ("major", "mixolydian"), ("guitar", "synthesizer"), ("guitar", "organ"),
          ("bass guitar",)),
    Style("Reggae", "Root Cellar Sound", (70, 84), (0, 4, 8, 12),
          "........X.....o.", "........x.....o.", "x.o.x.o.x.oox.o.", "..x...x...x...x.",
          ("minor", "dorian"), ("brass", "flute"), ("organ", "electric piano"),
          ("bass guitar",), (0.54, 0.6)),
    Style("Folk Waltz", "Anneke Brandvold", (126, 150), (0, 4, 8),
          "X.........o.", "....o...o...", "o...x...x...", "....x...x...",
          ("major", "lydian"), ("flute", "strings"), ("guitar",), ("bass guitar",)),
    Style("Bossa Nova", "Quinteto Maré Alta", (118, 136), (0, 4, 8, 12),
          "X..xo..xX..xo..x", "x..x..x...x..x..", "o.x.o.x.o.x.o.x.", "x..x...xx..x..x.",
          ("major", "dorian"), ("flute", "marimba"), ("guitar", "electric piano"),
          ("bass guitar",)),
    Style("Funk", "Tobacco Road Brass", (96, 112), (0, 4, 8, 12),
          "X..x..o...x..x..", "....X..o.o..X..o", "xoxoxoxoxoxoxoxo", "..x..x.x..x..x..",
          ("dorian", "mixolydian"), ("brass", "synthesizer"), ("electric piano", "guitar"),
          ("bass guitar", "synthesizer bass"), (0.53, 0.58)),
    Style("Hip-Hop", "Kid Parallax", (80, 95), (0, 4, 8, 12),
          "X......x..X.....", "....X.......X..o", "x.x.x.xox.x.x.x.", "x.....x.........",
          ("minor", "phrygian"), ("bell", "electric piano"), ("electric piano", "strings"),
          ("synthesizer bass",), (0.57, 0.64)),
    Style("Progressive Rock", "Seven Leagues", (120, 142), (0, 4, 8),
          "X.....x.X...x.", "....X.....X...", "x.x.x.x.x.x.x.", "x..x..x.x..x..",
          ("dorian", "phrygian"), ("synthesizer", "organ"), ("organ", "guitar"),
          ("bass guitar",)),
    Style("Jazz", "The Osei Lindqvist Five", (130, 150), (0, 4, 8, 12, 16),
          "x.....o.....x.....o.", "......o...o.....x.o.", "x...x.x.x...x...x.x.",
          "x.....x.....x.....x.", ("dorian", "major"), ("brass", "marimba"),
          ("electric piano",), ("bass guitar",), (0.62, 0.67), 4),
    Style("Ballad", "Clara Venn", (88, 108), (0, 6),
          "X.......x...", "......X.....", "x.o.x.x.o.x.", "x.x.x.x.x.x.",
          ("major", "minor"), ("strings", "flute"), ("guitar", "electric piano"),
          ("bass guitar", "synthesizer bass")),
    Style("Synthwave", "Neon Cartographer", (98, 118), (0, 4, 8, 12),
          "X...X...X...X...", "....X.......X...", "o.xoo.xoo.xoo.xo", "x.xx.xx.x.xx.xx.",
          ("minor", "harmonic minor"), ("synthesizer", "bell"), ("synthesizer", "strings"),
          ("synthesizer bass",)),
    Style("Breakbeat", "Glass Ratio", (134, 150), (0, 4, 8, 12),
          "X.X.......XX....", "....X..o.o..X..o", "x.x.x.x.x.xox.x.", "x.....x.....x...",
          ("minor", "phrygian"), ("bell", "marimba"), ("strings", "organ"),
          ("synthesizer bass",), (0.5, 0.55)),
    Style("Blues", "Hattie Morrow Band", (100, 124), (0, 4, 8, 12),
          "X.......X.x.....", "....X.......X...", "x.x.x.x.x.x.x.x.", "....x.....x.x...",
          ("mixolydian",), ("guitar", "organ"), ("organ", "electric piano"),
          ("bass guitar",), (0.62, 0.67), 4),
)  # fmt: skip

SCALES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}

PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 0, 4), (0, 6, 5, 4), (0, 3, 6, 2),
    (3, 4, 2, 5), (1, 4, 0, 0), (0, 2, 3, 4), (5, 4, 3, 0), (0, 6, 3, 0), (3, 0, 4, 5),
)  # fmt: skip
"""Scale degrees of the chords of four bars; 0 is the tonic."""

FORMS = ("IVCVBCO", "IVVCBCO", "IVCBVCO", "ICVCBCO", "IVBCVCO")
"""Orders of intro, verse, chorus, bridge and outro."""

LAYERS: Mapping[str, Mapping[str, float]] = {
    "I": {"drums": 0.45, "bass": 0.0, "chords": 0.8, "melody": 0.35},
    "V": {"drums": 0.75, "bass": 0.85, "chords": 0.7, "melody": 0.85},
    "C": {"drums": 1.0, "bass": 1.0, "chords": 0.9, "melody": 1.0},
    "B": {"drums": 0.4, "bass": 0.75, "chords": 1.0, "melody": 0.75},
    "O": {"drums": 0.6, "bass": 0.8, "chords": 0.85, "melody": 0.6},
}
"""How loud the parts play in each section, 0 (silent) to 1."""

STROKES = {"X": 1.0, "x": 0.75, "o": 0.4, ".": 0.0}
"""Loudness of the characters of a pattern."""

TEXTURES = ("pad", "comping", "strum", "arpeggio")
"""Ways to play a chord."""

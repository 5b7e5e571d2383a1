"""Evidence as a picture: the onsets that line up, and how the offset stands out among all others.

Belongs here: drawing, and the names of the files drawn to. Does not belong here: what is drawn
(`evidence`). Import it where a picture is wanted only: matplotlib takes its time.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.fingerprint import BANDS, FRAMES_PER_SECOND, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float64s, Int32s, Int64s
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.index.kernels.alignment import NEIGHBOURHOOD, offset_histogram
from spotify_pipeline.recording import printable

__all__ = ["alignment_plot", "plotter"]

INCHES = (11.0, 6.6)
DOTS_PER_INCH = 110

ALIGNED = "#00796b"
ALONE = "#e07a3f"
FAINT = "#aab2bd"
INK = "#263238"

TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
MOST_TICKS = 12

COLUMNS = 1000
"""Of the histogram: each shows the best of the offsets in it."""


def plotter(target: Path, recordings: Sequence[Path]) -> Callable[[Evidence], None]:
    """Make what saves the plot of each of some recordings.

    Parameters
    ----------
    target
        A ``.png`` file for one recording, otherwise a folder; the plots in it are named like the
        recordings.

    Raises
    ------
    PipelineError
        One file was named for several recordings.
    """
    files = _plot_files(target, recordings)

    def save(evidence: Evidence) -> None:
        file = files[evidence.file]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(alignment_plot(evidence))

    return save


def alignment_plot(evidence: Evidence) -> bytes:
    """Draw the alignment of a recording with the track it matches best, as a PNG.

    Above, the onsets of each band over the track's time: the recording's stand over the track's, so
    that aligned ones form one line. Below, how many are aligned at each offset.
    """
    figure = Figure(INCHES, DOTS_PER_INCH, layout="constrained")
    onsets, offsets = figure.subplots(2, 1, height_ratios=(5, 3))
    _draw_heading(onsets, evidence)
    _draw_onsets(onsets, evidence)
    _draw_histogram(offsets, evidence)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for it
        figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_heading(axes: Axes, evidence: Evidence) -> None:
    named = evidence.named
    track = named.title or named.track_id
    if named.artists:
        track += f" by {', '.join(named.artists)}"
    heading = track if evidence.accepted else f"unknown; nearest is {track}"
    begins = "begins" if evidence.accepted else "would begin"
    figures = (
        f"{_line(Path(evidence.file).name, 70)} {begins} at {_clock(named.offset)}:"
        f" {evidence.aligned.sum()} of {len(evidence.query)} onsets aligned,"
        f" confidence {named.confidence:.4f}"
    )
    axes.set_title(
        f"{_line(heading, 90)}\n",
        loc="left",
        fontsize=14,
        fontweight="bold",
        color=INK,
        parse_math=False,
    )
    axes.annotate(
        figures,
        (0, 1),
        (0, 8),
        "axes fraction",
        "offset points",
        fontsize=10,
        color=INK,
        parse_math=False,
        in_layout=False,  # a long name must not squeeze the plot
    )


def _draw_onsets(axes: Axes, evidence: Evidence) -> None:
    """Draw a row a band, with the track's onsets in its lower half, the recording's in the upper.

    Aligned ones go through both.
    """
    first, last = _shown(evidence)
    width = np.clip(20 / (last - first), 0.7, 1.5)
    times, bands = _places(evidence.track, 0)
    axes.vlines(times, bands - 0.4, bands, FAINT, linewidth=width, label="track")
    times, bands = _places(evidence.query, evidence.offset)
    for those, foot, color, label in (
        (~evidence.aligned, 0.0, ALONE, "recording, not aligned"),
        (evidence.aligned, 0.4, ALIGNED, "aligned"),
    ):
        feet, heads = bands[those] - foot, bands[those] + 0.4
        axes.vlines(times[those], feet, heads, color, linewidth=width, label=label)
    axes.set(xlim=(first, last), ylim=(0.4, BANDS + 0.6), yticks=range(1, BANDS + 1))
    axes.set_ylabel("band, low to high")
    axes.set_xlabel("time in the track", loc="left")
    legend = axes.legend(
        loc="upper right", bbox_to_anchor=(1, -0.06), ncols=3, frameon=False, fontsize=9
    )
    for line in legend.get_lines():
        line.set_linewidth(2)
    _style(axes)


def _draw_histogram(axes: Axes, evidence: Evidence) -> None:
    offsets, counts = offset_histogram(evidence.query, evidence.track, evidence.tolerance)
    near = np.abs(offsets - evidence.offset) <= NEIGHBOURHOOD
    if near.any():
        seconds, best = _columns(offsets, np.where(near, 0, counts))
        axes.fill_between(seconds, best, color=FAINT, linewidth=0, step="mid")
        peak, other = int(counts[offsets == evidence.offset].max(initial=0)), int(best.max())
        at = evidence.offset / FRAMES_PER_SECOND
        axes.vlines([at], 0, [peak], colors=ALIGNED, linewidth=2.5)
        axes.plot([at], [peak], "o", color=ALIGNED)
        axes.axhline(other, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        text = f"{peak} aligned at {_clock(at)}, {other} at the best other offset"
        axes.set_title(text, loc="left", fontsize=10, color=INK)
        axes.set(xlim=(seconds[0], seconds[-1]), ylim=(0, max(peak, other) * 1.15 + 1))
    axes.set_ylabel("aligned onsets")
    axes.set_xlabel("offset: where in the track the recording would begin", loc="left")
    _style(axes)


def _columns(offsets: Int64s, counts: Int32s) -> tuple[Float64s, Int32s]:
    """Reduce a histogram to the best of neighbouring offsets; gives seconds and counts."""
    starts = np.unique(np.linspace(0, len(offsets) - 1, COLUMNS).astype(np.int64))
    return offsets[starts] / FRAMES_PER_SECOND, np.maximum.reduceat(counts, starts)


def _shown(evidence: Evidence) -> tuple[float, float]:
    """Give the seconds of the track that the recording covers, with a margin."""
    ends = [evidence.offset, evidence.offset + int(evidence.query.frames.max(initial=0))]
    first, last = np.clip(ends, 0, int(evidence.track.frames.max(initial=0))) / FRAMES_PER_SECOND
    margin = max(0.02 * (last - first), 0.1)
    return float(first - margin), float(last + margin)


def _places(trains: OnsetTrains, offset: int) -> tuple[Float64s, Float64s]:
    """Give the second and the band, from 1, of each onset."""
    bands = np.repeat(np.arange(1.0, BANDS + 1), trains.counts)
    return (trains.frames + offset) / FRAMES_PER_SECOND, bands


def _style(axes: Axes) -> None:
    """Write minutes and seconds below a plot that has no frame."""
    first, last = axes.get_xlim()
    step = next((s for s in TICK_SECONDS if (last - first) / s <= MOST_TICKS), TICK_SECONDS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _clock(seconds, 0)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)


def _clock(seconds: float, digits: int = 2) -> str:
    """Write a position as minutes and seconds."""
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(round(abs(seconds), digits), 60)
    return f"{sign}{int(minutes)}:{rest:0{digits + 3 if digits else 2}.{digits}f}"


def _line(text: str, longest: int) -> str:
    """Make one line that can be drawn of names."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _plot_files(target: Path, recordings: Sequence[Path]) -> dict[str, Path]:
    """Choose a file for the plot of each recording, given as it is in `Evidence.file`."""
    if target.suffix.lower() == ".png":
        if len(recordings) > 1:
            raise PipelineError(f"{target}: name a folder for the plots of several recordings")
        return {printable(path): target for path in recordings}
    files: dict[str, Path] = {}
    taken: set[str] = set()
    for path in recordings:
        name, number = path.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.name} {number}"
        taken.add(name.casefold())
        files[printable(path)] = target / f"{name}.png"
    return files

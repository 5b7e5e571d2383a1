"""Pictures of alignments: what colours they are made of, and where they go."""

import io
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.plot import ALIGNED, ALONE, alignment_plot, plotter
from spotify_pipeline_tests.identify.observed import observed
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, make_tracks

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Identify a clean excerpt."""
    tracks = make_tracks(2)
    query = fingerprint_of(tracks[0], start=20, seconds=10)
    return observed(tmp_path_factory.mktemp("home"), tracks, query)


def pixels(picture: bytes, color: str) -> int:
    """Count the pixels that are about of a colour."""
    shades = imread(io.BytesIO(picture), format="png")[..., :3]
    return int((np.abs(shades - np.array(to_rgb(color))).max(axis=-1) < 0.1).sum())


def test_an_excerpt_of_the_track_shows_aligned_onsets(evidence: Evidence) -> None:
    picture = alignment_plot(evidence)
    assert pixels(picture, ALIGNED) > 10 * pixels(picture, ALONE)


def test_another_track_shows_onsets_that_stand_alone(evidence: Evidence) -> None:
    picture = alignment_plot(replace(evidence, track=make_track(7).rhythm))
    assert pixels(picture, ALONE) > pixels(picture, ALIGNED)


def test_an_unaccepted_match_is_drawn_as_unknown(evidence: Evidence) -> None:
    assert alignment_plot(replace(evidence, accepted=False)) != alignment_plot(evidence)


def test_nothing_to_align_is_drawn_all_the_same(evidence: Evidence) -> None:
    for shown in (replace(evidence, query=NO_ONSETS), replace(evidence, track=NO_ONSETS)):
        assert alignment_plot(shown).startswith(PNG)


@pytest.mark.parametrize("name", ["$5 or $x_$", "東京\x00\n", "{", "a" * 500])
def test_any_name_can_be_drawn(evidence: Evidence, name: str) -> None:
    named = msgspec.structs.replace(evidence.named, title=name, artists=(name,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = alignment_plot(replace(evidence, file=name, named=named))
    assert picture.startswith(PNG)


def test_a_long_name_leaves_the_plot_its_width(evidence: Evidence) -> None:
    named = msgspec.structs.replace(evidence.named, title="a " * 250)
    long, short = alignment_plot(replace(evidence, named=named)), alignment_plot(evidence)
    assert pixels(long, ALIGNED) == pytest.approx(pixels(short, ALIGNED), rel=0.02)


def test_one_plot_goes_into_the_file_that_is_named(tmp_path: Path, evidence: Evidence) -> None:
    target = tmp_path / "new" / "plot.PNG"
    plotter(target, [Path(evidence.file)])(evidence)
    assert target.read_bytes().startswith(PNG)


def test_several_plots_in_a_folder_are_named_like_their_recordings(
    tmp_path: Path, evidence: Evidence
) -> None:
    recordings = [Path(name) for name in ("one/clip.mp3", "two/Clip.mp3", "two/clip.wav")]
    save = plotter(tmp_path / "plots", recordings)
    for recording in recordings:
        save(replace(evidence, file=str(recording)))
    names = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert names == ["Clip.mp3 2.png", "clip.mp3.png", "clip.wav.png"]


def test_one_file_for_several_plots_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="name a folder"):
        plotter(tmp_path / "plot.png", [Path("a.mp3"), Path("b.mp3")])


def test_identifying_without_a_plot_does_not_wait_for_matplotlib() -> None:
    code = (
        "import sys, spotify_pipeline.cli, spotify_pipeline.identify.answers;"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

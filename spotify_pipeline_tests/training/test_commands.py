"""Training's commands run from music and examples to what they print and write, on very little."""

from pathlib import Path

import numpy as np
import pytest

import spotify_pipeline
from spotify_pipeline.fingerprint.model_file import read_model_file
from spotify_pipeline.fingerprint.onset_network import OnsetModel
from spotify_pipeline.identify.decision import SOURCES, decisions_of
from spotify_pipeline_tests.benchmarks.made import compose_pieces, numbers
from spotify_pipeline_tests.training.examples_made import made_examples
from training import decision, onset_distances, popularity
from training.decision import Examples

SHIPPED = Path(spotify_pipeline.__file__).parent / "fingerprint" / "detection_model.npz"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "music"
    compose_pieces(folder)
    return folder


def kept(folder: Path, source: str) -> Path:
    """Keep examples as `training.decision` does."""
    made_examples(200).write(folder / f"{source}-1.npz")
    return folder


def test_examples_of_clean_excerpts_are_mostly_right(music: Path, tmp_path: Path) -> None:
    few = ["--distractors", "20", "--lengths", "10", "--only", "rhythm"]
    files = ["--network", str(SHIPPED), "--out", str(tmp_path / "none.npz")]
    decision.main(["--music", str(music), *few, *files, "--examples", str(tmp_path)])
    (file,) = tmp_path.iterdir()
    assert file.name == "rhythm-1.npz"
    found = Examples.read([file])
    known = found.best & found.known
    assert known.sum() == 4 * len(decision.FINGERPRINTED)
    assert found.right[known].mean() > 0.8
    assert not found.right[~found.known].any()


def test_a_decision_is_fitted_and_written_beside_earlier_ones(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.npz"
    files = ["--network", str(SHIPPED), "--earlier", str(SHIPPED), "--out", str(out)]
    examples = kept(tmp_path, "rhythm")
    decision.main(["--music", str(music), *files, "--examples", str(examples)])
    printed = capsys.readouterr().out
    assert printed.startswith("rhythm: 200 matches, ")
    written = read_model_file(out)
    assert set(decisions_of(written)) == set(SOURCES)
    fitted = written.provenance["decision for rhythm"]
    assert fitted["matches"] == 200
    assert 0 < fitted["left_out"]["log loss"] < 0.6
    earlier = read_model_file(SHIPPED).provenance["decision for echoprint"]
    assert written.provenance["decision for echoprint"] == earlier


def test_what_popularity_is_worth_is_printed_for_each_weight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = kept(tmp_path, SOURCES[0])
    few = ["--draws", "2"]
    popularity.main(["--model", str(SHIPPED), "--examples", str(examples), *few])
    _, *lines = capsys.readouterr().out.splitlines()
    rows = [numbers(line) for line in lines]
    assert [row[0] for row in rows] == 2 * list(popularity.WEIGHTS)
    for _, loss, accepted, wrong in rows:
        assert loss > 0
        assert 0 < accepted <= 100
        assert 0 <= wrong < 100


def test_onsets_of_a_file_lie_near_those_of_another_pressing(
    music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onset_distances.main(["--music", str(music), "--stretches", "1"])
    lines = capsys.readouterr().out.splitlines()
    ratios = [float(line.partition(": ")[2]) for line in lines]
    assert len(ratios) == onset_distances.FARTHEST + 2
    assert int(np.argmax(ratios)) <= 1
    assert ratios[0] > 1
    assert ratios[-1] < 0


def test_a_network_is_trained_and_written(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("jax", "optax", "pyroomacoustics"):
        pytest.importorskip(library, reason="pip install -e '.[training]'")
    from training import network

    out = tmp_path / "network.npz"
    few = ["--stretches", "1", "--epochs", "1"]
    network.main(["--music", str(music), *few, "--out", str(out)])
    printed = capsys.readouterr().out
    assert "training set, 2 pieces: " in printed
    assert "validation set, 4 pieces: " in printed
    written = read_model_file(out)
    assert OnsetModel.of(written.section("network")).arrays()
    assert written.provenance["network"]["settings"]["epochs"] == 1

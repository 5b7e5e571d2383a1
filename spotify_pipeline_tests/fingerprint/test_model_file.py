"""The model's file: read as it was written, and refused where its parts do not belong together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from spotify_pipeline.fingerprint.model_file import (
    ModelFile,
    ModelFileError,
    digest,
    read_model_file,
    shipped_model,
)

NAMES = st.text("abcdefg_ ", min_size=1, max_size=8)
ARRAYS = st_numpy.arrays(
    st.sampled_from([np.float16, np.float32, np.int16]),
    st_numpy.array_shapes(max_dims=2, max_side=4),
    elements=st.integers(-8, 8),
)
SECTIONS = st.dictionaries(NAMES, st.dictionaries(NAMES, ARRAYS, min_size=1, max_size=3))


@given(sections=SECTIONS)
def test_a_model_is_read_as_it_was_written(
    sections: dict[str, dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("model") / "model.npz"
    made = {name: {"pieces": ["a", "b"], "seed": 3} for name in sections}
    ModelFile(sections, made).write(file)
    read = read_model_file(file)
    assert read.provenance == made
    assert set(read.sections) == set(sections)
    for name, arrays in sections.items():
        assert digest(read.section(name)) == digest(arrays)


def fitted_to(other: str) -> dict[str, dict[str, object]]:
    return {"decision": {"fitted_to": {"network": other}}}


def test_a_decision_is_refused_beside_another_network_than_its_own(tmp_path: Path) -> None:
    network = {"weights": np.arange(6, dtype=np.float32)}
    sections = {"network": network, "decision": {"base": np.array(1.5)}}
    ModelFile(sections, fitted_to(digest(network))).write(tmp_path / "right.npz")
    read_model_file(tmp_path / "right.npz")
    other = {"weights": np.arange(6, dtype=np.float32)[::-1].copy()}
    ModelFile({**sections, "network": other}, fitted_to(digest(network))).write(
        tmp_path / "wrong.npz"
    )
    with pytest.raises(ModelFileError, match="was fitted to another network"):
        read_model_file(tmp_path / "wrong.npz")


def test_a_section_that_is_not_there_is_named() -> None:
    model = ModelFile({"network": {}}, {})
    with pytest.raises(ModelFileError, match="no section 'decision', only network"):
        model.section("decision")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(ModelFileError, match="not a model file"):
        read_model_file(tmp_path / "model.npz")


def test_arrays_without_a_format_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", weights=np.zeros(3))
    with pytest.raises(ModelFileError, match="not a model file"):
        read_model_file(tmp_path / "model.npz")


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("spotify_pipeline.fingerprint.model_file.FORMAT", 99)
        ModelFile({}, {}).write(tmp_path / "model.npz")
    with pytest.raises(ModelFileError, match="is of format 99, this version reads 1"):
        read_model_file(tmp_path / "model.npz")


def test_the_shipped_model_says_what_it_was_made_of() -> None:
    model = shipped_model()
    assert len(model.provenance["network"]["pieces"]) > 20
    for name, made in model.provenance.items():
        assert {"made", "commit", "settings"} <= set(made), name

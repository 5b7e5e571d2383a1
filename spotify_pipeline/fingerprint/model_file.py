"""The file of everything that was learned from music: the onset network, and what decides by it.

They belong together: weights of a decision are right only for the network that they were fitted
with. So one file holds both, says what they were made of, and is checked when it is read.

An ``.npz`` archive of arrays named ``section/name``, and two of its own: ``format``, the version of
this layout; ``provenance``, JSON as UTF-8 in uint8. A section that was fitted to another has that
one's digest in its provenance, under ``fitted_to``.

Belongs here: the file's layout and checks. Does not belong here: what the arrays mean
(`onset_network`, `spotify_pipeline.identify.decision`); making it (`training`).
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

import numpy as np

from spotify_pipeline.fingerprint.errors import FingerprintError

__all__ = [
    "FORMAT",
    "ModelFile",
    "ModelFileError",
    "Section",
    "digest",
    "read_model_file",
    "shipped_model",
]

FORMAT = 1

Section = Mapping[str, np.ndarray]
"""Arrays by name."""


class ModelFileError(FingerprintError):
    """A file that is no model, is of another version, or whose parts do not belong together."""


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Attributes
    ----------
    sections
        Arrays by section and name.
    provenance
        Of each section: what it was made of, when, by which commit.
    """

    sections: Mapping[str, Section]
    provenance: Mapping[str, Mapping[str, Any]]

    def section(self, name: str) -> Section:
        """Give the arrays of a section.

        Raises
        ------
        ModelFileError
            There is none of that name.
        """
        try:
            return self.sections[name]
        except KeyError:
            raise ModelFileError(
                f"the model has no section {name!r}, only {', '.join(self.sections) or 'nothing'}"
            ) from None

    def write(self, path: Path) -> None:
        """Write what `read_model_file` reads."""
        arrays = {
            f"{section}/{name}": array
            for section, named in self.sections.items()
            for name, array in named.items()
        }
        text = json.dumps(self.provenance, sort_keys=True).encode()
        arrays["provenance"] = np.frombuffer(text, np.uint8)
        arrays["format"] = np.array(FORMAT)
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


def digest(section: Section) -> str:
    """Give a hash of a section's arrays, hexadecimal."""
    hashed = hashlib.sha256()
    for name in sorted(section):
        array = np.ascontiguousarray(section[name])
        hashed.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        hashed.update(array.tobytes())
    return hashed.hexdigest()[:16]


def read_model_file(file: Path | IO[bytes]) -> ModelFile:
    """Read a model, and check that its sections belong together.

    Raises
    ------
    ModelFileError
        As the class says.
    OSError
        There is no such file, or it can't be read.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        version = int(arrays.pop("format"))
        provenance = json.loads(arrays.pop("provenance").tobytes())
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{file}: not a model file: {error}") from error
    if version != FORMAT:
        raise ModelFileError(f"{file}: is of format {version}, this version reads {FORMAT}")
    sections: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        section, _, name = key.partition("/")
        sections.setdefault(section, {})[name] = array
    model = ModelFile(sections, provenance)
    for section, made in provenance.items():
        for other, wanted in made.get("fitted_to", {}).items():
            if digest(model.section(other)) != wanted:
                raise ModelFileError(f"{file}: {section} was fitted to another {other} than this")
    return model


@cache
def shipped_model() -> ModelFile:
    """Read the model that comes with the package."""
    with files(__package__).joinpath("detection_model.npz").open("rb") as file:
        return read_model_file(file)

"""The folder of real data that may stand beside the checkout."""

from pathlib import Path

import pytest

__all__ = ["shared_path"]

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_path(*parts: str) -> Path:
    """Give a path inside the folder of real data, or skip the test when it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data {'/'.join(parts)} does not stand beside the checkout")
    return path

"""Tells when and by which version of the code something was made, for a model's file to hold."""

from datetime import UTC, datetime
from typing import Any

from benchmarks.command import commit

__all__ = ["made_now"]


def made_now(**more: object) -> dict[str, Any]:
    """Give the time, the commit (``-dirty`` where files differ from it), and more as it comes."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return {"made": made, "commit": commit(), **more}

"""Tells when and by which version of the code something was made, for a model's file to hold."""

import subprocess
from datetime import UTC, datetime
from typing import Any

__all__ = ["made_now"]


def made_now(**more: object) -> dict[str, Any]:
    """Give the time, the commit (``-dirty`` where files differ from it), and more as it comes."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or "unknown",
        **more,
    }

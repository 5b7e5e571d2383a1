"""Waiting for what a server does sooner or later, on a machine that is busy.

Belongs here: how long. Does not belong here: for what.
"""

import time
from collections.abc import Callable

__all__ = ["PATIENCE", "wait_until"]

PATIENCE = 300.0
"""Seconds after which what has not come fails a test."""

PAUSE = 0.02
"""Seconds between two looks."""


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ended = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ended
        time.sleep(PAUSE)

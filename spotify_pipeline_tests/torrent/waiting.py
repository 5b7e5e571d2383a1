"""Waiting in tests for what other programs and threads do.

Belongs here: waiting that ends. Does not belong here: what is waited for.
"""

import time
from collections.abc import Callable

__all__ = ["until"]


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Come back when something holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)

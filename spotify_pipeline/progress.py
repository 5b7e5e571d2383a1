"""Progress of long work, as lines in a log every few seconds.

Belongs here: the callback type that long work takes, and the reporter for logs. Does not belong
here: bars on a terminal (`cli`).
"""

import time
from collections.abc import Callable

__all__ = ["Report", "log_reporter"]

Report = Callable[[int, int, str], None]
"""Called with what is done, the total (0 if unknown) and what is being worked on."""

LOG_INTERVAL = 5.0
"""Seconds between two lines."""

_MEGABYTE = 1e6


def log_reporter(log: Callable[[str], None], unit: str = "") -> Report:
    """Make a reporter that writes a line with share, rate and time left every few seconds.

    Parameters
    ----------
    log
        Takes a line.
    unit
        ``MB`` when amounts are bytes, the name of what is counted, or empty when the amounts are
        of several kinds and only shares tell something.
    """
    scale = _MEGABYTE if unit == "MB" else 1.0
    started = last = time.monotonic()
    current = ""

    def report(done: int, total: int, what: str) -> None:
        nonlocal started, last, current
        now = time.monotonic()
        if what != current:
            current, started, last = what, now, now
        if now - last < LOG_INTERVAL:
            return
        last = now
        rate = done / max(now - started, 1e-9)
        parts = []
        if unit:
            parts += [f"{done / scale:,.0f} {unit}", f"{rate / scale:,.1f} {unit}/s"]
        if total > done:
            parts += [
                f"{done / total:.0%}",
                f"about {(total - done) / max(rate, 1e-9):,.0f} s left",
            ]
        log(f"{what}: {', '.join(parts)}" if parts else what)

    return report

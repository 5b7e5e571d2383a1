"""What the checks of a shard's rows are called, and what they find.

Belongs here: what is kept and shown of them. Does not belong here: looking (`checks`). Cheap to
import.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CHECKS", "Finding"]

CHECKS: Mapping[str, str] = {
    "ledger_equals_table": "The ledger counts the rows that there are.",
    "ids_unique_and_well_formed": "Track ids are base62, the shard's, and there once.",
    "codes_in_range": "Every stored fingerprint unpacks to onsets and codes in range; and harmony.",
    "fingerprints_present": "As many tracks as usual have each fingerprint that is kept.",
}
"""Name and description of each check."""


@dataclass(frozen=True)
class Finding:
    """The verdict of one check, and the figures that it follows from.

    >>> str(Finding("codes_in_range", False, {"damaged": 3}))
    'codes_in_range (damaged 3)'
    """

    name: str
    passed: bool
    figures: Mapping[str, float]

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value:g}" for name, value in self.figures.items())
        return f"{self.name} ({figures})"

"""When an answer is wanted, whatever has been found by then.

Belongs here: telling whether time is over. Does not belong here: what is left out then.
"""

import math
import time

__all__ = ["Deadline"]


class Deadline:
    """A moment after which no more work is begun.

    Parameters
    ----------
    seconds
        From now on; infinite for none.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds
        self._missed = False

    @property
    def missed(self) -> bool:
        """Whether work was left out."""
        return self._missed

    def leaves_out(self) -> bool:
        """Tell whether the work that would come next is to be left out."""
        over = time.monotonic() >= self._end
        self._missed = self._missed or over
        return over

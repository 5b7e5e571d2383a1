"""Which blocks of a sealed file are still to be checked, of thousands of ranges at once.

Belongs here: the kernel. Does not belong here: checking (`sealed_file`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Bools, Int64s

__all__ = ["unchecked_blocks"]


@njit(cache=True, nogil=True)
def unchecked_blocks(first: Int64s, last: Int64s, checked: Bools) -> Int64s:
    """Give the blocks from each first to each last one that are not checked yet.

    One that comes twice in a row is given once.
    """
    found = np.empty(len(first) + 16, np.int64)
    count = 0
    for k in range(len(first)):
        for block in range(first[k], last[k] + 1):
            if checked[block] or (count and found[count - 1] == block):
                continue
            if count == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[count] = block
            count += 1
    return found[:count]

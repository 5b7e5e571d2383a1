"""Threads of BLAS and OpenMP: few, for the program's own threads keep the processors busy.

Where more threads want to run than there are processors, a pool's threads wait for each other in a
busy loop: on two processors with much else to do, the onset network took ten times the processor
time with two threads a product that it takes with one.

Belongs here: bounding these pools, in one place. Does not belong here: the program's own threads.
"""

import os
import sys

__all__ = ["VARIABLES", "bound_pools"]

VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Say to libraries how many threads to start; they read them when they are loaded."""


def bound_pools(threads: int) -> None:
    """Bound the pools of this process, and of the processes that it starts from now on.

    Nothing is changed where the environment sets one of `VARIABLES`: whoever did knows better.

    Parameters
    ----------
    threads
        Of each pool at the most, 1 or more.
    """
    if any(os.environ.get(variable) for variable in VARIABLES):
        return
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    if "numpy" in sys.modules:  # what is loaded has read its variables
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)

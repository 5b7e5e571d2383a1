"""Bit tricks that numba has no name for.

Belongs here: single machine instructions. Does not belong here: what the bits mean.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["trailing_zeros"]


@intrinsic
def trailing_zeros(typing_context, word):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Count the zeros below a uint64's lowest one, in a kernel; the word must not be 0."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate

"""Bit tricks that numba has no name for.

Belongs here: single machine instructions. Does not belong here: what the bits mean.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["count_ones", "trailing_zeros", "word_at"]


@intrinsic
def trailing_zeros(typing_context, word):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Count the zeros below a uint64's lowest one, in a kernel; the word must not be 0."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def count_ones(typing_context, word):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Count the ones of a uint64."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@intrinsic
def word_at(typing_context, content, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Give the uint32 that begins at an index of uint8s, the lowest byte first; not checked."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        array = make_array(signature.args[0])(context, builder, arguments[0])
        pointer = cgutils.pointer_add(builder, array.data, arguments[1])
        return builder.load(builder.bitcast(pointer, ir.IntType(32).as_pointer()), align=1)

    return types.uint32(content, types.uint64), generate

"""Bit tricks that numba has no name for.

Belongs here: single machine instructions. Does not belong here: what the bits mean.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["bits_from", "count_ones", "prefetch", "trailing_zeros", "word_at"]


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


@intrinsic
def bits_from(typing_context, words, position):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Give the 57 bits from a bit of uint64s on, and what more comes for free; not checked.

    Eight bytes are read from the byte of the first bit on, up to seven of them behind the words.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        array = make_array(signature.args[0])(context, builder, arguments[0])
        word = arguments[1].type
        byte = builder.lshr(arguments[1], ir.Constant(word, 3))
        start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        pointer = builder.bitcast(builder.gep(start, [byte]), ir.IntType(64).as_pointer())
        shift = builder.and_(arguments[1], ir.Constant(word, 7))
        return builder.lshr(builder.load(pointer, align=1), shift)

    return types.uint64(words, types.uint64), generate


@intrinsic
def prefetch(typing_context, words, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Have the cache line of an element of an array fetched; any index will do."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        array = make_array(signature.args[0])(context, builder, arguments[0])
        byte = ir.IntType(8).as_pointer()
        flag = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag]),
            "llvm.prefetch.p0i8",
        )
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), byte)
        # to be read, to be kept, data
        builder.call(function, [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(words, types.int64), generate

"""Marks of JSON in 64 bytes at a time, for kernels: a bit for each byte, the lowest first.

Belongs here: what numba has no name for. Does not belong here: what the marks mean (`scanning`).
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from spotify_pipeline.fingerprint.arrays import UInt8s

__all__ = ["BLOCK", "byte_at", "marks_at", "toggled"]

BLOCK = 64
"""Bytes."""

_QUOTE, _BACKSLASH, _OPEN, _CLOSE, _COMMA = b'"\\{},'
_BRACE = 32  # the bit that makes a brace of a bracket

_Marks = tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]


@intrinsic
def _marks(typing_context, text, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Give the marks of 64 bytes from an index of uint8s on; not checked."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        array = make_array(signature.args[0])(context, builder, arguments[0])
        pointer = cgutils.pointer_add(builder, array.data, arguments[1])
        vector = ir.VectorType(ir.IntType(8), BLOCK)

        def repeated(value: int) -> Any:  # noqa: ANN401
            return ir.Constant(vector, [ir.Constant(ir.IntType(8), value)] * BLOCK)

        def equal(block: Any, value: int) -> Any:  # noqa: ANN401
            same = builder.icmp_unsigned("==", block, repeated(value))
            return builder.bitcast(same, ir.IntType(BLOCK))

        block = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)
        braces = builder.or_(block, repeated(_BRACE))
        marks = [
            equal(block, _QUOTE),
            equal(block, _BACKSLASH),
            equal(braces, _OPEN),
            equal(braces, _CLOSE),
            equal(block, _COMMA),
        ]
        return context.make_tuple(builder, signature.return_type, marks)

    return types.UniTuple(types.uint64, 5)(text, types.int64), generate


@intrinsic
def byte_at(typing_context, text, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Give one of uint8s; the index is not checked, and none is counted from the end."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        array = make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load(cgutils.pointer_add(builder, array.data, arguments[1]))

    return types.uint8(text, types.int64), generate


@njit(cache=True, nogil=True, forceinline=True)
def marks_at(text: UInt8s, start: int) -> _Marks:
    """Mark quotes, backslashes, what opens, what closes and commas in the 64 bytes from `start` on.

    Braces and brackets are not told apart. Behind the text's end there is nothing.
    """
    found: _Marks = (
        _marks(text, start) if start + BLOCK <= len(text) else _marks_at_end(text, start)
    )
    return found


@njit(cache=True, nogil=True)
def _marks_at_end(text: UInt8s, start: int) -> _Marks:
    """Do the same where fewer bytes are left."""
    rest = np.zeros(BLOCK, np.uint8)
    rest[: len(text) - start] = text[start:]
    found: _Marks = _marks(rest, 0)
    return found


@njit(cache=True, nogil=True, forceinline=True)
def toggled(marks: np.uint64) -> np.uint64:
    """Set the bits from each odd mark up to the one before the next."""
    for shift in (1, 2, 4, 8, 16, 32):
        marks ^= marks << np.uint64(shift)
    return marks

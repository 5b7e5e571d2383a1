"""Names for the array types that kernels and their callers pass around.

Belongs here: aliases. Does not belong here: shapes; they stand in docstrings.
"""

import numpy as np
import numpy.typing as npt

__all__ = [
    "Bools",
    "Bytes",
    "Float32s",
    "Float64s",
    "Int8s",
    "Int16s",
    "Int32s",
    "Int64s",
    "UInt8s",
    "UInt16s",
    "UInt32s",
    "UInt64s",
]

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.bytes_]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Int8s = npt.NDArray[np.int8]
UInt16s = npt.NDArray[np.uint16]
UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]
UInt8s = npt.NDArray[np.uint8]

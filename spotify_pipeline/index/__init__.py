"""The feature index in four parts that know only those before: bytes, kernels, building, search."""

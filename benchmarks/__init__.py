"""Measures speed, size and detection; not installed for users.

Each module with a `main` is a command; what it measures and what it prints, its help says:

    python -m benchmarks.detection --help
"""

"""Builds the documentation site: what pages take from the code, and how MkDocs gets it.

Not installed for users. Knows the package from outside: its settings, its docstrings.
"""

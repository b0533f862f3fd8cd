"""The full runs, one module per chapter: each function takes a ``Sweep`` and writes one results file."""

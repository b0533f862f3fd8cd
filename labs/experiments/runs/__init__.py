"""The full runs, one module per chapter: each function takes a number of processes and writes one results file."""

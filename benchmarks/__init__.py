"""What things cost in time and memory, as ratios between two ways measured side by side; never part of the tests.

``make bench`` runs all of it in under ten minutes and stores ``results/benchmarks.json``;
``python -m benchmarks NAME ...`` runs some of it, and ``python -m benchmarks table`` the one that takes longer.
"""

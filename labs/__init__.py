"""Helpers of *Nonlinear*, the executable textbook on activation functions.

``import labs`` loads torch and nothing heavier, and does nothing else: no seed, no download, no plot style.
Reach for the modules by name, for example ``from labs.networks import SimpleNetwork``.
"""

__version__ = "0.1.0"

"""The large experiments of the book, one module per chapter.

A notebook calls these functions with few seeds, ``python -m labs.experiments NAME`` runs them in full and writes what
comes out to ``results/``. Both run the same code, so a reader can repeat any part of a stored result.
"""

"""Grade a folder of submitted notebooks with one command: ``python -m labs.grade submissions/``.

Each submission is read before anything runs, then runs in a process of its own: with limits of time and memory, without
network, with an empty folder as its home. A crash or an endless loop costs the others nothing, and after a cell that
fails the next one is run. Every check of the released notebook is one point. The grader runs its own copy of the check
where the student's notebook calls it (and, if the call was deleted, before the next cell of the book that is still
there), so an edited check, or a changed :mod:`labs.checks`, earns nothing; what a student prints is never read as a
verdict.

Files are found in sub-folders too, and a sub-folder is then the name of the student: ``ada/16-dead-neurons.ipynb``,
or ``Ada_16-dead-neurons.ipynb`` without one. Which exercise it is, the imported checks tell, else the name of the
file. The result is ``grades.csv``, with one row per submission, and in ``feedback/`` one Markdown file per submission.
Both are written as soon as a submission is finished, so after an interruption the same command goes on; a submission
that has changed is graded anew. No grade is thrown away: rows of files that are gone stay at the end of the table, and
an old row stays, with a word that it is old, until the new grade is there.

With ``--jobs 8`` eight submissions run at a time, with ``--cluster tcp://host:8786`` they run on a Dask cluster whose
workers can import ``labs``; the results stay here. What keeps a submission in depends on the system, and each feedback
file says what it was: user namespaces of Linux (no network, everything else to read only, other people's submissions
and the solutions hidden), where they are not allowed Landlock of Linux (writing and TCP), and elsewhere, as on macOS,
Python's audit hooks, which C code can get around. Windows cannot fork: use WSL there.

What this does not stop: the checks call the student's functions in the student's process, and a student who knows this
grader can write a function that finds the check that calls it and changes its verdict, or sends a verdict of its own.
A submission can also read whatever you can read, unless it is hidden as above, and its feedback goes back to its
author: grade under an account without secrets, and look at surprising work yourself.
"""

"""Train a classifier, measure it, keep it, and compare several.

The work is done behind this module, one idea per file: ``labs.fitting`` trains, ``labs.evaluation`` and
``labs.calibration`` measure, ``labs.checkpoints`` keeps, ``labs.comparison`` puts side by side.
"""

from __future__ import annotations

from labs.calibration import calibration_error
from labs.checkpoints import load_checkpoint, save_checkpoint
from labs.comparison import ComparisonTable, Run, compare
from labs.evaluation import Evaluation, evaluate
from labs.fitting import History, fit

__all__ = [
    "ComparisonTable", "Evaluation", "History", "Run", "calibration_error", "compare", "evaluate", "fit",
    "load_checkpoint", "save_checkpoint",
]  # fmt: skip

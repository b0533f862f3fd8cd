"""Interactive figures: one ``anywidget`` class and one ES module each.

In a live notebook anywidget shows them; on the static page ``assets/mount-widgets.js`` mounts the same module
from the ``text/html`` that :class:`~labs.widgets.static_page.StaticPage` adds to the output.
"""

from labs.widgets.activation_explorer import ActivationExplorer
from labs.widgets.activation_morph import ActivationMorph
from labs.widgets.neuron_ward import NeuronWard
from labs.widgets.results_explorer import ResultsExplorer
from labs.widgets.signal_fit import SignalFit

__all__ = ["ActivationExplorer", "ActivationMorph", "NeuronWard", "ResultsExplorer", "SignalFit"]

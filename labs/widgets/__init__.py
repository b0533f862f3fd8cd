"""Interactive figures: one ``anywidget`` class and one ES module each.

In a live notebook anywidget shows them; on the static page ``assets/mount-widgets.js`` mounts the same module
from the ``text/html`` that :class:`~labs.widgets.static_page.StaticPage` adds to the output.
"""

from labs.widgets.neuron_ward import NeuronWard

__all__ = ["NeuronWard"]

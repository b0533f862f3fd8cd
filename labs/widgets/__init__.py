"""Interactive figures: one ``anywidget`` class and one ES module each.

In a live notebook anywidget shows them; on the static page ``assets/mount-widgets.js`` mounts the same module
from the ``text/html`` that :class:`~labs.widgets.static_page.StaticPage` adds to the output.
"""

from labs.widgets.activation_explorer import ActivationExplorer
from labs.widgets.activation_morph import ActivationMorph
from labs.widgets.batch_norm_stepper import BatchNormStepper
from labs.widgets.decision_guide import DecisionGuide
from labs.widgets.double_descent import DoubleDescentExplorer
from labs.widgets.forge import Forge
from labs.widgets.graph_stepper import GraphStepper
from labs.widgets.landscape_viewer import LandscapeViewer
from labs.widgets.line_folder import LineFolder
from labs.widgets.neuron_bench import NeuronBench
from labs.widgets.neuron_ward import NeuronWard
from labs.widgets.optimiser_race import OptimiserRace
from labs.widgets.playground import Playground
from labs.widgets.point_fit import PointFit
from labs.widgets.results_explorer import ResultsExplorer
from labs.widgets.score_losses import ScoreLosses
from labs.widgets.signal_fit import SignalFit
from labs.widgets.signal_tunnel import SignalTunnel
from labs.widgets.template_viewer import TemplateViewer
from labs.widgets.threshold_bench import ThresholdBench

__all__ = [
    "ActivationExplorer",
    "ActivationMorph",
    "BatchNormStepper",
    "DecisionGuide",
    "DoubleDescentExplorer",
    "Forge",
    "GraphStepper",
    "LandscapeViewer",
    "LineFolder",
    "NeuronBench",
    "NeuronWard",
    "OptimiserRace",
    "Playground",
    "PointFit",
    "ResultsExplorer",
    "ScoreLosses",
    "SignalFit",
    "SignalTunnel",
    "TemplateViewer",
    "ThresholdBench",
]

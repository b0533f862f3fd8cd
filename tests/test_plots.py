"""Figures draw what they are given, in forms that can be told apart without colour."""

import itertools

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from labs import plots
from labs.data import make_moons
from labs.networks import SimpleNetwork
from labs.neurons import activity


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_a_line_is_the_mean_and_its_band_the_extremes(ax):
    plots.runs(ax, {"a": [[1.0, 2.0], [3.0, 6.0]], "b": [[0.0, 0.0]]})

    assert ax.lines[0].get_ydata().tolist() == [2.0, 4.0]
    assert ax.collections[0].get_paths()[0].get_extents().ymax == 6.0
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_more_lines_than_styles_are_refused(ax):
    with pytest.raises(ValueError, match="only 6 can be told apart"):
        plots.runs(ax, {str(i): [[1.0]] for i in range(7)})


def test_runs_of_unequal_length_are_named(ax):
    with pytest.raises(ValueError, match="runs of 'a' differ in length"):
        plots.runs(ax, {"a": [[1.0], [1.0, 2.0]]})


def test_a_histogram_has_area_one_and_survives_a_constant(ax):
    plots.histogram(ax, torch.ones(50))

    stairs = ax.patches[0]
    values, edges, _ = stairs.get_data()
    assert (values * (edges[1:] - edges[:-1])).sum() == pytest.approx(1.0)


def test_dead_units_are_hatched_in_the_ranges(ax):
    z = torch.tensor([[-3.0, -1.0, 1.0], [-2.0, 1.0, 2.0]])

    plots.unit_ranges(ax, activity(torch.nn.ReLU(), z)["ReLU"])

    hatches = {(round(bar.get_x(), 1), bar.get_hatch()) for bar in ax.patches}
    assert hatches == {(-3.0, "////"), (-1.0, None), (1.0, "....")}
    assert len(ax.get_legend_handles_labels()[1]) == 3


def test_the_decision_map_covers_the_data(ax):
    moons = make_moons(50)

    plots.decision_map(ax, SimpleNetwork("Tanh", in_features=2, hidden_features=(4,), out_features=2), moons)

    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < moons.points[:, 0].min()
    assert right > moons.points[:, 0].max()
    assert low < moons.points[:, 1].min()
    assert high > moons.points[:, 1].max()


def test_the_styles_differ_in_colour_line_and_marker():
    for key in ("color", "linestyle", "marker"):
        assert len({str(style[key]) for style in plots.STYLES}) == len(plots.STYLES)


def test_value_and_slope_are_those_of_the_function(ax):
    figure, axes = plt.subplots(1, 2)

    plots.value_and_slope(axes, ["Tanh", "Step"], low=-2, high=2)

    x, y = axes[0].lines[0].get_data()
    assert abs(y - torch.tensor(x).tanh().numpy()).max() < 1e-12
    slope = axes[1].lines[0].get_ydata()
    assert abs(slope - (1 - torch.tensor(x).tanh() ** 2).numpy()).max() < 1e-12
    assert axes[0].lines[0].get_linestyle() != axes[0].lines[1].get_linestyle()
    # The jump of the step is no line: exactly one gap.
    assert (axes[0].lines[1].get_ydata() != axes[0].lines[1].get_ydata()).sum() == 1
    plt.close(figure)


def test_more_functions_than_styles_are_refused():
    figure, axes = plt.subplots(1, 2)

    with pytest.raises(ValueError, match="only 6 can be told apart"):
        plots.value_and_slope(axes, ["ReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish"])
    plt.close(figure)


def test_the_sum_surface_of_relu_is_flat_only_where_both_inputs_are_negative():
    figure = plt.figure()
    axes = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)

    plots.sum_surface(axes, torch.nn.ReLU())

    length = axes[1].collections[0].get_array().reshape(81, 81)
    assert length[:40, :40].max() == 0
    assert length[:40, 41:].min() == 1
    assert abs(length[41:, 41:].min() - 2**0.5) < 1e-12
    plt.close(figure)


def linear(colour):
    """Red, green and blue as amounts of light, from 0 to 1."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light):
    """The place of a colour in CIELAB, where a distance of some two units can just be seen side by side."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ light
    x, y, z = np.cbrt(np.clip(xyz / [0.9505, 1.0, 1.089], (6 / 29) ** 3, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# What reaches an eye without the cones for red or for green: Machado, Oliveira and Fernandes 2009, severity 1.
EYES = {
    "all cones": np.eye(3),
    "no red cones": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ]),
    "no green cones": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ]),
}  # fmt: skip


def test_each_line_stands_out_from_the_paper():
    for style in plots.STYLES:
        luminance = linear(style["color"]) @ [0.2126, 0.7152, 0.0722]

        assert 1.05 / (luminance + 0.05) >= 3  # WCAG 1.4.11


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_no_two_lines_look_alike_to_any_eye(eye):
    seen = [lab(np.clip(eye @ linear(style["color"]), 0, 1)) for style in plots.STYLES]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]

    assert len(distances) == 15
    assert min(distances) > 15  # far more than can just be seen; thin lines need more than patches


def test_no_two_lines_share_a_style_or_a_marker():
    for kind in ("linestyle", "marker"):
        assert len({style[kind] for style in plots.STYLES}) == len(plots.STYLES)

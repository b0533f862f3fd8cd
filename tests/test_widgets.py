"""The neuron ward: its numbers against torch and labs.neurons, its packing, and what it puts on the page."""

import base64
import json
import re
from pathlib import Path

import nbformat
import pytest
import torch
import traitlets

from labs.activations import derivative
from labs.data import load_digits, load_fashion_mnist
from labs.hooks import layer_values
from labs.networks import SimpleNetwork
from labs.neurons import FLAT_SLOPE, activity, dead_neuron_masks
from labs.seeds import set_seed
from labs.widgets import NeuronWard
from labs.widgets.ward_packing import pack, unpack
from labs.widgets.ward_table import INITS, STATES, WardTable, ward_network, ward_table

CHAPTERS = sorted(path.stem for path in (Path(__file__).parents[1] / "book").glob("[0-9][0-9]-*.md"))

CONFIGURATIONS = [("ReLU", "torch", 1), ("ReLU", "he", 2), ("LeakyReLU", "torch0", 3), ("GELU", "he0", 1)]
configurations = pytest.mark.parametrize(("activation", "init", "seed"), CONFIGURATIONS)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def ward(digits):
    return NeuronWard.precompute(
        digits, seeds=(1, 2), activations=("ReLU", "Tanh"), inits=("torch", "he0"), progress=False
    )


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


# --- The numbers --------------------------------------------------------------------------------------


@configurations
def test_the_states_are_those_of_labs_neurons(digits, activation, init, seed):
    network = ward_network(activation, init, seed)

    table = ward_table(network, digits)

    masks, reports = dead_neuron_masks(network, digits), activity(network, digits)
    for row, (mask, report) in enumerate(zip(masks.values(), reports.values(), strict=True)):
        state = table.state[row]
        near, stuck = report.near_dead(), report.saturated()
        assert torch.equal(state == STATES.index("dead"), mask)
        assert torch.equal(state == STATES.index("near-dead"), near)
        assert torch.equal(state == STATES.index("saturated"), stuck)
        better = ~(mask | near | stuck)
        assert torch.equal(state == STATES.index("bias-dominated"), report.bias_dominated() & better)


@configurations
def test_the_statistics_are_those_of_a_plain_forward_pass(digits, activation, init, seed):
    network = ward_network(activation, init, seed)

    table = ward_table(network, digits)

    for row, (name, (z, _)) in enumerate(layer_values(network, digits.images).items()):
        z64 = z.double()
        spread = z64.std(dim=0, correction=0)
        # float32 sums over 1,437 examples: a thousandth of the spread, and the rounding of the mean itself
        room = 1e-3 * spread + 1e-6 * z64.abs().amax(dim=0)
        assert ((table.mean[row] - z64.mean(dim=0)).abs() <= room).all()
        assert ((table.std[row] - spread).abs() <= room).all()
        assert ((table.low[row] - z64.amin(dim=0)).abs() <= room).all()
        assert ((table.high[row] - z64.amax(dim=0)).abs() <= room).all()
        slope = derivative(network.get_submodule(name), z)
        # another order of summation may move an example that lies on the edge
        assert ((slope.abs() > FLAT_SLOPE).sum(dim=0) - table.open[row]).abs().max() <= 1


@configurations
def test_each_histogram_counts_every_example_once(digits, activation, init, seed):
    table = ward_table(ward_network(activation, init, seed), digits)

    assert (table.bars.sum(dim=-1) == len(digits)).all()
    assert (table.bars[..., 0] > 0).all()


def test_a_histogram_agrees_with_torch(digits):
    network = ward_network("Tanh", "he", 1)

    table = ward_table(network, digits)

    z = layer_values(network, digits.images)["act3"][0][:, 5]
    expected = torch.histc(z, bins=11)
    assert (table.bars[2, 5] - expected).abs().max() <= 1  # rounding on an edge


def test_a_unit_behind_a_dead_layer_is_one_bar(digits):
    network = ward_network("ReLU", "he0", 1, layers=2, width=4)
    with torch.no_grad():
        network.linear1.bias.fill_(-1e6)

    table = unpack(pack(ward_table(network, digits)), len(digits), width=4)

    assert table.state.tolist() == [[STATES.index("dead")] * 4] * 2
    assert table.std[1].tolist() == table.low[1].tolist() == table.high[1].tolist() == [0.0] * 4
    assert table.bars[1].sum(dim=-1).tolist() == [1.0] * 4


@pytest.mark.parametrize("init", INITS)
def test_a_shallower_network_of_the_same_seed_is_the_lower_part(init):
    deep = ward_network("ReLU", init, 5)
    set_seed(5)

    shallow = SimpleNetwork("ReLU", hidden_features=[32] * 4, **INITS[init])

    for layer in ("linear1", "linear2", "linear3", "linear4"):
        assert torch.equal(deep.get_submodule(layer).weight, shallow.get_submodule(layer).weight)
        assert torch.equal(deep.get_submodule(layer).bias, shallow.get_submodule(layer).bias)


def test_a_network_of_the_ward_leaves_chance_alone():
    set_seed(3)
    expected = torch.rand(4)
    set_seed(3)

    ward_network("ReLU", "he", 1)

    assert torch.equal(torch.rand(4), expected)


def test_no_examples_are_refused(digits):
    class Nothing:
        inputs = digits.images[:0]

    with pytest.raises(ValueError, match="no examples"):
        ward_table(ward_network("ReLU", "torch", 1), Nothing)


@pytest.mark.parametrize(
    ("activation", "init", "seed", "message"),
    [
        ("Relu", "torch", 1, "unknown activation"),
        ("ReLU", "kaiming", 1, "unknown init"),
        ("ReLU", "he", -1, "seed"),
    ],
)
def test_an_unknown_choice_is_named(digits, activation, init, seed, message):
    with pytest.raises(ValueError, match=message):
        NeuronWard.precompute(digits, activations=[activation], inits=[init], seeds=[seed], progress=False)


# --- The packing --------------------------------------------------------------------------------------


@configurations
def test_packing_keeps_what_it_promises(digits, activation, init, seed):
    table = ward_table(ward_network(activation, init, seed), digits)

    back = unpack(pack(table), len(digits))

    assert torch.equal(back.state, table.state)
    assert torch.equal(back.open, table.open)
    assert torch.equal(back.bars > 0, table.bars > 0)
    for name in ("mean", "std"):  # eight significant bits: half a unit in the last is 2**-9 of the number
        exact = getattr(table, name).double()
        assert ((getattr(back, name) - exact).abs() <= exact.abs() * 2**-8).all()
    for name in ("low", "high"):  # a sixteenth of std, and what the rounding of the mean adds
        exact = getattr(table, name).double()
        room = table.std.double() / 15 + exact.abs() * 2**-7
        assert ((getattr(back, name) - exact).abs() <= room).all()
        assert torch.equal(getattr(back, name) > 0, exact > 0)
    heights = table.bars / table.bars.amax(dim=-1, keepdim=True)
    # In the root of the height a step is 1/15, so rounding moves it by half of that; only a bar too low to be
    # seen is lifted to a whole step.
    assert ((back.bars.sqrt() - heights.sqrt()).abs() <= 1 / 15).all()
    tall = heights.sqrt() > 1 / 15
    assert ((back.bars.sqrt() - heights.sqrt()).abs()[tall] <= 0.5 / 15 + 1e-6).all()


def test_a_unit_takes_fourteen_bytes(digits):
    text = pack(ward_table(ward_network("ReLU", "torch", 1, layers=3, width=5), digits))

    assert len(base64.b64decode(text)) == 3 * 5 * 14


def test_half_a_layer_is_refused(digits):
    text = pack(ward_table(ward_network("ReLU", "torch", 1, layers=1, width=5), digits))

    with pytest.raises(ValueError, match="wanted a multiple of 448"):
        unpack(text, len(digits))


def test_more_examples_than_sixteen_bits_can_count_are_refused():
    one = torch.zeros(1, 1)
    table = WardTable(65536, one, one, one, one, one, torch.ones(1, 1, 11), one)

    with pytest.raises(ValueError, match="65535"):
        pack(table)


# --- The widget ---------------------------------------------------------------------------------------


def test_the_summary_counts_from_ill_to_well():
    state = torch.tensor([[4] * 14 + [1] * 3 + [0] * 15, [0] * 32, [3] + [2] * 31])
    table = WardTable(9, *[torch.zeros(3, 32)] * 5, torch.zeros(3, 32, 11), state)

    words = [table.summary(layer) for layer in (1, 2, 3)]

    assert words == ["14 of 32 dead, 3 bias-dominated", "all 32 alive", "1 of 32 near-dead, 31 saturated"]


def test_the_widget_gives_back_the_table_it_was_made_from(ward, digits):
    exact = ward_table(ward_network("ReLU", "torch", 1), digits)

    table = ward.table()

    assert torch.equal(table.state, exact.state)
    assert (table.state == STATES.index("dead")).any()


def test_the_page_gets_the_same_html_from_two_runs(digits):
    def run():
        widget = NeuronWard.precompute(digits, seeds=[1], activations=["ReLU"], inits=["he"], progress=False)
        return widget._repr_mimebundle_()[0]

    first, second = run(), run()

    assert first["text/html"] == second["text/html"]
    assert first["text/plain"] == second["text/plain"] == "NeuronWard()"


def test_a_live_notebook_still_gets_the_live_view(ward):
    bundle, _ = ward._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_html_carries_state_module_and_style_and_cannot_be_broken_out_of(ward):
    bad = "</script><!-- <script>"
    widget = NeuronWard({**ward.data, "note": bad})

    html = widget.static_html()

    assert html.count("</script") == html.count("<script") == 1
    assert "<!--" not in html
    assert " id=" not in html
    content = content_of(html)
    assert content["state"]["data"]["note"] == bad
    assert content["address"] == ["ward", "activation", "init", "depth", "seed", "unit"]
    assert "export default" in content["module"]
    assert ".ward" in content["css"]
    assert "JavaScript" in html  # the note for readers without it


def test_the_state_of_the_whole_ward_fits_its_budget(ward):
    one = len(next(iter(ward.data["tables"].values())))

    everything = one * 6 * len(INITS) * 3

    assert everything <= 450_000


def scripts_on(twin):
    """The sources of the different widgets that a chapter's stored outputs bring to its page."""
    found = set()
    for cell in nbformat.read(twin, as_version=4).cells:
        for output in cell.get("outputs", ()):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if html.startswith('<div class="labs-widget">') and "library" not in (
                content := content_of(html)
            ):
                found.add(content["module"])
    return found


@pytest.mark.parametrize("stem", CHAPTERS)
def test_our_javascript_on_a_page_fits_its_budget(stem, root):
    modules = scripts_on(root / "book" / f"{stem}.ipynb")
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert modules, "every chapter has a widget"
    assert mount + sum(len(module.encode()) for module in modules) <= 60_000


@pytest.mark.parametrize(
    ("name", "value"),
    [("activation", "GELU"), ("init", "he"), ("seed", 2**32), ("depth", 11), ("unit", "11.1")],
)
def test_a_setting_the_ward_does_not_have_is_refused(ward, name, value):
    before = getattr(ward, name)

    with pytest.raises(traitlets.TraitError, match=f"{name}"):
        setattr(ward, name, value)

    assert getattr(ward, name) == before


def test_a_ward_without_images_offers_its_own_seeds_only(ward):
    widget = NeuronWard(ward.data)

    with pytest.raises(traitlets.TraitError, match="choose one of: 1, 2"):
        widget.seed = 17

    assert not widget.live


def test_a_live_request_for_another_seed_is_computed_and_told(ward, digits, monkeypatch):
    widget = NeuronWard(ward.data, train=digits)
    told = []
    monkeypatch.setattr(widget, "send_state", lambda key=None: told.append((key, widget.progress)))

    widget.set_state({"seed": 17})  # what the message from the browser calls

    assert list(widget.computed) == ["ReLU,torch,17"]
    exact = ward_table(ward_network("ReLU", "torch", 17), digits)
    assert torch.equal(widget.table().state, exact.state)
    steps = [value for key, value in told if key == "progress" and value > 0]
    assert steps == [layer / 10 for layer in range(1, 11)]
    assert [key for key, _ in told if key in ("progress", "computed")][-1] == "computed"


def test_a_failed_request_says_why(ward, digits):
    class Broken:
        inputs = digits.images[:0]

    widget = NeuronWard(ward.data, train=Broken)

    widget.seed = 17

    assert "no examples" in widget.problem
    assert widget.computed == {}


def test_on_all_of_fashion_mnist_the_dead_are_the_dead(fashion_mnist_root):
    train = load_fashion_mnist(root=fashion_mnist_root)
    network = ward_network("ReLU", "torch", 2)

    table = ward_table(network, train)

    masks = torch.stack(list(dead_neuron_masks(network, train).values()))
    assert torch.equal(table.state == STATES.index("dead"), masks)
    assert torch.equal(unpack(pack(table), len(train)).open, table.open)

"""What the playground says about a run: the most important thing first, from measured numbers, in node."""

import math

import pytest

from tests.playground_node import engine

FILES = ("curve_drawing.js", "playground_words.js")
LN2 = math.log(2)


def layer(units=8, *, dead=0, near=0, saturated=0, alike=False):
    return {"units": units, "dead": dead, "near": near, "saturated": saturated, "alike": alike}


def falling(step, start=0.7, end=0.3, test=None):
    """The losses of a run that learns evenly: a record every ten steps."""
    many = max(1, step // 10)
    train = [start + (end - start) * i / many for i in range(many + 1)]
    return [
        {"step": 10 * i, "train": loss, "test": loss if test is None else test}
        for i, loss in enumerate(train)
    ]


def facts(step=400, **changes):
    """A run in which nothing is amiss, but for the changes."""
    usual = {
        "step": step,
        "trouble": None,
        "task": "classify",
        "chance": LN2,
        "layers": [layer(), layer()],
        "gradients": [0.2, 0.2, 0.3],
        "ratios": [0.003, 0.003, 0.004],
        "records": falling(step),
        "accuracy": {"train": 0.9, "test": 0.9},
    }
    return {**usual, **changes}


def explained(found):
    told = engine("(E, facts) => E.explain(facts)", found, FILES)
    return [told["first"], *told["others"]]


def run_and_explain(text, steps):
    """What is said of a real run of the engine after so many steps."""
    code = """(E, [text, steps]) => {
        const run = new E.Run(E.readSetup(text).setup, {});
        while (run.at < steps && run.step());
        const told = E.explain(E.measure(run, run.units(), run.score()));
        return [told.first, ...told.others];
    }"""
    return engine(code, [text, steps], FILES)


def test_a_run_in_which_nothing_is_amiss_learns():
    assert explained(facts()) == [
        "The network learns: from step 200 to 400 the training loss fell from 0.5 to 0.3."
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": [layer(), layer(), layer(dead=5)]}, "Layer 3: 5 of 8 units silent on all training points."),
        ({"layers": [layer(), layer(dead=8)]}, "Layer 2: all 8 units are silent on all training points. No gradient"),
        ({"layers": [layer(1, dead=1)]}, "Layer 1: its only unit is silent on all training points."),
        (
            {"layers": [layer(dead=8), layer(dead=8), layer(dead=8)]},
            "Layers 1, 2 and 3: all units are silent on all training points.",
        ),
        ({"layers": [layer(alike=True)]}, "Layer 1: all 8 units do the same"),
        ({"layers": [layer(saturated=6)]}, "Layer 1: 6 of 8 units saturated"),
        ({"layers": [layer(saturated=8)], "ratios": [1, 1, 1]}, "Layer 1: all 8 units are saturated"),
        ({"layers": [layer(near=6)]}, "Layer 1: 6 of 8 units nearly silent"),
        ({"gradients": [0, 0, 0]}, "The gradient is exactly zero in every layer"),
        ({"gradients": [1e-6, 1e-4, 1e-2]}, "The gradient fades on its way back: in layer 1 it is 1.0×10⁻⁴ of that"),
        ({"gradients": [500, 20, 1]}, "The gradient grows on its way back: in layer 1 it is 500 times"),
        ({"ratios": [0.001, 0.5, 0.001]}, "The steps are long: one changes the weights of layer 2 by 50 %."),
        ({"ratios": [0.001, 0.001, 0.5]}, "The steps are long: one changes the weights of the last layer by 50 %."),
        ({"ratios": [1e-6, 1e-5, 1e-6]}, "The steps are tiny: none changes a layer's weights by more than 0.001 %."),
        ({"records": falling(400, 0.6932, 0.69)}, "After 400 steps the loss, 0.69, is still that of a guess, 0.69."),
        ({"records": falling(400, 0.5, 0.499)}, "The loss has stayed at 0.5 for 200 steps."),
        ({"records": falling(400, 0.3, 0.4)}, "The training loss rose from 0.35 at step 200 to 0.4."),
        (
            {"records": falling(400, 0.7, 0.05), "accuracy": {"train": 1, "test": 0.95}},
            "Done: all training points are on the right side, and 95 % of the test points.",
        ),
        (
            {
                "task": "regress",
                "chance": 0.3,
                "records": falling(400, 0.3, 0.004),
                "accuracy": {"train": None, "test": None},
            },
            "Done: the curve follows the training points; the loss is 0.004.",
        ),
        ({"trouble": {"step": 7, "why": "After step 7 the loss has exploded."}}, "After step 7 the loss has exploded."),
    ],
)  # fmt: skip
def test_what_stands_out_is_said_first(changes, words):
    first, *_ = explained(facts(**changes))

    assert first.startswith(words)


def test_before_the_first_step_the_loss_is_compared_with_a_guess():
    first, *_ = explained(facts(0, records=[{"step": 0, "train": 0.71, "test": 0.7}]))

    assert first == "Nothing is learned yet: the loss is 0.71, and a guess has 0.69."


def test_overfitting_names_the_step_at_which_the_test_loss_was_lowest():
    records = falling(400, 0.6, 0.1)
    for one in records:
        one["test"] = 0.4 if one["step"] == 150 else 0.5
    records[-1]["test"] = 0.8

    first, *_ = explained(facts(records=records))

    assert (
        first
        == "Overfitting: the training loss is 0.1, the test loss 0.8. At step 150 the test loss was 0.4."
    )


def test_a_test_loss_that_rises_by_a_hair_near_zero_is_no_overfitting():
    records = falling(400, 0.6, 0.002, test=0.015)
    records[-1]["test"] = 0.017

    assert not any("Overfitting" in words for words in explained(facts(records=records)))


def test_a_test_loss_at_its_lowest_is_no_overfitting():
    records = falling(400, 0.6, 0.1, test=0.4)

    assert not any("Overfitting" in words for words in explained(facts(records=records)))


def test_a_silent_layer_comes_before_its_consequences():
    told = explained(
        facts(
            layers=[layer(dead=2), layer(dead=8)],
            gradients=[0, 0, 0.3],
            ratios=[0, 0, 0.004],
            records=falling(400, 0.6932, 0.6931),
        )
    )

    assert told[0].startswith("Layer 2: all 8 units are silent")
    assert told[1].startswith("After 400 steps the loss")
    assert not any("fades" in words or "tiny" in words for words in told)


def test_a_few_silent_units_are_said_after_the_loss():
    told = explained(facts(layers=[layer(dead=1), layer()]))

    assert told[0].startswith("The network learns")
    assert told[1] == "Layer 1: 1 of 8 units silent on all training points."


def test_long_steps_are_blamed_sooner_when_the_loss_jumps():
    records = falling(400)
    records[-1]["train"] = 0.6

    calm = explained(facts(ratios=[0.1, 0.1, 0.1]))
    jumping = explained(facts(ratios=[0.1, 0.1, 0.1], records=records))

    assert not any("steps are long" in words for words in calm)
    assert jumping[0].startswith(
        "The steps are long: one changes the weights of layer 1 by 10 %, and the loss jumps."
    )


@pytest.mark.parametrize(
    ("text", "steps", "words"),
    [
        ("layers.8ReLU*8ReLU*8ReLU~data.moons~rate.3", 300, "silent on all training points"),
        ("data.moons~init.zero~bias.zero", 50, "silent on all training points"),
        ("layers.8Tanh*8Tanh~init.zero~bias.zero~data.moons", 20, "silent on all training points"),
        ("layers.8Sigmoid*8Sigmoid~init.zero~bias.zero~data.moons", 20, "all 8 units do the same"),
        ("~".join(["data.moons", "layers." + "*".join(["8Sigmoid"] * 6)]), 100, "The gradient fades"),
        ("layers.8Tanh*8Tanh~rate.10", 300, "saturated"),
        ("data.moons~rate.0.000001", 60, "The steps are tiny"),
        ("data.sine~method.momentum~rate.3~layers.8none*8none", 60, "the loss has exploded"),
        ("data.moons~layers.8Tanh*8Tanh~method.adam~rate.0.02~noise.0.02", 600, "Done"),
        ("data.moons~layers.8Tanh*8Tanh~method.adam~rate.0.01", 40, "The network learns"),
        ("data.moons", 7, "training loss"),
    ],
)
def test_real_runs_are_explained(text, steps, words):
    told = run_and_explain(text, steps)

    assert words in told[0], told


def test_a_run_off_the_beat_is_judged_by_its_own_step():
    code = """(E, text) => {
        const run = new E.Run(E.readSetup(text).setup, {});
        while (run.at < 7 && run.step());
        return [E.measure(run, run.units(), run.score()).records, run.score()];
    }"""

    records, score = engine(code, "data.moons", FILES)

    assert [one["step"] for one in records] == [0, 7]
    assert records[-1]["train"] == score["train"]["loss"]


def test_what_lies_ahead_of_a_run_that_went_back_is_not_told():
    code = """(E, text) => {
        const run = new E.Run(E.readSetup(text).setup, {});
        const facts = () => E.measure(run, run.units(), run.score());
        run.goTo(50);
        const then = facts();
        run.goTo(300);
        run.goTo(50);
        return [then, facts()];
    }"""

    first, again = engine(code, "data.moons", FILES)

    assert first == again

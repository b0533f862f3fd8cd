"""The presets of the playground: settings under a name, as the text of a link, and what there is to see in them."""

from __future__ import annotations

# An eye: twelve points around six, and six more as a lid.
_EYE = (
    "xEgAALsaIgCiK7EAgAxEAF3bsQBE6iIAO7gAAETl3QBd1E4Af_O7AKIkTgC7Fd0AlVgAAYqpJwF1WScBaqgAAXVW2AGKptgB"
    "Ii0QAke9mQJtPiECks4hArhNmQLd3RAC"
)

PRESETS: dict[str, dict[str, str]] = {
    "circles": {
        "title": "Circles",
        "about": "No straight line parts the inner circle from the outer one. Two layers of tanh close a curve around "
        "it.",
        "setup": "layers.8Tanh*8Tanh~method.adam~rate.0.01",
    },
    "xor": {
        "title": "XOR",
        "about": "Opposite corners belong together: one layer of weights cannot part the classes, four units can.",
        "setup": "data.xor~noise.0.05~layers.4Tanh~method.momentum",
    },
    "gaussians": {
        "title": "Four clouds, no hidden layer",
        "about": "A linear classifier: all borders are straight, and for these clouds they are good enough.",
        "setup": "data.gaussians~noise.0.05~classes.4~layers.0",
    },
    "spirals": {
        "title": "Spirals",
        "about": "Three arms wind around each other. Sixteen tanh units in each of two layers follow them.",
        "setup": "data.spirals~points.300~noise.0.03~classes.3~layers.16Tanh*16Tanh~method.adam~rate.0.01",
    },
    "moons": {
        "title": "Moons",
        "about": "Two half circles reach into each other. First the border is nearly straight, then it bends.",
        "setup": "data.moons~noise.0.05~method.momentum",
    },
    "sine": {
        "title": "Sine (regression)",
        "about": "One number goes in, one comes out: the network learns a curve, by the squared error.",
        "setup": "data.sine~layers.16Tanh*16Tanh~method.adam~rate.0.01",
    },
    "dead-relu": {
        "title": "Dead ReLUs",
        "about": "A learning rate of 3: within a few steps all units of the third layer are silent, for good. "
        "Only the last biases still move.",
        "setup": "data.moons~layers.8ReLU*8ReLU*8ReLU~rate.3",
    },
    "sigmoid-depth": {
        "title": "Six layers of sigmoids",
        "about": "With torch's start the gradient fades on its way back: after thousands of steps the loss is still "
        "that of a guess.",
        "setup": "data.moons~layers.8Sigmoid*8Sigmoid*8Sigmoid*8Sigmoid*8Sigmoid*8Sigmoid",
    },
    "he-depth": {
        "title": "Six layers of ReLU, He's start",
        "about": "As deep as the sigmoids, with a start that keeps the signal's size: this one learns within a hundred "
        "steps.",
        "setup": "data.moons~layers.8ReLU*8ReLU*8ReLU*8ReLU*8ReLU*8ReLU~init.he",
    },
    "zero-start": {
        "title": "All weights zero",
        "about": "Nothing tells the units apart, and no gradient comes through: the weights never leave zero.",
        "setup": "data.moons~init.zero~bias.zero",
    },
    "saturated": {
        "title": "Saturated tanh",
        "about": "A learning rate of 10 drives every unit to an end of tanh, where it is flat: there it stays.",
        "setup": "layers.8Tanh*8Tanh~rate.10",
    },
    "big-rate": {
        "title": "A rate that explodes",
        "about": "Each step goes too far, so the next gradient is larger: after some steps the loss explodes. "
        "The run says so, and a smaller rate helps.",
        "setup": "data.sine~method.momentum~rate.2",
    },
    "one-unit": {
        "title": "One unit",
        "about": "Whatever one unit in the middle learns, the border is one straight line, or none.",
        "setup": "data.xor~noise.0.05~layers.1Tanh~method.adam~rate.0.03",
    },
    "three-units": {
        "title": "Three ReLUs",
        "about": "Three units can cut out a triangle, enough for the inner circle. Not every start finds it.",
        "setup": "layers.3ReLU~method.adam~rate.0.03",
    },
    "sigmoids": {
        "title": "Two layers of sigmoids",
        "about": "From torch's start it guesses for some 2000 steps. Take Tanh for all layers.",
        "setup": "layers.8Sigmoid*8Sigmoid~rate.0.3",
    },
    "deep-relu": {
        "title": "Six layers of ReLU, torch's start",
        "about": "About half of the last layer is silent before the first step. Try He's start.",
        "setup": "layers.8ReLU*8ReLU*8ReLU*8ReLU*8ReLU*8ReLU",
    },
    "twins": {
        "title": "Twins",
        "about": "Eight sigmoids that start alike get the same gradient, so they stay alike: eight do the work of one.",
        "setup": "layers.8Sigmoid~init.zero~bias.zero~method.adam~rate.0.03",
    },
    "long-steps": {
        "title": "Steps that are too long",
        "about": "A rate of 3: soon the second layer is silent on all points, and the loss is that of a guess.",
        "setup": "rate.3",
    },
    "own": {
        "title": "Your own points",
        "about": "An eye to begin with: add points, or clear the map and draw your own.",
        "setup": f"data.own~classes.3~test.0~layers.8Tanh*8Tanh~method.adam~rate.0.01~own.{_EYE}",
    },
}

"""A small reader of the LaTeX that the table of activations displays; not a test itself.

It turns a formula into a function that mpmath evaluates, so that the tests compare what the reader of the book sees
with what the modules compute.
"""

import re
from collections.abc import Callable

import mpmath
import torch
from mpmath import mp
from torch import nn

from labs.activations import ACTIVATIONS

TOKEN = re.compile(
    r"\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\\\|\\[,;! ]|\\[A-Za-z]+(?:_[a-z])?|[A-Za-z](?:_[a-z])?"
    r"|\d+(?:\.\d+)?|[-+/^_{}(),&<>=']"
)
FUNCTIONS = {
    r"\sigma": lambda z: 1 / (1 + mp.exp(-z)),
    r"\Phi": mp.ncdf,
    r"\varphi": mp.npdf,
    r"\tanh": lambda z: mp.sign(z) if abs(z) > 1000 else mp.tanh(z),  # mpmath gives up on e^(1e17)
    r"\ln": mp.log,
    r"\sin": mp.sin,
    r"\cos": mp.cos,
    r"\exp": mp.exp,
    r"\max": max,
    r"\min": min,
}
RELATIONS = {
    "<": mpmath.mpf.__lt__,
    ">": mpmath.mpf.__gt__,
    r"\le": mpmath.mpf.__le__,
    r"\ge": mpmath.mpf.__ge__,
}
ENDS = (r"\end{cases}", r"\end{pmatrix}")
Value = Callable[[dict], mpmath.mpf]


class Latex:
    """Translate a formula into a function of a dictionary of values, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in TOKEN.findall(text) if t not in (r"\,", r"\left", r"\right")]
        skipped = TOKEN.sub("", text).strip()
        assert not skipped, f"unknown LaTeX {skipped!r} in {text!r}"
        self.value = self.sum()
        assert not self.tokens, f"could not read {text!r} from {' '.join(self.tokens)!r} on"

    def __call__(self, **values) -> mpmath.mpf:
        return self.value(values)

    def next_is(self, *options: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in options

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), f"wanted {wanted!r}, found {token!r}"
        return token

    def braced(self) -> Value:
        self.take("{")
        inner = self.sum()
        self.take("}")
        return inner

    def sum(self) -> Value:
        sign = -1 if self.next_is("-") and self.take() else 1
        terms = [(sign, self.product())]
        while self.next_is("+", "-"):
            sign = 1 if self.take() == "+" else -1
            terms.append((sign, self.product()))
        if terms[0][0] == 1 and len(terms) == 1:  # a matrix stands alone
            return terms[0][1]
        return lambda v: sum(sign * term(v) for sign, term in terms)

    def product(self) -> Value:
        factors = [(1, self.power())]
        stops = ("+", "-", ")", "}", ",", "&", "\\\\", r"\rvert", "=", *ENDS, *RELATIONS)
        while self.tokens and not self.next_is(*stops):
            sign = -1 if self.next_is("/") and self.take() else 1
            factors.append((sign, self.power()))
        return lambda v: _multiplied([(sign, factor(v)) for sign, factor in factors])

    def power(self) -> Value:
        base = self.atom()
        if not self.next_is("^"):
            return base
        self.take()
        exponent = self.braced()
        return lambda v: base(v) ** exponent(v)

    def atom(self) -> Value:
        token = self.take()
        if token == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if token == r"\frac":
            top, bottom = self.braced(), self.braced()
            return lambda v: top(v) / bottom(v)
        if token == r"\sqrt":
            inside = self.braced()
            return lambda v: mp.sqrt(inside(v))
        if token == r"\lvert":
            inside = self.sum()
            self.take(r"\rvert")
            return lambda v: abs(inside(v))
        if token == r"\begin{cases}":
            return self.cases()
        if token == r"\begin{pmatrix}":
            return self.matrix()
        if token == r"\sum":
            return self.series()
        if token in ("B", "f") and self.next_is("(", "'"):
            return self.call_derivative(token)
        if token in FUNCTIONS:
            return self.call(FUNCTIONS[token])
        if token[0].isdigit():
            return lambda v: mp.mpf(token)
        if token == "e":
            return lambda v: mp.e
        if token == r"\pi":
            return lambda v: mp.pi
        if token.endswith("_i"):
            return lambda v: v[token][int(v["i"]) - 1]
        return lambda v: v[token]

    def call(self, function: Callable) -> Value:
        exponent = self.take() and int(self.take()) if self.next_is("^") else 1  # \tanh^2(x)
        self.take("(")
        arguments = [self.sum()]
        while self.next_is(","):
            self.take()
            arguments.append(self.sum())
        self.take(")")
        return lambda v: function(*(a(v) for a in arguments)) ** exponent

    def call_derivative(self, name: str) -> Value:
        order = 0
        while self.next_is("'"):
            self.take()
            order += 1
        self.take("(")
        argument = self.sum()
        self.take(")")
        if name == "B":
            return lambda v: cubic_b_spline(argument(v), order)
        return lambda v: v["f"][order](argument(v))

    def series(self) -> Value:
        for token in ("_", "{", "i", "=", "1", "}", "^"):
            self.take(token)
        last, term = self.braced(), self.product()
        return lambda v: mp.fsum(term({**v, "i": i}) for i in range(1, int(last(v)) + 1))

    def cases(self) -> Value:
        rows = []
        while not self.next_is(r"\end{cases}"):
            value = self.sum()
            self.take("&")
            rows.append((value, self.condition()))
            if self.next_is("\\\\"):
                self.take()
        self.take()

        def choose(v: dict) -> mpmath.mpf:
            hits = [value for value, holds in rows if holds(v)]
            assert len(hits) == 1, f"{len(hits)} cases hold at {v}, wanted exactly one"
            return hits[0](v)

        return choose

    def matrix(self) -> Callable[[dict], list]:
        rows = [[self.sum()]]
        while not self.next_is(r"\end{pmatrix}"):
            if self.take() == "&":
                rows[-1].append(self.sum())
            else:
                rows.append([self.sum()])
        self.take()
        return lambda v: [[cell(v) for cell in row] for row in rows]

    def condition(self) -> Callable[[dict], bool]:
        sides, relations = [self.sum()], []
        while self.next_is(*RELATIONS):
            relations.append(RELATIONS[self.take()])
            sides.append(self.sum())

        def holds(v: dict) -> bool:
            values = [mp.mpf(side(v)) for side in sides]
            return all(r(a, b) for r, a, b in zip(relations, values, values[1:], strict=False))

        return holds


def cubic_b_spline(t: mpmath.mpf, order: int) -> mpmath.mpf:
    """Return the cubic B-spline on -2..2, or a derivative of it, as the fourth difference of a truncated cubic."""
    power = 3 - order
    factor = mp.factorial(3) / mp.factorial(power)
    terms = ((-1) ** k * mp.binomial(4, k) * max(t + 2 - k, mp.mpf(0)) ** power for k in range(5))
    return factor / 6 * mp.fsum(terms)


def _multiplied(factors: list) -> mpmath.mpf | list:
    if len(factors) == 1:  # a matrix stands alone
        return factors[0][1]
    return mp.fprod(factor if sign == 1 else 1 / factor for sign, factor in factors)


def symbols_of(name: str, module: nn.Module) -> dict:
    """Return the value of every symbol in the formulas of ``name``, as it is in ``module``."""
    values = {}
    for symbol, where in ACTIVATIONS[name].symbols.items():
        value = getattr(module, where) if isinstance(where, str) else where
        if symbol.endswith("_i"):
            values[symbol] = [mp.mpf(v) for v in value.flatten().tolist()]
        else:
            values[symbol] = mp.mpf(value.item() if isinstance(value, torch.Tensor) else value)
    values.setdefault("n", max((len(v) for v in values.values() if isinstance(v, list)), default=0))
    info = ACTIVATIONS[name]
    f, slope = Latex(info.formula), Latex(info.derivative_formula)  # a formula may refer to f(0) or f'(0)
    values["f"] = (lambda x: f(x=x, **values), lambda x: slope(x=x, **values))
    return values


def evaluate_latex(text: str, name: str, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the displayed formula at every point of ``x``, computed with 40 digits by mpmath.

    A function of two inputs takes the pairs (a, b) from the last dimension of ``x``; its column of partial
    derivatives comes as ``(N, 2, 1)``, its Hessian as ``(N, 2, 2)``.
    """
    formula, values = Latex(text), symbols_of(name, module)
    variables = ("x",) if ACTIVATIONS[name].inputs_per_output == 1 else ("a", "b")
    with mp.workdps(40):
        results = [
            formula(**dict(zip(variables, map(mp.mpf, point), strict=True)), **values)
            for point in x.reshape(-1, len(variables)).tolist()
        ]
        numbers = [
            [[float(cell) for cell in row] for row in r] if isinstance(r, list) else float(r) for r in results
        ]
    return torch.tensor(numbers, dtype=torch.float64)

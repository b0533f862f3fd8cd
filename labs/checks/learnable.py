"""Checks for the exercises of chapter 9, on activations that learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from labs.checks import Feedback, Sheet, is_missing
from labs.networks import SimpleNetwork

_CUT = "detach(), .data, .item(), float(), numpy() and torch.tensor(...) hand on the number and drop the gradient"
_HINTS = {
    "before Module.__init__": "call super().__init__() first in your __init__",
    "unexpected keyword": "look at how the exercise calls the class",
    "positional argument": "look at how the exercise calls the class",
    "Can't call numpy()": "numpy leaves autograd: stay with torch's own operations",
    "polyval": "torch has no polyval: write the powers out, or go from the highest coefficient down (Horner)",
    "in-place": "do not write into the input or into a parameter: make a new tensor, for example with torch.where",
    "must match the size": "give x a last dimension of length one, x[..., None], so that it meets all terms, and sum over it",
}


def prelu(make: Callable[[], nn.Module]) -> Feedback:
    """Exercise 1: a PReLU whose slope learns, starting at 0.25."""

    def judge(sheet: Sheet, module: nn.Module) -> None:
        (slope,) = _learned(module)
        if not math.isclose(slope.item(), 0.25):
            sheet.wrong(f"the slope starts at {slope.item():.3g}", "start at 0.25, as PyTorch does")
        mistakes = {
            "the slope acts on the positive side": (lambda x, a: torch.where(x > 0, a * x, x), "positive numbers pass unchanged; the slope is for the negative ones"),
            "right only while the slope is at most 1": (lambda x, a: torch.maximum(x, a * x), "for a slope of 3, max(x, 3x) picks the wrong one on both sides, and a shared slope does get there (exercise 6): ask for the sign of x"),
            "this multiplies everything by the slope": (lambda x, a: a * x, "a straight line; where does the sign of x come in?"),
            "this rises to the left": (lambda x, a: x.relu() + a * (-x).relu(), "relu(-x) is positive where x is negative: the sign is lost, subtract instead"),
            "left of zero this is the slope itself": (lambda x, a: torch.where(x > 0, x, a), "multiply the slope by x"),
            "the learned number is not used": (lambda x, a: torch.where(x > 0, x, 0.25 * x), "the 0.25 is only where it starts: use the parameter in forward"),
            "this is a ReLU": (lambda x, a: x.relu() + 0 * a, "negative numbers come out multiplied by the slope, not as zero"),
        }  # fmt: skip
        x = torch.tensor([-2.0, -1.0, -0.5, 0.0, 0.5, 3.0])
        right = lambda x, a: torch.where(x > 0, x, a * x)  # noqa: E731
        if _same_values(sheet, module, x, right, mistakes, "wanted x for x > 0 and slope * x elsewhere"):
            sheet.right("right for slopes of 0.25, −0.5 and 3")
            _same_gradients(
                sheet,
                module,
                x,
                right,
                "its gradient is the sum of (upstream gradient * x) over the negative x",
            )

    return _judged(make, (), {"the slope": 1}, judge)


def trainable_elu(make: Callable[[], nn.Module]) -> Feedback:
    """Exercise 2: an ELU whose alpha learns, starting at 1, with finite gradients everywhere."""

    def judge(sheet: Sheet, module: nn.Module) -> None:
        (alpha,) = _learned(module)
        if not math.isclose(alpha.item(), 1.0):
            sheet.wrong(f"alpha starts at {alpha.item():.3g}", "start at 1, where it is a plain ELU")
        mistakes = {
            "alpha acts on the positive side too": (lambda x, a: a * F.elu(x), "positive numbers pass unchanged"),
            "left of zero this is a straight line": (lambda x, a: torch.where(x > 0, x, a * x), "that is a PReLU; here it is alpha * (e^x - 1)"),
            "this jumps at zero": (lambda x, a: torch.where(x > 0, x, a * x.exp()), "left of zero it is alpha * (e^x - 1): the 1 makes both sides meet"),
            "alpha stands inside the exponential": (lambda x, a: torch.where(x > 0, x, torch.expm1(a * x)), "alpha multiplies e^x - 1 from outside"),
            "left of zero nothing is left": (lambda x, a: x.relu() + 0 * a, "clamp(min=0) keeps the positive numbers; the exponential needs the negative ones, clamp(max=0)"),
            "the learned number is not used": (lambda x, a: F.elu(x) + 0 * a, "use the parameter in forward"),
        }  # fmt: skip
        x = torch.tensor([-3.0, -1.0, -0.25, 0.5, 2.0])
        right = lambda x, a: torch.where(x > 0, x, a * torch.expm1(x.clamp(max=0)))  # noqa: E731
        if not _same_values(
            sheet, module, x, right, mistakes, "wanted x for x > 0 and alpha * (e^x - 1) elsewhere"
        ):
            return
        sheet.right("right for an alpha of 0.25, −0.5 and 3")
        if not _same_gradients(
            sheet,
            module,
            x,
            right,
            "its gradient is the sum of (upstream gradient * (e^x - 1)) over the negative x",
        ):
            return
        far = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4])
        y, for_x, for_parameters = _backward(module, far, torch.ones_like(far))
        if not y.isfinite().all():
            sheet.wrong(
                f"far out this gives {_short(y)}",
                "e^x overflows beyond 88 in float32: see that it only meets numbers up to zero",
            )
        elif not (for_x.isfinite().all() and all(g.isfinite().all() for g in for_parameters)):
            sheet.wrong(
                "the value at x = 100 is right, the gradient is nan",
                "where() computes both branches, and backward multiplies the branch not taken by zero: 0 * inf. Clamp x *before* the exponential",
            )
        else:
            sheet.right("value and gradient are finite from −10,000 to 10,000")

    return _judged(make, (), {"alpha": 1}, judge)


def staf(make: Callable[[int], nn.Module]) -> Feedback:
    """Exercise 3: a sum of tau sines with parameters C, omega and phi, without a loop."""

    def judge(sheet: Sheet, module: nn.Module) -> None:
        named = dict(module.named_parameters())
        C, omega, phi = (named[name] for name in ("C", "omega", "phi"))
        terms = {
            (round(a, 6), round(b, 6))
            for a, b in zip(omega.flatten().tolist(), phi.flatten().tolist(), strict=True)
        }
        if len(terms) == 1:
            sheet.wrong(
                "all sines start alike",
                "equal terms get equal gradients and stay equal for ever: start at random",
            )
            return
        with torch.no_grad():
            for p in (C, omega, phi):
                p.copy_(
                    torch.linspace(-1.3, 1.7, p.numel())[
                        torch.randperm(p.numel(), generator=_generator())
                    ].reshape(p.shape)
                )
        x = torch.linspace(-2, 2, 24).reshape(2, 3, 4)

        def of(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
            return lambda x, C, omega, phi: term(
                x[..., None], C.flatten(), omega.flatten(), phi.flatten()
            ).sum(-1)

        right = of(lambda x, C, w, p: C * torch.sin(w * x + p))
        mistakes = {
            "the phase is stretched with the input": (of(lambda x, C, w, p: C * torch.sin(w * (x + p))), "it is omega * x + phi, not omega * (x + phi)"),
            "these are cosines": (of(lambda x, C, w, p: C * torch.cos(w * x + p)), "the formula has sines (with a phase, cosines would do as well, but then phi means something else)"),
            "the amplitudes are missing": (of(lambda x, C, w, p: torch.sin(w * x + p)), "multiply each sine by its C"),
            "the frequencies are missing": (of(lambda x, C, w, p: C * torch.sin(x + p)), "multiply x by omega inside the sine"),
            "the phases are missing": (of(lambda x, C, w, p: C * torch.sin(w * x)), "add phi inside the sine"),
            "the amplitude stands inside the sine": (of(lambda x, C, w, p: torch.sin(C * (w * x + p))), "C multiplies the sine from outside"),
            "this is the mean of the terms": (of(lambda x, C, w, p: C * torch.sin(w * x + p) / len(C)), "the formula has a sum"),
        }  # fmt: skip
        y = _forward(sheet, module, x)
        if y is None:
            return
        if not _close(y, right(x, C, omega, phi)):
            _name_mistake(
                sheet,
                {name: (f(x, C, omega, phi), hint) for name, (f, hint) in mistakes.items()},
                y,
                "compare with the formula for tau = 1 by hand",
            )
            return
        sheet.right("the sum of the sines, for an input of any shape")
        if not _same_gradients(
            sheet, module, x, right, "let autograd do it: no detach, no numbers taken out"
        ):
            return
        calls = [_calls(make(tau), x) for tau in (3, 30)]
        if calls[1] > calls[0]:
            sheet.wrong(
                f"{calls[0]} steps of torch for 3 sines, {calls[1]} for 30: this is a loop",
                "all terms fit into one tensor: x[..., None] has shape (..., 1) and meets omega of shape (tau,)",
            )
        else:
            sheet.right("as many steps of torch for 30 sines as for 3")

    return _judged(make, (5,), {"C": 5, "omega": 5, "phi": 5}, judge, by_name=True)


def series(make: Callable[[int], nn.Module]) -> Feedback:
    """Exercise 4: a spline or a Fourier sum whose coefficients, and whose input, really get a gradient."""

    def judge(sheet: Sheet, module: nn.Module) -> None:
        module = module.double()
        _disturb(module)
        x = torch.linspace(-3, 3, 601, dtype=torch.float64) + 1e-3 * math.sqrt(2)  # beside any knot
        if _forward(sheet, module, x) is None:
            return
        y, for_x, _ = _backward(module, x, torch.ones_like(x))
        if for_x is None:
            sheet.wrong(
                "no gradient reaches x",
                f"then every layer below stands still, and backward() does not complain: {_CUT}",
            )
            return
        if not for_x.any():
            sheet.wrong(
                "the gradient for x is zero everywhere",
                "a table of steps has no slope: let neighbours overlap, as hats or bumps do",
            )
            return
        if _jumps(module, x, y):
            sheet.wrong(
                "the function jumps",
                "neighbouring pieces have to meet: hats or bumps that overlap do so by themselves",
            )
            return
        with torch.no_grad():
            rise = (module(x + 1e-6) - module(x - 1e-6)) / 2e-6
        if not _close(for_x, rise, 1e-4):
            sheet.wrong(
                "the gradient for x is not the slope of what comes out",
                f"a part of the way back is cut: {_CUT}",
            )
            return
        sheet.right("x gets the slope of the function: the layers below learn")
        rows = _coefficient_gradients(module, x)
        measured = _coefficient_slopes(module, x)
        if rows is None or not _close(rows, measured, 1e-4):
            sheet.wrong(
                "the coefficients do not get the gradient of what they do",
                f"the way from a coefficient to the output has to stay in torch: {_CUT}",
            )
            return
        silent = int((rows.abs().amax(dim=1) < 1e-9).sum())
        rank = int(torch.linalg.matrix_rank(rows, rtol=1e-6))
        if silent:
            sheet.wrong(
                f"{silent} of {len(rows)} numbers change nothing between −3 and 3",
                "place the knots, or choose the frequencies, so that each has a say there",
            )
        elif rank == 1:
            sheet.wrong(
                "all coefficients get the same gradient, up to a factor",
                "their mean is not a spline: each one has to multiply a function of x of its own",
            )
        elif rank < min(3, len(rows)):
            sheet.wrong(
                f"only {rank} of {len(rows)} directions change the function",
                "give each coefficient a basis function of its own",
            )
        else:
            sheet.right(f"{len(rows)} numbers learn, each through a function of its own")
        far = module(torch.tensor([-1e4, -4.0, 4.0, 1e4], dtype=torch.float64))
        if not far.isfinite().all():
            sheet.wrong(
                f"outside the knots this gives {_short(far)}",
                "inputs do not stay between −3 and 3: go on with a straight line, or with the value at the end",
            )
        else:
            sheet.right("finite far outside as well")

    return _judged(make, (8,), {"coefficients": None}, judge, by_name=True)


def rational(make: Callable[[], nn.Module]) -> Feedback:
    """Exercise 5: a quotient of two polynomials whose denominator is at least 1 whatever is learned."""

    def judge(sheet: Sheet, module: nn.Module) -> None:
        if not callable(getattr(module, "denominator", None)):
            sheet.wrong(
                "there is no method denominator",
                "write denominator(self, x) beside forward, so that its values can be looked at",
            )
            return
        x, generator = torch.linspace(-10, 10, 2001), _generator()
        _, _, start = _backward(module, x / 5, torch.ones_like(x))
        stuck = [name for (name, _), g in zip(module.named_parameters(), start, strict=True) if not g.any()]
        module, x = module.double(), x.double()
        lowest, frozen, trials = math.inf, 0, 60
        for scale in torch.logspace(-1, 1, trials).tolist():
            _draw(module, scale, generator)
            q = sheet.call(module.denominator, x)
            if not isinstance(q, Tensor) or q.shape != x.shape:
                sheet.wrong(
                    "denominator(x) does not give one number for each x",
                    "it is Q(x), the polynomial below the line",
                )
                return
            lowest = min(lowest, q.min().item())
            below = (
                torch.autograd.grad(q.sum(), _learned(module), allow_unused=True) if q.requires_grad else []
            )
            at_one = (
                torch.autograd.grad(
                    module.denominator(x[1310:1311]).sum(), _learned(module), allow_unused=True
                )
                if q.requires_grad
                else []
            )
            if not any(g is not None and g.any() for g in below):
                if not _note_lookalike(sheet, module):
                    sheet.wrong(
                        "the denominator does not learn",
                        f"make its coefficients parameters, and keep them in torch: {_CUT}",
                    )
                return
            frozen += not any(g is not None and g.any() for g in at_one)
        if lowest <= 0:
            sheet.wrong(
                f"the denominator can become {lowest:.3g}: on its way from 1 it meets zero, a pole",
                "a coefficient may learn to be negative, and |x| in place of x does not help: take the absolute value of the whole polynomial, or squares, and add 1",
            )
            return
        if lowest < 1 - 1e-9:
            sheet.wrong(
                f"the denominator can become {lowest:.2g}",
                "no pole, but a division by almost nothing: add 1 to what cannot be negative",
            )
            return
        sheet.right("the denominator is at least 1, with sixty random sets of numbers")
        if frozen > trials / 5:
            sheet.wrong(
                f"in {frozen} of {trials} cases the denominator gets no gradient at x = 3.1",
                "clamp() and max() are flat where they cut: add 1 to an absolute value or to squares instead",
            )
            return
        for name in stuck:
            sheet.wrong(
                f"{name} starts where its gradient is zero, and stays there",
                "|0| and 0² have no slope: start a little away from zero",
            )
        if stuck or not _is_quotient(sheet, module, x):
            return
        sheet.right("forward is a polynomial over this denominator")
        _same_slope_as_measured(sheet, module, x)

    return _judged(make, (), {}, judge)


def distinct_slopes(function: Callable[[nn.Module], Sequence[float]]) -> Feedback:
    """Exercise 6: the learned slopes of a network with PReLUs, each number once."""
    sheet = Sheet()
    own = _with_slopes([0.1, 0.2, 0.3, 2.0], share_activation=False)
    if is_missing(function) or _quietly(function, own) in (None, ...):
        return sheet.not_yet()
    shared, small = _with_slopes([2.5], share_activation=True), _with_slopes([0.7], hidden_features=(1,))
    cases = (
        ("one slope per layer", own, [0.1, 0.2, 0.3, 2.0]),
        ("one slope for the whole network", shared, [2.5]),
        ("a network so small that a weight is a single number", small, [0.7]),
        ("a network without PReLU has none", _with_slopes([], "ReLU"), []),
    )  # fmt: skip
    for promise, model, wanted in cases:
        before = [p.detach().clone() for p in model.parameters()]
        given = _numbers(sheet.call(function, model))
        if any(not torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True)):
            sheet.wrong("the network has changed", "only look at it")
        elif (
            given is not None
            and len(given) == len(wanted)
            and all(abs(g - w) < 1e-6 for g, w in zip(given, wanted, strict=True))
        ):
            sheet.right(promise)
        else:
            sheet.wrong(f"{promise}: wanted {wanted}, got {given}", _slope_hint(given, wanted))
            break
    return sheet.hand_back()


# --- what the checks have in common


def _judged(
    make: Callable[..., nn.Module],
    arguments: tuple,
    wanted: dict[str, int | None],
    judge: Callable[[Sheet, nn.Module], None],
    *,
    by_name: bool = False,
) -> Feedback:
    """Build the module, see that what should learn does, and let ``judge`` look at the rest."""
    sheet = Sheet()
    if is_missing(make) or _is_empty(make):
        return sheet.not_yet()
    if isinstance(make, nn.Module):
        sheet.wrong(
            "this is a finished module",
            "give the class itself, without brackets, so that the check can build it",
        )
        return sheet.hand_back()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            module = make(*arguments)
            if is_missing(module):
                return sheet.not_yet()
            if not isinstance(module, nn.Module):
                sheet.wrong(
                    f"this makes a {type(module).__name__}, not a module", "begin with class ...(nn.Module):"
                )
            elif _learns(sheet, module, wanted, by_name):
                judge(sheet, module)
        except Exception as error:  # whatever a student's code does, the check answers
            _note_error(sheet, make, error)
    return sheet.hand_back()


def _is_empty(make: object) -> bool:
    """Whether ``make`` is a class in which nothing is written yet."""
    return isinstance(make, type) and issubclass(make, nn.Module) and make.forward is nn.Module.forward


def _note_error(sheet: Sheet, make: object, error: Exception) -> None:
    text = str(error).splitlines()[0] if str(error) else ""
    hint = next(
        (hint for part, hint in _HINTS.items() if part in str(error)), "try it yourself on a small tensor"
    )
    sheet.wrong(
        f"{getattr(make, '__name__', 'your class')} stopped with {type(error).__name__}: {text}", hint
    )


def _forward(sheet: Sheet, module: nn.Module, x: Tensor) -> Tensor | None:
    """Return what ``module`` makes of ``x``, or ``None`` after a finding."""
    given = x.clone()
    y = module(given)
    if not torch.equal(given, x):
        sheet.wrong(
            "forward writes into its input", "the layer below still needs these numbers: make a new tensor"
        )
    elif not isinstance(y, Tensor):
        sheet.wrong(
            "forward returns nothing" if is_missing(y) else f"forward returns a {type(y).__name__}",
            "end it with `return` and a tensor",
        )
    elif y.shape != x.shape:
        sheet.wrong(
            f"an input of shape {tuple(x.shape)} comes out as {tuple(y.shape)}",
            "an activation keeps the shape: sum over the dimension of the terms, .sum(-1)",
        )
    else:
        return y
    return None


def _learns(sheet: Sheet, module: nn.Module, wanted: dict[str, int | None], by_name: bool) -> bool:
    """Note whether the module has the parameters it should have, or in which of the known ways it has not."""
    before = {name: id(p) for name, p in module.named_parameters()}
    x = torch.linspace(-2, 2, 6)
    y = _forward(sheet, module, x)
    if {name: id(p) for name, p in module.named_parameters()} != before:
        sheet.wrong(
            "a parameter is made in forward",
            "each call then starts anew, and an optimiser built before never meets it: make it in __init__",
        )
        return False
    if y is None:
        return False
    learned = dict(module.named_parameters())
    missing = [name for name in wanted if name not in learned] if by_name else list(wanted)[len(learned) :]
    if missing or not learned:
        _note_why_not(sheet, module, missing or ["the coefficients"], by_name)
        return False
    for name, p in learned.items():
        if not p.requires_grad:
            sheet.wrong(
                f"{name} has requires_grad=False",
                "then no gradient is computed for it: leave it at the default",
            )
            return False
        if by_name and wanted.get(name) not in (None, p.numel()):
            _note_count(sheet, name, p.numel(), wanted[name])
            return False
    total = sum(p.numel() for p in learned.values())
    if None not in wanted.values() and wanted and total != sum(wanted.values()):
        sheet.wrong(
            f"{total} numbers learn, wanted {sum(wanted.values())}", f"one for each of: {', '.join(wanted)}"
        )
        return False
    if not y.requires_grad:
        sheet.wrong("no gradient comes back from the output", f"the parameter is there, but cut off: {_CUT}")
        return False
    grads = torch.autograd.grad(y.sum(), list(learned.values()), allow_unused=True)
    for name, gradient in zip(learned, grads, strict=True):
        if gradient is None:
            sheet.wrong(f"no gradient reaches {name}", f"use it in forward as it is: {_CUT}")
            return False
    sheet.right(f"{total} number{'s learn' if total > 1 else ' learns'} with the weights")
    return True


def _note_why_not(sheet: Sheet, module: nn.Module, missing: Sequence[str], by_name: bool) -> None:
    """Say why a number is not among the parameters."""
    if _note_lookalike(sheet, module, missing if by_name else None):
        return
    names = ", ".join(name for name, _ in module.named_parameters())
    found = f"the parameters are called {names}" if names else "parameters() is empty"
    sheet.wrong(
        f"{' and '.join(missing)}: nothing of it learns ({found})",
        "make it in __init__ as self.… = nn.Parameter(...)",
    )


def _note_lookalike(sheet: Sheet, module: nn.Module, names: Sequence[str] | None = None) -> bool:
    """Note the first attribute that only looks like a parameter; ``names`` are those to suspect, ``None`` is all."""
    plain = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    for name, value in plain.items():
        inside = list(value.values()) if isinstance(value, dict) else value
        if isinstance(inside, (list, tuple)) and any(isinstance(one, nn.Parameter) for one in inside):
            sheet.wrong(
                f"{name} is a Python {type(value).__name__} of parameters, and nn.Module does not look inside",
                "use nn.ParameterList, or better one nn.Parameter with all the numbers",
            )
            return True
    for name, _ in module.named_buffers():
        if names is None or name in names:
            sheet.wrong(
                f"{name} is a buffer: it is saved with the model, and not trained", "use nn.Parameter"
            )
            return True
    for name, value in plain.items():
        if isinstance(value, Tensor) and (names is None or name in names):
            sheet.wrong(
                f"{name} is a plain tensor: it is not in parameters(), so the optimiser never sees it",
                "wrap it: nn.Parameter(...); requires_grad=True alone is not enough",
            )
            return True
    return False


def _note_count(sheet: Sheet, name: str, given: int, wanted: int) -> None:
    meaning = {"phi": "phase", "omega": "frequency", "C": "amplitude"}.get(name, "number")
    if given == 1:
        sheet.wrong(
            f"one {meaning} is shared by all {wanted} sines",
            f"each sine has its own: {name} has the shape (tau,)",
        )
    else:
        sheet.wrong(f"{name} has {given} numbers, wanted tau = {wanted}", f"one {meaning} per sine")


def _same_values(
    sheet: Sheet,
    module: nn.Module,
    x: Tensor,
    right: Callable[[Tensor, Tensor], Tensor],
    mistakes: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]],
    formula: str,
) -> bool:
    """Compare at three values of the one parameter; afterwards it stands at the last one."""
    (p,) = _learned(module)
    values = torch.tensor([0.25, -0.5, 3.0])
    given = []
    for value in values:
        with torch.no_grad():
            p.fill_(value)
        y = _forward(sheet, module, x)
        if y is None:
            return False
        given.append(y.detach())
    if _close(torch.stack(given), torch.stack([right(x, value) for value in values])):
        return True
    tried = {name: (torch.stack([f(x, v) for v in values]), hint) for name, (f, hint) in mistakes.items()}
    _name_mistake(
        sheet,
        tried,
        torch.stack(given),
        f"{formula}; at {x[0].item():g} with 3 this gives {given[-1][0].item():.4g}",
    )
    return False


def _name_mistake(
    sheet: Sheet, mistakes: dict[str, tuple[Tensor, str]], given: Tensor, otherwise: str
) -> None:
    for finding, (values, hint) in mistakes.items():
        if _close(given, values.expand(given.shape)):
            sheet.wrong(finding, hint)
            return
    sheet.wrong("the values are not those of the formula", otherwise)


def _same_gradients(
    sheet: Sheet, module: nn.Module, x: Tensor, right: Callable[..., Tensor], hint: str
) -> bool:
    """Compare what backward gives, for x and for every parameter, with autograd through ``right``."""
    upstream = torch.linspace(-1, 1.5, x.numel()).reshape(x.shape)
    _, for_x, for_parameters = _backward(module, x, upstream)
    leaf = x.clone().requires_grad_()
    wanted = torch.autograd.grad((right(leaf, *_learned(module)) * upstream).sum(), [leaf, *_learned(module)])
    names = [name for name, _ in module.named_parameters()]
    for name, given, good in zip(names, for_parameters, wanted[1:], strict=True):
        if not _close(given, good, 1e-4):
            sheet.wrong(f"the gradient of {name} is {_short(given)}, wanted {_short(good)}", hint)
            return False
    smooth = x != 0  # at a kink each side has its own slope
    if for_x is None or not _close(for_x[smooth], wanted[0][smooth], 1e-4):
        sheet.wrong(
            "the gradient for the layer below is not right", f"x has to stay in the computation: {_CUT}"
        )
        return False
    sheet.right("the gradients are right, for the learned numbers and for x")
    return True


def _backward(module: nn.Module, x: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor | None, list[Tensor]]:
    """Return the output, and the gradients for x and for the parameters (zero where there is none)."""
    leaf = x.clone().requires_grad_()
    y, learned = module(leaf), _learned(module)
    for_x, *others = torch.autograd.grad((y * upstream).sum(), [leaf, *learned], allow_unused=True)
    return (
        y.detach(),
        for_x,
        [torch.zeros_like(p) if g is None else g for p, g in zip(learned, others, strict=True)],
    )


def _coefficient_gradients(module: nn.Module, x: Tensor) -> Tensor | None:
    """Return one row per learned number: by how much each output grows with it, as autograd has it."""
    columns = []
    for point in x[::10]:
        grads = torch.autograd.grad(module(point[None]).sum(), _learned(module), allow_unused=True)
        if any(g is None for g in grads):
            return None
        columns.append(torch.cat([g.flatten() for g in grads]))
    return torch.stack(columns, 1)


@torch.no_grad()
def _coefficient_slopes(module: nn.Module, x: Tensor) -> Tensor:
    """Return the same, measured by moving each number a little."""
    rows = []
    for p in _learned(module):
        flat = p.view(-1)
        for i in range(len(flat)):
            value, ends = flat[i].item(), []
            for step in (1e-6, -1e-6):
                flat[i] = value + step
                ends.append(module(x[::10]))
            flat[i] = value
            rows.append((ends[0] - ends[1]) / 2e-6)
    return torch.stack(rows)


@torch.no_grad()
def _jumps(module: nn.Module, x: Tensor, y: Tensor) -> bool:
    """Whether the largest rise from one point to the next does not go away when it is looked at more closely."""
    at = int(y.diff().abs().argmax())
    closer = module(torch.linspace(x[at].item(), x[at + 1].item(), 1000, dtype=x.dtype))
    return bool(closer.diff().abs().max() > 0.5 * y.diff().abs().max())


def _is_quotient(sheet: Sheet, module: nn.Module, x: Tensor) -> bool:
    """Note whether ``forward`` times ``denominator`` is a polynomial."""
    z = x[::20] / 10
    y = _forward(sheet, module, z)
    if y is None:
        return False
    above = (y * module.denominator(z)).detach()
    powers = torch.stack([z**i for i in range(9)], 1)
    rest = above - powers @ torch.linalg.lstsq(powers, above[:, None]).solution[:, 0]
    if rest.abs().max() > 1e-6 * (1 + above.abs().max()):
        sheet.wrong(
            "forward(x) * denominator(x) is not a polynomial",
            "divide P(x) by exactly what denominator(x) returns",
        )
        return False
    if above.std() < 1e-9 * above.abs().max():
        sheet.wrong("the numerator is a constant", "P(x) has powers of x too")
        return False
    return True


def _same_slope_as_measured(sheet: Sheet, module: nn.Module, x: Tensor) -> None:
    z = x[::20] + 1e-3 * math.sqrt(2)
    _, for_x, for_parameters = _backward(module, z, torch.ones_like(z))
    with torch.no_grad():
        rise = (module(z + 1e-6) - module(z - 1e-6)) / 2e-6
    if for_x is None or not _close(for_x, rise, 1e-3):
        sheet.wrong(
            "the gradient for x is not the slope of what comes out",
            f"x has to stay in the computation: {_CUT}",
        )
    elif not all(g.any() for g in for_parameters):
        sheet.wrong("some coefficient gets no gradient", f"use each of them in forward: {_CUT}")
    else:
        sheet.right("x and all coefficients get their gradient")


def _slope_hint(given: list[float] | None, wanted: list[float]) -> str:
    if given is None:
        return "give a list of numbers, such as [0.25, 0.25]"
    if len(wanted) == 1 and len(given) > 1 and len(set(given)) == 1:
        return "one module in four places is one number: modules() gives each module once, a loop over the names does not"
    if given and wanted and given[0] == 0.25:
        return "0.25 is where they start: read the weight that the module has now"
    if len(given) == 1 < len(wanted):
        return "this is the slope of one layer; go through all of them"
    if len(given) > len(wanted):
        return "there are numbers of other layers among them: ask each module whether it is an nn.PReLU"
    return "go through model.modules() and take the weight of each nn.PReLU"


def _with_slopes(
    slopes: Sequence[float],
    activation: str = "PReLU",
    *,
    share_activation: bool = False,
    hidden_features: Sequence[int] = (5, 4, 4, 3),
) -> SimpleNetwork:
    size = {"in_features": 1, "hidden_features": hidden_features, "out_features": 1}
    with torch.random.fork_rng(devices=[]):
        model = SimpleNetwork(activation, share_activation=share_activation, **size)
    found = [module for module in model.modules() if isinstance(module, nn.PReLU)]
    for module, value in zip(found, slopes, strict=True):
        nn.init.constant_(module.weight, value)
    return model


def _numbers(values: object) -> list[float] | None:
    try:
        return [round(float(v.detach() if isinstance(v, Tensor) else v), 6) for v in values]  # type: ignore[union-attr]
    except (TypeError, ValueError, RuntimeError):
        return None


def _quietly(function: Callable, *arguments: object) -> object:
    try:
        result = function(*arguments)
    except Exception:
        return "raised"
    return "a tensor" if isinstance(result, Tensor) else result


class _Counter(TorchFunctionMode):
    calls = 0

    def __torch_function__(self, function, types, arguments=(), settings=None):
        self.calls += 1
        return function(*arguments, **(settings or {}))


def _calls(module: nn.Module, x: Tensor) -> int:
    """Return how many operations of torch one forward pass takes."""
    with torch.no_grad(), _Counter() as counter:
        module(x)
    return counter.calls


def _learned(module: nn.Module) -> list[nn.Parameter]:
    return list(module.parameters())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@torch.no_grad()
def _draw(module: nn.Module, scale: float, generator: torch.Generator) -> None:
    for p in _learned(module):
        p.copy_(scale * torch.randn(p.shape, generator=generator, dtype=p.dtype))


@torch.no_grad()
def _disturb(module: nn.Module) -> None:
    """Move every parameter a little: what is zero at the start may have a gradient of zero only there."""
    generator = _generator()
    for p in _learned(module):
        p.add_(0.1 * torch.randn(p.shape, generator=generator, dtype=p.dtype))


def _close(given: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> bool:
    return given.shape == wanted.shape and torch.allclose(
        given.to(wanted), wanted, rtol=tolerance, atol=tolerance
    )


def _short(values: Tensor) -> list[float]:
    return [float(f"{v:.3g}") for v in values.detach().flatten()[:6].tolist()]

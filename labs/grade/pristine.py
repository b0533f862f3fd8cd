"""Checks as the book has them, whatever a submission has changed in the interpreter it shares with them."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

_PACKAGE, _ANSWERS = "labs.checks", "labs.checks.answers"
# What the checks lean on, beside themselves.
_ROOTS = {
    "builtins",
    "math",
    "itertools",
    "operator",
    "functools",
    "statistics",
    "numpy",
    "scipy",
    "torch",
    "labs",
}
# Others patch themselves: the first optimiser of a kind gives its class another ``step``.
_CLASSES_OF = ("labs.", "torch._tensor", "torch.nn.modules.module")
_KINDS = (FunctionType, BuiltinFunctionType, type, property, staticmethod, classmethod)


class Pristine:
    """Remembers the functions of the libraries and the code of the checks; made before a submission runs.

    Args:
        topic: the module in :mod:`labs.checks`.

    Example:
        >>> checks = Pristine("dead_neurons")
        >>> from labs.checks import dead_neurons
        >>> released, dead_neurons.dead_mask = dead_neurons.dead_mask, print
        >>> checks.fresh().dead_mask is print
        False
        >>> dead_neurons.dead_mask = released
    """

    def __init__(self, topic: str) -> None:
        self._topic = f"{_PACKAGE}.{topic}"
        __import__(self._topic)
        self._codes: dict[str, CodeType] = {}
        for name in (_PACKAGE, _ANSWERS, self._topic):
            if name in sys.modules:
                path = sys.modules[name].__file__
                with open(path, encoding="utf-8") as file:  # type: ignore[arg-type]
                    self._codes[name] = compile(file.read(), path, "exec")  # type: ignore[arg-type]
        self._builtins, self._live = dict(vars(builtins)), vars(builtins)
        self._places = [(owner, name, value) for owner, name, value in _functions()]
        self._functions = {id(v): v for _, _, v in self._places if isinstance(v, FunctionType)}
        self._bodies = [(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in self._functions.values()]

    def put_back(self) -> list[str]:
        """Put back every function and class of the libraries that was replaced or got another body.

        Returns:
            What was put back, like ``"torch.allclose"``.
        """
        found = []
        for owner, name, value in self._places:
            current = _attribute(owner, name)
            if current is not value:
                setattr(owner, name, value)
                # torch wraps a function of its own when its compiler is loaded: no student has to hear of that.
                if type(current) is not FunctionType or _attribute(current, "__wrapped__") is not value:
                    found.append(f"{owner.__name__}.{name}")
        for function, *body in self._bodies:
            if [function.__code__, function.__defaults__, function.__kwdefaults__] != body:
                function.__code__, function.__defaults__, function.__kwdefaults__ = body
                found.append(f"{function.__module__}.{function.__qualname__}")
        return found

    def put_back_builtins(self) -> None:
        """Put back the functions of Python itself, on which the grader's very next line may depend."""
        self._live.update(self._builtins)

    def fresh(self) -> ModuleType:
        """Return the module of the checks, run anew from its source; also what an import now finds.

        The modules below it are new as well, so neither a changed list of answers nor a changed ``Feedback`` lasts.
        """
        for name, code in self._codes.items():
            module = ModuleType(name)
            module.__file__, module.__package__ = code.co_filename, name.rpartition(".")[0]
            if name == _PACKAGE:
                module.__package__, module.__path__ = (
                    name,
                    list(_attribute(sys.modules[name], "__path__") or ()),
                )
            # A copy: a module of its own would look its names up in what the submission made of them.
            vars(module)["__builtins__"] = dict(self._builtins)
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)
            exec(code, vars(module))
        return sys.modules[self._topic]

    def is_passed(self, feedback: Any) -> bool:
        """Return whether what a check returned is a genuine :class:`labs.checks.Feedback` that says so.

        Args:
            feedback: what the check returned.
        """
        return type(feedback) is sys.modules[_PACKAGE].Feedback and feedback.passed is True


def _attribute(owner: Any, name: str) -> Any:
    return vars(owner).get(name)


def _functions() -> Iterator[tuple[Any, str, Any]]:
    """Yield owner, name and value for the functions and classes of modules, and for the methods of some classes."""
    classes = {}
    for module_name, module in list(sys.modules.items()):
        root = module_name.partition(".")[0]
        if root not in _ROOTS or not isinstance(module, ModuleType) or module_name.startswith(_PACKAGE):
            continue
        for name, value in list(vars(module).items()):
            if issubclass(type(value), _KINDS):  # not isinstance: some objects warn when asked
                yield module, name, value
                if issubclass(type(value), type) and str(value.__module__).startswith(_CLASSES_OF):
                    classes[id(value)] = value
    for owner in classes.values():
        for name, value in list(vars(owner).items()):
            if issubclass(type(value), _KINDS):
                yield owner, name, value

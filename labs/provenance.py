"""Tell whether the code behind a number is still the same code."""

from __future__ import annotations

import ast
import hashlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType


def code_hash(function: Callable | ModuleType) -> str:
    """Return the SHA-256 of what a function, class or module does: its code without comments and docstrings.

    The syntax tree is hashed, so that layout does not count, and in a form that Python 3.10 to 3.13 agree on.

    Args:
        function: a function, class or module with Python source.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: there is no Python source.

    Example:
        >>> code_hash(code_hash) == code_hash(code_hash), code_hash(code_hash) == code_hash(qualified_name)
        (True, False)
    """
    try:
        source = inspect.getsource(function)
        # A method comes indented. Dedenting would change the strings in it, so it goes into a block instead.
        tree = ast.parse(f"if True:\n{source}" if source[0] in " \t" else source)
    except (TypeError, OSError, SyntaxError) as error:
        raise ValueError(f"{function!r} has no Python source to hash; name the function around it") from error
    return hashlib.sha256(repr(_skeleton(tree)).encode()).hexdigest()


def qualified_name(function: Callable | ModuleType) -> str:
    """Return the name under which any process finds ``function`` again, like ``labs.fitting.fit``.

    Args:
        function: a function, class or module.

    Returns:
        The name with its module; of a module its own.

    Raises:
        ValueError: there is none, as for a lambda or a function from a notebook.

    Example:
        >>> qualified_name(hash_of_name)
        'labs.provenance.hash_of_name'
    """
    if isinstance(function, ModuleType):
        return function.__name__
    module, name = function.__module__, getattr(function, "__qualname__", f"<{type(function).__name__}>")
    if module == "__main__" or "<" in name:
        raise ValueError(
            f"another process could not find {module}.{name} again; wanted a function with a name of its own "
            "at the top level of a module: move it there"
        )
    return f"{module}.{name}"


def hash_of_name(name: str) -> str | None:
    """Return the :func:`code_hash` of what stands under a qualified name today; None where nothing does.

    Args:
        name: such as ``"labs.fitting.fit"``.

    Returns:
        64 hexadecimal digits, or ``None``.

    Example:
        >>> hash_of_name("labs.provenance.code_hash") == code_hash(code_hash), hash_of_name("labs.gone")
        (True, None)
    """
    try:
        return code_hash(pkgutil.resolve_name(name))
    except (ImportError, AttributeError, ValueError):
        return None


def _skeleton(node: object) -> object:
    """Return a syntax tree as nested tuples, without docstrings and without what is empty.

    Newer Python versions add fields to the tree (``type_params`` in 3.12); where unused they are empty.
    """
    if isinstance(node, list):
        return tuple(_skeleton(part) for part in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.JoinedStr):  # Python 3.12 puts empty text into some f-strings
        node = ast.JoinedStr([part for part in node.values if getattr(part, "value", None) != ""])
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    documented = documented and ast.get_docstring(node, clean=False) is not None
    parts = []
    for field, value in ast.iter_fields(node):
        if field == "body" and documented:
            value = value[1:]
        if value is not None and value != [] and field not in ("ctx", "kind", "type_comment"):
            parts.append((field, _skeleton(value)))
    return (type(node).__name__, *parts)

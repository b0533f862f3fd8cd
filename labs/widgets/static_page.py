"""Let a widget live on a page that has no kernel."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets

_NOTE = (
    "This figure is interactive: it needs JavaScript on the page, or a running notebook (run the cell). "
    "The still figure beside it makes the same point."
)


class StaticPage:
    """Mix-in for ``anywidget.AnyWidget`` subclasses: adds an output that works without a kernel.

    The notebook's output gets a ``text/html`` fallback beside the live view. It carries the state, the module
    and the style sheet as one piece of JSON, which ``assets/mount-widgets.js`` turns into the running widget.
    The HTML holds no ids and no addresses: two runs of a cell write the same bytes.

    List the mix-in before ``AnyWidget`` in the bases, and give ``_esm`` (and ``_css``) as paths.

    Attributes:
        address: name under which the page keeps the state in its URL fragment, as in ``#ward=ReLU,torch,10``;
            an empty name keeps it out of the URL.
        address_traits: the traits that stand there, in this order.
        library: set by a widget whose module is too large for every notebook it stands in. The site then keeps the
            module and the style sheet once, in a file of this name that ``tools/widget_library.py`` writes. Such a
            class gives ``MODULES`` and ``STYLES``, the names of its files, and makes ``_esm`` and ``_css`` of them.

    Example:
        >>> import anywidget
        >>> class Page(StaticPage, anywidget.AnyWidget):
        ...     _esm = "export default { render() {} }"
        >>> Page()
        Page()
    """

    address: str = ""
    address_traits: tuple[str, ...] = ()
    library: str = ""

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/plain": repr(self), "text/html": self.static_html()}, metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # the default has a memory address, which differs from run to run

    def static_html(self) -> str:
        """Return the fallback: a note for readers without JavaScript, and all that the mount script needs.

        Returns:
            One ``div`` element.

        Example:
            >>> import anywidget
            >>> class Page(StaticPage, anywidget.AnyWidget):
            ...     _esm = "export default { render() {} }"
            >>> Page().static_html().startswith('<div class="labs-widget">')
            True
        """
        css, module = str(getattr(self, "_css", "")), str(self._esm)
        content = {
            "address": [self.address, *self.address_traits],
            **({"library": self.library} if self.library else {"css": css, "module": module}),
            "state": {name: getattr(self, name) for name in self._own_traits()},
        }
        # Inside a script element "<" alone can end it or open a comment; JSON can write it otherwise.
        text = json.dumps(content, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<div class="labs-widget"><p class="labs-widget-note">{_NOTE}</p>'
            f'<script type="application/json">{text}</script></div>'
        )

    def _own_traits(self) -> list[str]:
        own = set(self.trait_names(sync=True)) - set(ipywidgets.DOMWidget.class_trait_names())
        return sorted(name for name in own if not name.startswith("_"))

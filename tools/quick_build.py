"""Sphinx extension: spare the build what it would do again and again with the same result.

pybtex asks for its plug-ins by name, at every citation, and each time reads the description of every installed
package; a fifth of the build went there.
"""

from functools import cache
from typing import Any

import pybtex.plugin


def remember_plugins() -> None:
    """Let pybtex look for each plug-in once. Nothing that the site uses registers one later."""
    if not hasattr(pybtex.plugin._load_entry_point, "cache_info"):
        pybtex.plugin._load_entry_point = cache(pybtex.plugin._load_entry_point)


def setup(app: Any) -> dict[str, bool]:
    """Spare it from here on."""
    remember_plugins()
    return {"parallel_read_safe": True, "parallel_write_safe": True}

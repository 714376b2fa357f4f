"""How the optional dependencies are installed.

The name of this package on the public index is not ours: nothing may tell people to install that.
"""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """The sentence for people who lack the dependencies of an extra.

    Args:
        extra: One or more extras of pyproject.toml, with commas between them.
    """
    return f'Install it from the checkout with: pip install -e ".[{extra}]"'


__all__ = ["how_to_install"]

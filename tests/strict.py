"""An interpreter for which a warning is an error."""

from __future__ import annotations

import sys

STRICT = (
    sys.executable,
    *("-W", "error"),
    # langsmith and langgraph call it while they are imported, and Python 3.14 says so.
    *("-W", "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"),
)
"""The beginning of a command."""

__all__ = ["STRICT"]

"""The drivers: they perform a plan's effects and hand its events to the caller.

`call` takes the decisions, without I/O; `requests` and `answer` are its two halves,
`operations` what it asks for, and `drivers` do that, one blocking, one awaiting.
"""

from langchain_g4f.run.drivers import arun, run

__all__ = ["arun", "run"]

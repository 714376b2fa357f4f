"""The numbers: how long to wait, how much to read. See docs/fault-matrix.md, section 2.

Defaults may be changed, never removed: every clock and size is finite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from langchain_g4f.errors import ConfigurationError

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How long each part of a call may take, in seconds.

    Attributes:
        connect: Until the connection stands.
        pool: Until the pool has a free connection.
        write: For one write of the request.
        first_event: From the request until the answer begins.
        silence: Between any two bytes of an answer.
        idle: Between two *meaningful* events; heartbeats do not count.
        queue: In the service's own queue; counted apart from the other clocks.
        linger: After the terminal event, for what the service still adds.
        abort: For all that the service is told when a call is over: to stop, to delete. Cut to
            what is left of ``total``, but for 0.3 s.
        total: For the whole call, retries, waiting and clean-up included; whatever it waits for
            is given up then.
    """

    connect: float = 5.0
    pool: float = 10.0
    write: float = 30.0
    first_event: float = 60.0
    silence: float = 30.0
    idle: float = 60.0
    queue: float = 300.0
    linger: float = 5.0
    abort: float = 1.2
    total: float = 600.0

    def __post_init__(self) -> None:
        """Refuse what is no positive, finite number of seconds."""
        for field in fields(self):
            seconds = getattr(self, field.name)
            if not (math.isfinite(seconds) and seconds > 0):
                msg = f"clock {field.name!r} must be positive and finite: {seconds!r}"
                raise ConfigurationError(msg)

    @classmethod
    def within(cls, total: float) -> Clocks:
        """The default clocks, each cut to ``total`` seconds."""
        clocks = cls()
        cut = {f.name: min(getattr(clocks, f.name), total) for f in fields(cls)}
        return replace(clocks, **(cut | {"total": total}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much may be read or sent, in bytes unless the name says otherwise."""

    line: int = 8 * MIB
    response: int = 64 * MIB
    error_body: int = 64 * KIB
    attachment: int = 20 * MIB
    retry_after_s: float = 60.0
    cookies_count: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Clocks and sizes of one model object."""

    clocks: Clocks = Clocks()
    sizes: Sizes = Sizes()


__all__ = ["Clocks", "Limits", "Sizes"]

"""Our requests on a client that others use, too: it keeps nothing of them.

A client stores the cookies of every answer in its jar. Those of a model belong to the model,
so the jar of a caller's client refuses the cookies of our answers, and of no others.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import Cookie, CookieJar, CookiePolicy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib.request import Request

SENDING: ContextVar[bool] = ContextVar("a request of langchain_g4f is sent", default=False)
"""Whether the request that is sent at the moment is ours."""


def keep_out_of(jar: CookieJar) -> None:
    """Let a jar refuse the cookies of our answers; everything else stays as it is."""
    policy = getattr(jar, "_policy", None)
    if isinstance(policy, CookiePolicy) and not isinstance(policy, _NotOurs):
        kind: Any = type(policy)
        refusing = object.__new__(_refusing(kind))
        refusing.__dict__ = policy.__dict__  # the same one, for its settings may change
        jar.set_policy(refusing)


class _NotOurs(CookiePolicy):
    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return not SENDING.get() and super().set_ok(cookie, request)


@lru_cache
def _refusing(kind: Any) -> Any:  # noqa: ANN401 -- classes, the second of both kinds
    return type(kind.__name__, (_NotOurs, kind), {})


__all__ = ["SENDING", "keep_out_of"]

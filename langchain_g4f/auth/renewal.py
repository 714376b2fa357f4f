"""A plan whose login is refused runs once more with another login, if there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Progress
from langchain_g4f.core.plan import Lock, Unlock, ask
from langchain_g4f.errors import AuthenticationError

if TYPE_CHECKING:
    from langchain_g4f.core.plan import Plan, PlanOf


@dataclass(slots=True)
class ModelIdentity:
    """Who a chat model is at its service; shared by its calls.

    Attributes:
        source: Where the login in use was found; empty for an argument, and for no login.
        version: Number of times that other credentials were taken.
        attempts: Number of times that other credentials were looked for.
    """

    source: str = ""
    version: int = 0
    attempts: int = 0


def renewed_once(
    make_plan: Callable[[], Plan],
    identity: ModelIdentity,
    account: Callable[[], str],
    renew: Callable[[str], bool],
    explain: Callable[[AuthenticationError], None],
) -> Plan:
    """The plan; after a refusal that names a login page, the plan once more.

    If many calls are refused at once, one of them looks for another login. The others wait for it.

    Args:
        make_plan: Makes the plan, with the credentials in use.
        identity: The counters of the model.
        account: Returns the name of the account, for the lock.
        renew: Takes other credentials, given the URL of the login page; False if there are none.
            It may ask a person.
        explain: Adds to a refusal what was refused.
    """
    version, renewed = identity.version, False
    while True:
        try:
            return (yield from make_plan())
        except AuthenticationError as error:
            if not renewed and error.login_url:
                find_another = partial(renew, error.login_url)
                renewed = yield from _renewed(version, identity, account(), find_another)
                if renewed:
                    yield Progress("login_renewed")
                    continue
            explain(error)
            raise


def _renewed(
    version: int, identity: ModelIdentity, account: str, renew: Callable[[], bool]
) -> PlanOf[bool]:
    """Whether there is another identity than the one of ``version``."""
    attempts = identity.attempts

    def take_another() -> bool:
        if (identity.version, identity.attempts) == (version, attempts):
            try:
                identity.version += renew()
            finally:
                identity.attempts += 1
        return identity.version != version

    yield Lock(account)
    found = yield from ask(take_another)
    yield Unlock(account)
    return found


__all__ = ["ModelIdentity", "renewed_once"]

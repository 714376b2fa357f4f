"""A chat model's way to its service: session, clients, and the list of models."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import aclosing
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import PrivateAttr

from langchain_g4f.chat_models.awaiting import Caller
from langchain_g4f.chat_models.blocks import address_of, content_of
from langchain_g4f.chat_models.login import LoginSettings
from langchain_g4f.chat_models.runtime import Runtime
from langchain_g4f.core.events import Progress
from langchain_g4f.core.limits import Clocks, Limits
from langchain_g4f.core.plan import Lock, Unlock, ask
from langchain_g4f.errors import (
    AuthenticationError,
    ConfigurationError,
    ModelNotFoundError,
)

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.run import arun
    from langchain_g4f.transport.client import AsyncClient, SyncClient


_IDENTITY = ("base_url", "space", "login_profile", "from_browser", "use_environment_token")
"""Fields that make a copy of a model another caller."""
_CALLERS = ("http_client", "http_async_client", "on_progress", "on_login_required")
"""Fields that hold what belongs to the caller."""

T = TypeVar("T")


class ServiceModel(LoginSettings):
    """Runs plans against a service; what it says to LangChain is `BaseChatG4F`'s."""

    _runtime: Runtime = PrivateAttr(default_factory=Runtime)

    # -- what a provider gives -------------------------------------------------

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """The plan of one call. Overwritten by every provider."""
        raise NotImplementedError

    def _models_plan(self, context: CallContext) -> PlanOf[list[str]]:
        """The plan that asks for the models. Overwritten where there is a list."""
        yield from ()
        return list(self.models)

    def _describe_plan(self, context: CallContext) -> PlanOf[str]:
        """The plan that asks what the server is. Overwritten where it says."""
        yield from ()
        return ""

    def _identity_url(self) -> str:
        """Whose cookies those of `_secrets` are. Overwritten where it is not the service."""
        return self.base_url

    def _fetch_plan(self, url: str) -> PlanOf[bytes]:
        """The plan that fetches a file of an answer. Overwritten where there are files."""
        raise ConfigurationError(f"{self.label} has no files to fetch: {url}")

    def _read_environment(self) -> None:
        """Take the credentials that there are for the address, unless given. Overwritten."""

    def _secrets(self) -> dict[str, str]:
        """The cookies to start with. Overwritten where a service has an identity."""
        return {}

    def _limits(self) -> Limits:
        if self.timeout is None:
            return Limits()
        if isinstance(self.timeout, Clocks):
            return Limits(clocks=self.timeout)
        return Limits(clocks=Clocks.within(self.timeout))

    def _session(self) -> CallContext:
        self._refuse_unknown_profile()
        return self._runtime.context(
            self.provider,
            self._limits(),
            self.max_retries,
            url=self._identity_url(),
            secrets=self._secrets,
            refreshed=self._refreshed,
        )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with other cookies or another address, one with a session of its own.

        Raises:
            ConfigurationError: A setting is misspelt, or the text is no address.
        """
        copied = super().model_copy(update=self._checked_update(update or {}), deep=deep)
        copied.__dict__.pop("_serialized", None)  # core's cache of what it was
        if not {*_IDENTITY, *self.lc_secrets}.isdisjoint(update or ()):
            copied._runtime = Runtime()  # noqa: SLF001 -- its own
            copied._read_environment()  # noqa: SLF001 -- its own
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy with a session of its own; what belongs to the caller is not copied."""
        memo = {} if memo is None else memo
        for name in _CALLERS:
            shared = getattr(self, name)
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    # -- models ----------------------------------------------------------------

    def get_model(self, name: str | None = None) -> str:
        """The name the service knows ``name`` (or this object's model) by.

        Empty for a service's own default. The service is asked about a name it has not listed.

        Raises:
            ModelNotFoundError: There is a list of the models and it is not in there.
        """
        resolved = self._asked_model(name)
        if resolved and resolved not in (self._runtime.models or self.models):
            known = self.get_models()
            if known and resolved not in known:
                raise self._no_such_model(resolved, known)
        return resolved

    def _asked_model(self, name: str | None) -> str:
        wanted = name or self.model or self.default_model
        return self.model_aliases.get(wanted, wanted)

    def get_models(self) -> list[str]:
        """The models of the service, asked every five minutes; the known ones where it has no list.

        Raises:
            APIError: The service has a list and did not give it.
        """
        if self._runtime.models_are_fresh():
            return list(self._runtime.models)
        return self._runtime.keep_models(self._result(self._models_plan(self._session())))

    async def aget_models(self) -> list[str]:
        """Like `get_models`."""
        if self._runtime.models_are_fresh():
            return list(self._runtime.models)
        return self._runtime.keep_models(await self._aresult(self._models_plan(self._session())))

    def _no_such_model(self, model: str, known: Sequence[str]) -> ModelNotFoundError:
        closest = tuple(get_close_matches(model, known, n=3, cutoff=0.3))
        shown = ", ".join(closest or known[:5])
        error = ModelNotFoundError(
            f"{self.label} has no model {model!r}; the closest are: {shown}",
            provider=self.provider,
        )
        error.closest = closest
        return error

    # -- files -----------------------------------------------------------------

    def fetch_file(self, block: Mapping[str, Any]) -> bytes:
        """The bytes of an image or file block of an answer.

        The caller's identity is used for the service's own files, and for nothing else.

        Raises:
            ConfigurationError: The block has neither content nor an address.
            BlockedURLError: Its address may not be fetched.
        """
        return content_of(block) or self._result(self._fetch_plan(address_of(block)))

    async def afetch_file(self, block: Mapping[str, Any]) -> bytes:
        """Like `fetch_file`."""
        return content_of(block) or await self._aresult(self._fetch_plan(address_of(block)))

    # -- accounts --------------------------------------------------------------

    def whoami(self) -> str | None:
        """Who the service says is logged in; None if nobody is.

        Raises:
            ConfigurationError: The service does not say.
        """
        return self._result(self._whoami_plan(self._session()))

    async def awhoami(self) -> str | None:
        """Like `whoami`."""
        return await self._aresult(self._whoami_plan(self._session()))

    async def alogin_page(self) -> str:
        """Where a browser logs in.

        Raises:
            ConfigurationError: It cannot, or nobody has to.
        """
        return await self._aresult(self._login_page_plan(self._session()))

    def _signed_in(self, make_plan: Callable[[CallContext], Plan]) -> Plan:
        """A plan; if its login is refused, once more with another one, if there is one by now.

        However many calls are refused at once, the others wait for what one of them finds.
        """
        context = self._session()
        seen = self._runtime.identity
        try:
            yield from make_plan(context)
        except AuthenticationError as error:
            if not error.login_url or not (yield from self._renewed(seen, error.login_url)):
                raise self._of_account(error) from None
        else:
            return
        yield Progress("login_renewed")
        yield from self._explained(make_plan(context))

    def _explained(self, plan: PlanOf[T]) -> PlanOf[T]:
        """A plan whose refusals say what was refused."""
        try:
            return (yield from plan)
        except AuthenticationError as error:
            raise self._of_account(error) from None

    def _renewed(self, seen: int, login_url: str) -> PlanOf[bool]:
        """Whether there are other credentials than those of the identity ``seen``."""
        account = f"login of {self._credential_file().path.name}"
        renew = partial(self._renew, login_url, self._session(), Caller())
        another = partial(self._another, seen, self._runtime.renewals, renew)
        yield Lock(account)
        found = yield from ask(another)
        yield Unlock(account)
        return found

    def _another(self, seen: int, renewals: int, renew: Callable[[], bool]) -> bool:
        """Become another caller than ``seen``, if nobody has tried since the refusal."""
        if (self._runtime.identity, self._runtime.renewals) == (seen, renewals):
            try:
                self._runtime.identity += renew()
            finally:
                self._runtime.renewals += 1
        return self._runtime.identity != seen

    # -- running a plan --------------------------------------------------------

    def _result(self, plan: PlanOf[T]) -> T:
        """What a plan returns, its events left out."""
        found: list[T] = []
        for _ in self._run(_keep(self._explained(plan), found)):
            pass
        return found[0]

    async def _aresult(self, plan: PlanOf[T]) -> T:
        """Like `_result`."""
        found: list[T] = []
        async with aclosing(self._arun(_keep(self._explained(plan), found))) as events:
            async for _ in events:
                pass
        return found[0]

    def _run(self, plan: Plan) -> Generator[Event]:
        from langchain_g4f.run import run

        return run(plan, self._session(), self._client())

    def _arun(self, plan: Plan) -> arun:
        from langchain_g4f.run import arun

        return arun(plan, self._session(), self._async_client())

    def _client(self) -> SyncClient:
        from langchain_g4f.transport import client

        if self.http_client is not None:
            return self._runtime.own(self.http_client, client.SyncClient)
        return client.sync_client(client.ClientSettings(self.proxy, impersonate=self.impersonate))

    def _async_client(self) -> AsyncClient:
        from langchain_g4f.transport import client

        if self.http_async_client is not None:
            return self._runtime.own(self.http_async_client, client.AsyncClient)
        return client.async_client(client.ClientSettings(self.proxy, impersonate=self.impersonate))


def _keep(plan: PlanOf[T], found: list[T]) -> Plan:
    found.append((yield from plan))


__all__ = ["ServiceModel"]

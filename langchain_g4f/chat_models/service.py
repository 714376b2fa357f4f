"""A chat model's way to its service: session, clients, and the list of models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from langchain_g4f.chat_models.runtime import Runtime
from langchain_g4f.chat_models.settings import ChatSettings
from langchain_g4f.errors import G4FError, ModelNotFoundError
from langchain_g4f.limits import Clocks, Limits

if TYPE_CHECKING:
    from langchain_g4f.events import Event
    from langchain_g4f.plan import Plan, PlanOf, Session
    from langchain_g4f.transport.client import AsyncClient, SyncClient
    from langchain_g4f.turn import Turn


class ServiceModel(ChatSettings):
    """Runs plans against a service; what it says to LangChain is `BaseChatG4F`'s."""

    _runtime: Runtime = PrivateAttr(default_factory=Runtime)

    # -- what a provider gives -------------------------------------------------

    def _plan(self, turn: Turn, session: Session) -> Plan:
        """The plan of one call. Overwritten by every provider."""
        raise NotImplementedError

    def _models_plan(self, session: Session) -> PlanOf[list[str]]:
        """The plan that asks for the models. Overwritten where there is a list."""
        yield from ()
        return list(self.models)

    def _secrets(self) -> dict[str, str]:
        """The cookies to start with. Overwritten where a service has an identity."""
        return {}

    # -- settings --------------------------------------------------------------

    def _limits(self) -> Limits:
        if self.timeout is None:
            return Limits()
        if isinstance(self.timeout, Clocks):
            return Limits(clocks=self.timeout)
        return Limits(clocks=Clocks.within(self.timeout))

    def _session(self) -> Session:
        return self._runtime.session(
            self.provider, self._limits(), self.max_retries, self.base_url, self._secrets
        )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy with a session of its own; HTTP clients are shared, not copied."""
        memo = {} if memo is None else memo
        for client in (self.http_client, self.http_async_client):
            memo[id(client)] = client
        return super().__deepcopy__(memo)

    # -- models ----------------------------------------------------------------

    def get_model(self, name: str | None = None) -> str:
        """The name the service knows ``name`` (or this object's model) by.

        Raises:
            ModelNotFoundError: A list of the models is known and it is not in there.
        """
        wanted = name or self.model or self.default_model
        resolved = self.model_aliases.get(wanted, wanted)
        known = self._runtime.models or list(self.models)
        if resolved and known and resolved not in known:
            raise self._no_such_model(resolved, known)
        return resolved

    def get_models(self) -> list[str]:
        """The models of the service, asked anew every five minutes.

        Where the service cannot be asked: what it said last, or the known models.
        """
        found: list[str] = []
        if self._runtime.models_are_fresh():
            return list(self._runtime.models)
        try:
            for _ in self._run(self._listing(found)):
                pass
        except G4FError:
            return list(self._runtime.models or self.models)
        return self._runtime.keep_models(found)

    async def aget_models(self) -> list[str]:
        """Like `get_models`."""
        found: list[str] = []
        if self._runtime.models_are_fresh():
            return list(self._runtime.models)
        try:
            async with aclosing(self._arun(self._listing(found))) as events:
                async for _ in events:
                    pass
        except G4FError:
            return list(self._runtime.models or self.models)
        return self._runtime.keep_models(found)

    def _listing(self, found: list[str]) -> Plan:
        found.extend((yield from self._models_plan(self._session())))

    def _no_such_model(self, model: str, known: Sequence[str]) -> ModelNotFoundError:
        closest = tuple(get_close_matches(model, known, n=3, cutoff=0.3))
        shown = ", ".join(closest or known[:5])
        error = ModelNotFoundError(
            f"{self.label} has no model {model!r}; the closest are: {shown}",
            provider=self.provider,
        )
        error.closest = closest
        return error

    def _run(self, plan: Plan) -> Generator[Event]:
        from langchain_g4f.run import run

        return run(plan, self._session(), self._client())

    def _arun(self, plan: Plan) -> AsyncGenerator[Event]:
        from langchain_g4f.run import arun

        return arun(plan, self._session(), self._async_client())

    def _client(self) -> SyncClient:
        from langchain_g4f.transport import client

        if self.http_client is not None:
            return client.SyncClient(self.http_client)
        return client.sync_client(client.ClientSettings(self.proxy))

    def _async_client(self) -> AsyncClient:
        from langchain_g4f.transport import client

        if self.http_async_client is not None:
            return client.AsyncClient(self.http_async_client)
        return client.async_client(client.ClientSettings(self.proxy))


__all__ = ["ServiceModel"]

"""BaseChatG4F: the settings of all chat models of this package, and what LangChain calls.

A chat model holds a provider (`langchain_g4f.providers.base`), which is made for each call out of
the model's fields. Both ways of generating and both of streaming run over one source of events:
`_events`, and `_aevents` where it is awaited.
"""
# Over 400 lines: one class, so that the bases of a chat model are BaseChatModel and this one.

from __future__ import annotations

import os
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, fields
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from langchain_g4f.auth.account import ModelAccount
from langchain_g4f.auth.given_cookies import revealed, sealed
from langchain_g4f.auth.store import DEFAULT_PROFILE
from langchain_g4f.chat_models.blocks import address_of, content_of, register
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.client import Client, ModelState
from langchain_g4f.chat_models.messages import known_nonce, to_chat_request
from langchain_g4f.chat_models.parameters import Parameter, in_lines
from langchain_g4f.chat_models.progress import Listeners
from langchain_g4f.chat_models.settings import (
    address,
    as_list,
    check_names,
    check_profile,
    check_proxy,
    check_timeout,
    near_miss,
    secret_names,
)
from langchain_g4f.chat_models.stream import EventSource, astream, stream
from langchain_g4f.chat_models.structured import Method, structured
from langchain_g4f.chat_models.tool_calling import ARGUMENTS, Choice, Emulation, Tool, bound
from langchain_g4f.core.events import Progress
from langchain_g4f.core.limits import Clocks, Limits
from langchain_g4f.core.redact import redact_url
from langchain_g4f.errors import (
    ConfigurationError,
    ModelNotFoundError,
)
from langchain_g4f.providers.base import Provider
from langchain_g4f.tools.prompt import PROTOCOL

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput, ModelProfile
    from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from langchain_g4f.core.chat_request import ChatRequest, Media, RemoteMedia
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.plan import Plan

STANDARD_PARAMETERS = ("temperature", "max_tokens")
"""Parameters of chat models that only some services have."""

_CALLERS = ("http_client", "http_async_client", "on_progress", "on_login_required")
"""Fields with objects of the caller, which no copy copies."""
_IDENTITY = ("base_url", "space", "login_profile", "from_browser", "use_environment_token")
"""Fields that make a copy another caller than the original."""


class BaseChatG4F(BaseChatModel):
    """What the chat models of this package share.

    Raises:
        ConfigurationError: From a call that cannot be made as asked; nothing was sent.
        APIError: From a call that failed; see `langchain_g4f.errors`.
    """

    model_config = ConfigDict(
        populate_by_name=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,  # an import should not pay for classes it does not use
    )

    provider_class: ClassVar[type[Provider]] = Provider
    """The provider. Its facts can be read here, too, and a subclass may replace them."""
    label: ClassVar[str] = ""
    """Name of the service for people."""
    provider: ClassVar[str] = ""
    """Name of the provider in errors, metadata and traces."""
    url: ClassVar[str] = ""
    """Web page where a person finds the service."""
    needs_auth: ClassVar[bool] = False
    supports_stream: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    has_model_list: ClassVar[bool] = False
    """Whether `get_models` asks the service; otherwise it returns the known models."""
    default_model: ClassVar[str] = ""
    default_vision_model: ClassVar[str] = ""
    models: ClassVar[tuple[str, ...]] = ()
    """Known models, for when the service cannot be asked."""
    image_models: ClassVar[tuple[str, ...]] = ()
    vision_models: ClassVar[tuple[str, ...]] = ()
    model_aliases: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[tuple[str, ...]] = ()
    """Parameters of a call beyond LangChain's own; fields of that name are defaults."""
    supported_parameters: ClassVar[frozenset[str]] = frozenset()
    """Those of ``temperature`` and ``max_tokens`` that have an effect."""

    model: str | None = Field(default=None, validation_alias=AliasChoices("model", "model_name"))
    """Model to ask; None for the service's default."""
    base_url: str = ""
    """Address of the service: origin and path."""
    timeout: Annotated[float | Clocks | None, AfterValidator(check_timeout)] = None
    """Seconds for a whole call, or the clocks one by one."""
    max_retries: int = Field(default=2, ge=0)
    """How often a request is repeated where that cannot do harm."""
    proxy: Annotated[SecretStr | None, AfterValidator(check_proxy)] = None
    """URL of a proxy; None for the one the environment names, if any."""
    impersonate: str | None = None
    """Browser to look like on the wire, such as "chrome": its TLS, HTTP/2 and headers; None for
    none. Any target of curl_cffi; see docs/impersonate.md."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.Client`` or ``httpx2.Client`` of your own, for sync calls; you close it."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """The same for async calls: an ``httpx.AsyncClient`` or ``httpx2.AsyncClient``."""
    login_profile: Annotated[str, AfterValidator(check_profile)] = DEFAULT_PROFILE
    """Which of your accounts, by the name it was given at login; also taken as ``profile=``."""
    from_browser: str | None = None
    """An installed browser to read cookies from, ``"chrome"`` for example, if nothing else has
    any."""
    on_login_required: Callable[[str], object] | None = Field(
        default=None, exclude=True, repr=False
    )
    """Called with the address of the login page when a login is wanted, in async calls in a
    thread; what it returns, if anything, is taken as the credential. Then the call continues.
    A coroutine function is awaited on the event loop of the call."""
    stop: Annotated[list[str] | None, BeforeValidator(as_list)] = Field(
        default=None, validation_alias=AliasChoices("stop", "stop_sequences")
    )
    """Strings at which the answer is cut and the service is told to stop."""
    streaming: bool = False
    """Whether ``invoke`` streams underneath; the answer is the same."""
    on_progress: Callable[[Progress], object] | None = Field(default=None, exclude=True, repr=False)
    """Called with what happens on the way: retries, title, queue, login needed. May be a coroutine
    function."""
    progress_events: bool = True
    """Whether that is reported to LangChain, as custom events, and to LangGraph's custom stream."""
    tool_retries: int = Field(default=0, ge=0)
    """How often a tool call is asked for again that was demanded and did not come."""
    strict_tool_calls: bool = False
    """Whether only those tool calls count that carry the id which the model was told."""
    temperature: float | None = None
    max_tokens: int | None = None

    _state: ModelState = PrivateAttr(default_factory=ModelState)

    # -- settings --------------------------------------------------------------

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Take the facts of the provider, and let content blocks of its answers be read."""
        super().__pydantic_init_subclass__(**kwargs)
        if "provider_class" in cls.__dict__:
            if "provider" not in cls.__dict__:
                cls.provider = cls.provider_class.name
            for fact in cls.__class_vars__ & vars(Provider).keys() - cls.__dict__.keys():
                setattr(cls, fact, getattr(cls.provider_class, fact))
        if cls.provider:
            register(cls.provider)

    if not TYPE_CHECKING:

        def __init__(self, *args: Any, **data: Any) -> None:
            # so that no frame of a call that is refused has a credential in the clear
            for name in secret_names(type(self)) & data.keys():
                data[name] = sealed(data[name])
            super().__init__(*args, **data)

    @model_validator(mode="before")
    @classmethod
    def _check_settings(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        if isinstance(values.get("profile"), str):  # LangChain's own is no text
            values = {n: v for n, v in values.items() if n != "profile"} | {
                "login_profile": values["profile"]
            }
        check_names(cls, cls.label, values)
        return values

    @field_validator("base_url")
    @classmethod
    def _base_url_is_http(cls, value: str) -> str:
        needed = value or cls.provider_class.base_url_required
        return address(value, "base_url") if needed else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        own = self.http_client is not None or self.http_async_client is not None
        if self.impersonate is not None and own and "impersonate" in self.model_fields_set:
            msg = "impersonate: a client of your own decides itself what is seen on the wire"
            raise ConfigurationError(msg)
        self._warn_of_ignored({name: getattr(self, name) for name in STANDARD_PARAMETERS})
        self._settle()
        return self

    def _settle(self) -> None:
        """Set what depends on other settings. Extended where the address does."""
        self._account().find()

    def _warn_of_ignored(self, parameters: Mapping[str, object]) -> None:
        for name, value in parameters.items():
            if value is not None and name not in self.supported_parameters:
                text = f"{self.label} has no parameter {name!r}: it is ignored"
                warnings.warn(text, stacklevel=3)

    def get_parameters(self, *, as_json: bool = False) -> dict[str, Any]:
        """The parameters of this model and its calls by name: type, default, whether supported.

        Args:
            as_json: Give values that JSON has, in place of `Parameter` objects.
        """
        found = {each.name: each for each in self._parameters()}
        return {n: each.as_json() for n, each in found.items()} if as_json else found

    @property
    def params(self) -> str:
        """The parameters of this model and its calls, one a line."""
        return in_lines(self._parameters())

    def _parameters(self) -> Iterator[Parameter]:
        for name, field in type(self).model_fields.items():
            if name not in BaseChatModel.model_fields:
                yield Parameter.of_field(name, field, supported=self._supports(name))

    def _supports(self, name: str) -> bool | None:
        """Whether a field has an effect; None if the service does not say."""
        return name not in STANDARD_PARAMETERS or name in self.supported_parameters

    # -- the provider ----------------------------------------------------------

    def _provider(self) -> Provider:
        """The provider, made of the fields that have the names of its own."""
        values = {
            field.name: revealed(value)
            for field in fields(self.provider_class)
            if (value := self.__dict__.get(field.name)) is not None
        }
        return self.provider_class(environ=os.environ, **values)

    def _account(self) -> ModelAccount:
        fields_set = self.model_fields_set
        return ModelAccount(self._provider(), self.__dict__, fields_set, self._state.identity)

    def _limits(self) -> Limits:
        if self.timeout is None:
            return Limits()
        if isinstance(self.timeout, Clocks):
            return Limits(clocks=self.timeout)
        return Limits(clocks=Clocks.within(self.timeout))

    def _client(self) -> Client:
        """The way to the service for one call."""
        account = self._account()
        if self.on_login_required is None:
            account.check_profile()
        return Client(
            account,
            self._state,
            self._state.context(account, self._limits(), self.max_retries),
            http=(self.http_client, self.http_async_client),
            proxy=self.proxy,
            impersonate=self.impersonate,
            on_login_required=self.on_login_required,
        )

    def _plan(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """The plan of one call."""
        return self._provider().chat(chat_request, context)

    def _events(self, chat_request: ChatRequest) -> Generator[Event]:
        return self._client().run(partial(self._plan, chat_request))

    def _aevents(self, chat_request: ChatRequest) -> EventSource:
        return self._client().arun(partial(self._plan, chat_request))

    def get_model(self, name: str | None = None) -> str:
        """The name the service knows ``name`` (or this object's model) by.

        Empty for a service's own default. A name outside `models` is looked up in `get_models()`;
        where the service has no list, an unknown name is returned with a warning.

        Raises:
            ModelNotFoundError: The service has a list of models without the name.
        """
        resolved = self._asked_model(name)
        if not resolved or resolved in self.models:
            return resolved
        if not self.has_model_list:
            if self.models:
                warnings.warn(f"{self.label}: {resolved!r} is not a known model", stacklevel=2)
            return resolved
        known = self.get_models()
        if not known or resolved in known:
            return resolved
        closest = tuple(get_close_matches(resolved, known, n=3, cutoff=0.3))
        shown = ", ".join(closest or known[:5])
        error = ModelNotFoundError(
            f"{self.label} has no model {resolved!r}; the closest are: {shown}",
            provider=self.provider,
        )
        error.closest = closest
        raise error

    def _asked_model(self, name: str | None) -> str:
        wanted = name or self.model or self.default_model
        return self.model_aliases.get(wanted, wanted)

    def get_models(self) -> list[str]:
        """The models of the service, cached by address; the known ones where it has no list.

        Raises:
            APIError: The service has a list and did not give it.
        """
        client = self._client()
        return client.result(client.provider.list_models(client.context))

    async def aget_models(self) -> list[str]:
        """Like `get_models`."""
        client = self._client()
        return await client.aresult(client.provider.list_models(client.context))

    def describe(self) -> str:
        """What the server says it is, such as its version; empty if it does not say."""
        client = self._client()
        return client.result(client.provider.describe(client.context))

    async def adescribe(self) -> str:
        """Like `describe`."""
        client = self._client()
        return await client.aresult(client.provider.describe(client.context))

    def fetch_file(self, block: Mapping[str, Any]) -> bytes:
        """The bytes of an image or file block of an answer.

        The caller's identity is used for the service's own files, and for nothing else.

        Raises:
            ConfigurationError: The block has neither content nor an address.
            BlockedURLError: Its address may not be fetched.
        """
        client = self._client()
        return content_of(block) or client.result(
            client.provider.fetch(address_of(block), client.context)
        )

    async def afetch_file(self, block: Mapping[str, Any]) -> bytes:
        """Like `fetch_file`."""
        client = self._client()
        return content_of(block) or await client.aresult(
            client.provider.fetch(address_of(block), client.context)
        )

    # -- the account -----------------------------------------------------------

    @property
    def account_url(self) -> str:
        """Address of the server that knows the caller."""
        return self._account().server

    def whoami(self) -> str | None:
        """Name of the user who is logged in; None if no user is.

        Raises:
            ConfigurationError: The service does not say.
        """
        client = self._client()
        return client.result(client.provider.whoami(client.context))

    async def awhoami(self) -> str | None:
        """Like `whoami`."""
        client = self._client()
        return await client.aresult(client.provider.whoami(client.context))

    async def alogin_page(self) -> str:
        """Where a browser logs in.

        Raises:
            ConfigurationError: The service has no login in a browser.
        """
        client = self._client()
        return await client.aresult(client.provider.login_page(client.context))

    @property
    def has_login(self) -> bool:
        """Whether calls have a login, be it good or not."""
        account = self._account()
        return bool(account.login_in_use or self.__dict__.get("auth") or account.session())

    def get_cache_file(self) -> Path:
        """Where a login of this account is kept, whether there is one or not."""
        return self._account().saved.path

    def keep_login(self, user: str = "") -> bool:
        """Keep the credentials this model was given; False, with a warning, where it cannot be.

        Args:
            user: Name of their owner, for people.
        """
        account = self._account()
        return account.file.save(account.own_credentials(user))

    def forget_login(self) -> bool:
        """Delete what was kept; False if there was nothing."""
        return self._account().saved.forget()

    # -- copies, pickles, serialized models ------------------------------------

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with other cookies or another address, one with an identity of its own.

        Raises:
            ConfigurationError: A setting is misspelt, or the text is no address.
        """
        update = update or {}
        check_names(type(self), self.label, update)  # pydantic takes it as it is
        if "base_url" in update:
            update = {**update, "base_url": self._base_url_is_http(update["base_url"])}
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_serialized", None)  # core's cache of what it was
        if not {*_IDENTITY, *self.lc_secrets}.isdisjoint(update):
            copied._state = ModelState()  # noqa: SLF001 -- its own
            copied._settle()  # noqa: SLF001 -- its own
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy with an identity of its own; what belongs to the caller is not copied."""
        memo = {} if memo is None else memo
        for name in _CALLERS:
            shared = getattr(self, name)
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Where credentials are read from when a serialized model is loaded."""
        return self._secret_variables()  # LangChain asks every base class, the last one wins

    def _secret_variables(self) -> dict[str, str]:
        variables = self.provider_class.credential_variables.items()
        return {name: variable for name, variable in variables if name in type(self).model_fields}

    @property
    def _proxy_address(self) -> str | None:
        """The proxy, without user and password."""
        return redact_url(self.proxy.get_secret_value()) if self.proxy else None

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Settings in the form in which LangChain can write them down."""
        attributes: dict[str, Any] = {"proxy": self._proxy_address} if self.proxy else {}
        if isinstance(self.timeout, Clocks):
            attributes["timeout"] = asdict(self.timeout)
        return attributes

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Leaves out credentials that were found: the process that loads it finds its own."""
        dumped = super().to_json()
        if dumped["type"] == "constructor":
            for name in self.lc_secrets.keys() - self.model_fields_set:
                dumped["kwargs"].pop(name, None)
        return dumped

    def __getstate__(self) -> dict[Any, Any]:
        """The settings without credentials; a proxy keeps its address, so that it is used."""
        state = super().__getstate__()
        settings = {n: v for n, v in state["__dict__"].items() if not (v and n in self.lc_secrets)}
        if self._proxy_address:
            settings["proxy"] = SecretStr(self._proxy_address)
        return {**state, "__dict__": settings}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        missing = [name for name in self.lc_secrets if name not in self.__dict__]
        if missing:
            names = set(type(self).model_fields) & set(self.__dict__) - set(STANDARD_PARAMETERS)
            fresh = type(self)(**{name: self.__dict__[name] for name in names})
            self.__dict__.update({name: getattr(fresh, name) for name in missing})
            self.model_fields_set.difference_update(missing)  # they may be looked for again

    # -- tools -----------------------------------------------------------------

    def bind_tools(
        self,
        tools: Sequence[Tool | BaseTool],
        *,
        tool_choice: Choice = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools, which it is told of in words; see docs/tools.md.

        Args:
            tools: Functions, classes, LangChain tools or schemas.
            tool_choice: ``"auto"``, ``"none"``, ``"any"``, or the name of a tool.
            parallel_tool_calls: False for one call at a time.
            strict: Taken for the sake of other models; nothing here can promise it.
            kwargs: Arguments of every call.

        Raises:
            ConfigurationError: There is no tool of that name.
        """
        if strict is not None:
            kwargs["strict"] = strict
        return bound(self, tools, choice=tool_choice, parallel=parallel_tool_calls, **kwargs)

    def with_structured_output(
        self,
        schema: Mapping[str, Any] | type | None = None,
        *,
        method: Method = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model with its answer read as ``schema``.

        Args:
            schema: A pydantic class, a TypedDict or a JSON Schema.
            method: By a tool call, or by JSON that is asked for.
            include_raw: Whether to give the answer, too, and an error in place of raising it:
                a `ToolCallError` if there is no such call, pydantic's if it does not fit.
            strict: Taken for the sake of other models; nothing here can promise it.
            kwargs: Arguments of every call.

        Raises:
            ConfigurationError: There is no schema, or no such method.
        """
        if strict is not None:
            kwargs["strict"] = strict
        return structured(self, schema, method, include_raw=include_raw, **kwargs)

    # -- a call ----------------------------------------------------------------

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[ChatRequest, ChunkMapper]:
        model = self._asked_model(kwargs.pop("model", None))
        if not self.has_model_list:
            self.get_model(model)  # which warns
        ignored = [name for name in STANDARD_PARAMETERS if name not in self.options]
        self._warn_of_ignored({name: kwargs.pop(name, None) for name in ignored})
        options = {name: kwargs.pop(name, getattr(self, name, None)) for name in self.options}
        media = self._given_media(kwargs.pop("media", None))
        emulation = Emulation.take(kwargs, known_nonce(messages, self.provider))
        kwargs.pop("stream", None)  # core has read it
        if kwargs:
            known = {*self.options, *ARGUMENTS, "media", "model", "stop", *STANDARD_PARAMETERS}
            meant = [f"perhaps {m!r} is meant" for m in [near_miss(n, known) for n in kwargs] if m]
            msg = f"{self.label}: unknown parameters of the call: {sorted(kwargs)}"
            raise ConfigurationError("; ".join([msg, *meant]))
        chat_request = to_chat_request(
            messages,
            model=model,
            options=self._options(options),
            media=media,
            tools=emulation.section,
            note=emulation.note,
            nonce=emulation.nonce,
        )
        return chat_request, ChunkMapper(
            self.provider,
            model,
            tuple(filter(None, [*(self.stop or ()), *(stop or ())])),
            emulation.new_filter(strict=self.strict_tool_calls),
            retries=self.tool_retries if emulation.forced else 0,
        )

    def _given_media(self, given: object) -> tuple[Media | RemoteMedia, ...]:
        if given is None:
            return ()
        from langchain_g4f.chat_models.attachments import given_media

        return given_media(given)

    def _options(self, values: dict[str, Any]) -> dict[str, Any]:
        """Options of a call in the provider's terms; an answer stands for its conversation."""
        for name, value in values.items():
            if isinstance(value, AIMessage):  # no handle is not "auto"
                values[name] = value.response_metadata.get("conversation", {})
        return values

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk]:
        answer = self._prepare(messages, stop, kwargs)
        yield from stream(self._events, *answer, self._listeners, run_manager)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        answer = self._prepare(messages, stop, kwargs)
        # not by a generator of its own: see `run.arun`
        return astream(self._aevents, *answer, self._listeners, run_manager)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        chunks = stream(self._events, chat_request, mapper, self._listeners, run_manager)
        return ChatResult(generations=[ChatGeneration(message=mapper.fold([*chunks]))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        chunks = astream(self._aevents, chat_request, mapper, self._listeners, run_manager)
        async with aclosing(chunks):
            message = mapper.fold([chunk async for chunk in chunks])
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _listeners(self) -> Listeners:
        return Listeners(self.provider, self.on_progress, self.progress_events)

    # -- the cache of LangChain, which asks once more for what differs --------------

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """The key of an answer: files count by their content, wherever they come from."""
        if kwargs.get("media") is not None:
            files = self._given_media(kwargs["media"])
            kwargs["media"] = [(file.digest, getattr(file, "name", "")) for file in files]
        return super()._get_llm_string(stop=stop, **kwargs)

    def _generate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        return super()._generate_with_cache(*args, **self._read_once(kwargs))

    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        return await super()._agenerate_with_cache(*args, **self._read_once(kwargs))

    def _read_once(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call with its files read, for the key and for the call."""
        if kwargs.get("media") is None:
            return kwargs
        return kwargs | {"media": self._given_media(kwargs["media"])}

    # -- what LangChain asks of a model ------------------------------------------

    @property
    def _llm_type(self) -> str:
        return f"{self.provider}-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model": self._asked_model(None),
            "base_url": self.base_url,
            "tool_protocol": PROTOCOL,
        }

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self.provider
        model = self._asked_model(kwargs.get("model"))
        if model:
            params["ls_model_name"] = model
        if ends := [*(self.stop or ()), *(stop or ())]:
            params["ls_stop"] = ends
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        return {
            "text_inputs": True,
            "text_outputs": True,
            "tool_calling": True,
            "tool_choice": True,
            "tool_call_streaming": True,
            "structured_output": False,  # it means a service's own
        }

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Yes; credentials are left out."""
        return True


__all__ = ["STANDARD_PARAMETERS", "BaseChatG4F"]

"""The base of all chat models of this package: settings in, LangChain out.

A subclass states the facts of its provider and gives a plan. Everything else is here
and happens once: both ways of generating and both of streaming run over one event
source, `_events` and `_aevents`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_g4f.chat_models.blocks import register
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.messages import known_nonce, to_chat_request
from langchain_g4f.chat_models.progress import (
    areport,
    as_progress,
    login_required,
    no_call,
    report,
)
from langchain_g4f.chat_models.settings import UNHONOURED, near_miss
from langchain_g4f.chat_models.tool_calling import ARGUMENTS, Emulation, ToolCallingModel
from langchain_g4f.core.chat_request import Message
from langchain_g4f.core.events import Text
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import AuthenticationError, ConfigurationError, G4FError
from langchain_g4f.text.escape import escape
from langchain_g4f.tools.prompt import NO_CALL, PROTOCOL

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from langchain_g4f.core.chat_request import AnswerState, ChatRequest, Media, RemoteMedia
    from langchain_g4f.core.events import Event


class EventSource(Protocol):
    """Events that are awaited; closing it ends the call."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Event: ...

    async def aclose(self) -> None: ...


class BaseChatG4F(ToolCallingModel):
    """What the chat models of this package share.

    Raises:
        ConfigurationError: From a call that cannot be made as asked; nothing was sent.
        APIError: From a call that failed; see `langchain_g4f.errors`.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Let content blocks of the provider's answers be read."""
        super().__pydantic_init_subclass__(**kwargs)
        if cls.provider:
            register(cls.provider)

    def _events(self, chat_request: ChatRequest) -> Generator[Event]:
        return self._run(self._signed_in(partial(self._plan, chat_request)))

    def _aevents(self, chat_request: ChatRequest) -> EventSource:
        return self._arun(self._signed_in(partial(self._plan, chat_request)))

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[ChatRequest, ChunkMapper]:
        model = self._asked_model(kwargs.pop("model", None))
        ignored = [name for name in UNHONOURED if name not in self.options]
        self._warn_about({name: kwargs.pop(name, None) for name in ignored})
        options = {
            name: self._option(name, kwargs.pop(name, getattr(self, name, None)))
            for name in self.options
        }
        media = self._given_media(kwargs.pop("media", None))
        nonce = known_nonce(messages, self.provider)
        emulation = Emulation.take(kwargs, nonce)
        kwargs.pop("stream", None)  # core has read it
        if kwargs:
            known = {*self.options, *ARGUMENTS, "media", "model", "stop", *UNHONOURED}
            meant = [f"perhaps {m!r} is meant" for m in [near_miss(n, known) for n in kwargs] if m]
            msg = f"{self.label}: unknown parameters of the call: {sorted(kwargs)}"
            msg = "; ".join([msg, *meant])
            raise ConfigurationError(msg)
        ends = tuple(filter(None, [*(self.stop or ()), *(stop or ())]))
        if emulation is None:
            chat_request = to_chat_request(
                messages, model=model, options=options, media=media, nonce=nonce
            )
            return chat_request, ChunkMapper(self.provider, model, ends)
        chat_request = to_chat_request(
            messages,
            model=model,
            options=options,
            media=media,
            tools=emulation.section,
            note=emulation.note,
            nonce=emulation.nonce,
        )
        return chat_request, self._reading_mapper(model, ends, emulation, self.tool_retries)

    def _reading_mapper(
        self, model: str, ends: tuple[str, ...], emulation: Emulation, retries: int
    ) -> ChunkMapper:
        from langchain_g4f.chat_models.reading import AnswerReading

        reading = AnswerReading(
            tools=bool(emulation.section),
            bare_json=emulation.bare_json,
            parallel=emulation.parallel,
            nonce=emulation.nonce,
            strict=self.strict_tool_calls,
        )
        hold = emulation.forced and retries > 0
        again = None
        if hold:
            again = partial(self._reading_mapper, model, ends, emulation, retries - 1)
        return ChunkMapper(self.provider, model, ends, reading, again=again)

    def _asked_again(
        self, chat_request: ChatRequest, mapper: ChunkMapper
    ) -> tuple[ChatRequest, ChunkMapper]:
        """The call after one that had to be answered with a tool call, and was not."""
        state: AnswerState = "part" if mapper.stopped else "whole"
        answer = Message(
            "assistant",
            escape(mapper.said, mapper.nonce),
            handle=mapper.handle,
            state=state,
            in_history=False,
        )
        question = Message("user", NO_CALL, note=chat_request.messages[-1].note, in_history=False)
        return replace(
            chat_request, messages=(*chat_request.messages, answer, question)
        ), mapper.another()

    def _given_media(self, given: object) -> tuple[Media | RemoteMedia, ...]:
        if given is None:
            return ()
        from langchain_g4f.chat_models.attachments import given_media

        return given_media(given)

    def _option(self, name: str, value: object) -> object:
        """An option in the provider's terms. Overwritten where the caller's differ."""
        return value

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk]:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        yield from self._chunks(chat_request, mapper, run_manager)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        # not by a generator of its own: see `run.arun`
        return self._achunks(chat_request, mapper, run_manager)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        message = mapper.fold(list(self._chunks(chat_request, mapper, run_manager)))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chat_request, mapper = self._prepare(messages, stop, kwargs)
        async with aclosing(self._achunks(chat_request, mapper, run_manager)) as chunks:
            message = mapper.fold([chunk async for chunk in chunks])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _chunks(
        self,
        chat_request: ChatRequest,
        mapper: ChunkMapper,
        run_manager: CallbackManagerForLLMRun | None,
    ) -> Generator[ChatGenerationChunk]:
        while True:
            try:
                with closing(self._events(chat_request)) as events:
                    for event in events:
                        if type(event) is not Text and (progress := as_progress(event)):
                            report(progress, **self._listeners)
                        for chunk in mapper.chunks(event):
                            if run_manager:
                                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                            yield chunk
                        if mapper.stopped:
                            break
                rest = mapper.end()
            except G4FError as error:
                forget_locals(error)
                if isinstance(error, AuthenticationError):
                    report(login_required(error), **self._listeners)
                raise
            for chunk in rest:
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
            if not mapper.missed:
                return
            report(no_call(mapper.said), **self._listeners)
            chat_request, mapper = self._asked_again(chat_request, mapper)

    async def _achunks(
        self,
        chat_request: ChatRequest,
        mapper: ChunkMapper,
        run_manager: AsyncCallbackManagerForLLMRun | None,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        while True:
            try:
                async with aclosing(self._aevents(chat_request)) as events:
                    async for event in events:
                        if type(event) is not Text and (progress := as_progress(event)):
                            await areport(progress, **self._listeners)
                        for chunk in mapper.chunks(event):
                            if run_manager:
                                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                            yield chunk
                        if mapper.stopped:
                            break
                rest = mapper.end()
            except G4FError as error:
                forget_locals(error)
                if isinstance(error, AuthenticationError):
                    await areport(login_required(error), **self._listeners)
                raise
            for chunk in rest:
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
            if not mapper.missed:
                return
            await areport(no_call(mapper.said), **self._listeners)
            chat_request, mapper = self._asked_again(chat_request, mapper)

    @property
    def _listeners(self) -> dict[str, Any]:
        """Who is told of progress."""
        return {
            "provider": self.provider,
            "callback": self.on_progress,
            "events": self.progress_events,
        }

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


__all__ = ["BaseChatG4F"]

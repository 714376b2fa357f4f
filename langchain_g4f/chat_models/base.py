"""The base of all chat models of this package: settings in, LangChain out.

A subclass states the facts of its provider and gives a plan. Everything else is here
and happens once: both ways of generating and both of streaming run over one event
source, `_events` and `_aevents`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.messages import to_turn
from langchain_g4f.chat_models.progress import areport, as_progress, report
from langchain_g4f.chat_models.service import ServiceModel
from langchain_g4f.chat_models.settings import UNHONOURED
from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from langchain_g4f.events import Event
    from langchain_g4f.turn import Turn


class BaseChatG4F(ServiceModel):
    """What the chat models of this package share.

    Raises:
        ConfigurationError: From a call that cannot be made as asked; nothing was sent.
        APIError: From a call that failed; see `langchain_g4f.errors`.
    """

    def _events(self, turn: Turn) -> Generator[Event]:
        return self._run(self._plan(turn, self._session()))

    def _aevents(self, turn: Turn) -> AsyncGenerator[Event]:
        return self._arun(self._plan(turn, self._session()))

    def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[Turn, ChunkMapper]:
        model = self._asked_model(kwargs.pop("model", None))
        self._warn_about({name: kwargs.pop(name, None) for name in UNHONOURED})
        options = {name: kwargs.pop(name, getattr(self, name, None)) for name in self.options}
        if kwargs:
            msg = f"{self.label}: unknown parameters of the call: {sorted(kwargs)}"
            raise ConfigurationError(msg)
        ends = tuple(filter(None, stop if stop is not None else self.stop or ()))
        turn = to_turn(messages, model=model, options=options)
        return turn, ChunkMapper(self.provider, model, ends)

    def _asked_model(self, name: str | None) -> str:
        wanted = name or self.model or self.default_model
        return self.model_aliases.get(wanted, wanted)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk]:
        turn, mapper = self._prepare(messages, stop, kwargs)
        yield from self._chunks(turn, mapper, run_manager)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        turn, mapper = self._prepare(messages, stop, kwargs)
        # core's own generators are closed late by the event loop: close ours at once
        async with aclosing(self._achunks(turn, mapper, run_manager)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn, mapper = self._prepare(messages, stop, kwargs)
        message = mapper.fold(list(self._chunks(turn, mapper, run_manager)))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn, mapper = self._prepare(messages, stop, kwargs)
        async with aclosing(self._achunks(turn, mapper, run_manager)) as chunks:
            message = mapper.fold([chunk async for chunk in chunks])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _chunks(
        self,
        turn: Turn,
        mapper: ChunkMapper,
        run_manager: CallbackManagerForLLMRun | None,
    ) -> Generator[ChatGenerationChunk]:
        with closing(self._events(turn)) as events:
            for event in events:
                if progress := as_progress(event):
                    report(progress, self.provider, self.on_progress)
                for chunk in mapper.chunks(event):
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
                if mapper.stopped:
                    break
        last = mapper.last()
        if run_manager:
            run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    async def _achunks(
        self,
        turn: Turn,
        mapper: ChunkMapper,
        run_manager: AsyncCallbackManagerForLLMRun | None,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        async with aclosing(self._aevents(turn)) as events:
            async for event in events:
                if progress := as_progress(event):
                    await areport(progress, self.provider, self.on_progress)
                for chunk in mapper.chunks(event):
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
                if mapper.stopped:
                    break
        last = mapper.last()
        if run_manager:
            await run_manager.on_llm_new_token(last.text, chunk=last)
        yield last

    # -- what LangChain asks of a model ------------------------------------------

    @property
    def _llm_type(self) -> str:
        return f"{self.provider}-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self._asked_model(None), "base_url": self.base_url}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self.provider
        model = self._asked_model(kwargs.get("model"))
        if model:
            params["ls_model_name"] = model
        if ends := stop or self.stop:
            params["ls_stop"] = ends
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        return {
            "text_inputs": True,
            "text_outputs": True,
            "tool_calling": False,
            "structured_output": False,
        }

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Yes; credentials are left out."""
        return True


__all__ = ["BaseChatG4F"]

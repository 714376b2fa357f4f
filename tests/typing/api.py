"""Ordinary use of the package, for the type checker: what is accepted, and what comes back.

Nothing here runs; `assert_type` is checked by mypy. A line with an ignore is a use that the types
must refuse: mypy reports the ignore where they do not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, assert_type

import httpx
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableSerializable
from pydantic import SecretStr

from langchain_g4f import BaseChatG4F, ChatHuggingChat, Clocks, G4FError, __version__
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ModelNotFoundError,
    RateLimitError,
    StreamError,
)
from langchain_g4f.testing import Prompt, RecordedRequest, Reply, Sandbox

assert_type(__version__, str)


def make() -> None:
    """Everything that may be given to a model."""
    ChatHuggingChat()
    ChatHuggingChat(model="omni", base_url="http://127.0.0.1:3000")
    ChatHuggingChat(model_name="omni", stop_sequences=["###"])
    ChatHuggingChat(cookies="hf-chat=a; token=b")
    ChatHuggingChat(cookies={"hf-chat": "a", "token": "b"})
    ChatHuggingChat(cookies={"hf-chat": SecretStr("a")})
    ChatHuggingChat(cookies=SecretStr("hf-chat=a"))
    ChatHuggingChat(cookies=Path("cookies.txt"))
    ChatHuggingChat(timeout=30, max_retries=0, streaming=True)
    ChatHuggingChat(timeout=Clocks(total=60, silence=5))
    ChatHuggingChat(timeout={"total": 60.0})
    ChatHuggingChat(proxy="http://user:password@127.0.0.1:3128", stop="###")
    ChatHuggingChat(proxy=SecretStr("http://127.0.0.1:3128"), stop=["###", "\nUser:"])
    ChatHuggingChat(http_client=httpx.Client(), http_async_client=httpx.AsyncClient())
    ChatHuggingChat(on_progress=show, tags=["a"], metadata={"b": 1}, profile={"image_inputs": True})
    ChatHuggingChat(on_progress=lambda progress: progress.kind)
    ChatHuggingChat(modle="omni")  # type: ignore[call-arg]
    ChatHuggingChat(timeout="30")  # type: ignore[arg-type]
    ChatHuggingChat("omni")  # type: ignore[call-arg]


def show(progress: Progress) -> None:
    """A listener."""
    assert_type(progress.kind, str)
    assert_type(progress.message, str)


def call(model: ChatHuggingChat, messages: list[LanguageModelInput]) -> None:
    """The sync calls."""
    assert_type(model.invoke("hi"), AIMessage)
    assert_type(model.invoke([HumanMessage("hi")], stop=["a"], model="omni"), AIMessage)
    assert_type(model.stream("hi"), Iterator[AIMessageChunk])
    assert_type(model.batch(messages), list[AIMessage])
    assert_type(model.invoke("hi").text + "!", str)
    assert_type(model.get_models(), list[str])
    assert_type(model.get_model("omni"), str)


async def acall(model: ChatHuggingChat) -> None:
    """The async calls."""
    assert_type(await model.ainvoke("hi"), AIMessage)
    assert_type(model.astream("hi"), AsyncIterator[AIMessageChunk])
    assert_type(await model.aget_models(), list[str])


def chain(model: ChatHuggingChat) -> None:
    """Models are LangChain's: they go wherever one goes."""
    lang: BaseChatModel = model
    base: BaseChatG4F = model
    assert_type(
        ChatPromptTemplate([("user", "{q}")]) | base | StrOutputParser(),
        RunnableSerializable[dict[str, Any], str],
    )
    take(lang)
    take(model.with_fallbacks([lang]))
    take(model.with_retry(retry_if_exception_type=(RateLimitError,)))
    take(model.bind(model="omni"))


def take(model: Runnable[LanguageModelInput, AIMessage]) -> None:
    """A caller's code."""


def facts(kind: type[BaseChatG4F] = ChatHuggingChat) -> None:
    """What a class says of its provider."""
    assert_type(kind.label, str)
    assert_type(kind.needs_auth, bool)
    assert_type(kind.models, tuple[str, ...])
    assert_type(kind.default_model, str)


def fail(model: ChatHuggingChat) -> None:
    """What an error says."""
    try:
        model.invoke("hi")
    except AuthenticationError as error:
        assert_type(error.login_url, str)
    except ModelNotFoundError as error:
        assert_type(error.closest, tuple[str, ...])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except APIStatusError as error:
        assert_type(error.status_code, int)
    except (APITimeoutError, StreamError) as error:
        assert_type(error.partial_text, str)
    except G4FError as error:
        assert_type(str(error), str)


def script(prompt: Prompt) -> Reply:
    """A model behind the sandbox."""
    return Reply(text=prompt.text.upper(), reasoning="Louder.")


def on_a_sandbox(test: Callable[[ChatHuggingChat], None]) -> None:
    """A test of one's own chain."""
    with Sandbox(script, login_required=True) as sandbox:
        test(ChatHuggingChat(base_url=sandbox.base_url, cookies=sandbox.login()))
        assert_type(sandbox.requests, list[RecordedRequest])


async def on_a_sandbox_async() -> None:
    """The same, in a coroutine."""
    async with Sandbox(reply="hi") as sandbox:
        await ChatHuggingChat(base_url=sandbox.base_url).ainvoke("hi")

"""Property 10, going in: any list of LangChain messages is a turn or one of our errors."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.utils import convert_to_messages

from langchain_g4f.chat_models.messages import to_chat_request
from langchain_g4f.core.chat_request import ChatRequest, history_digest
from langchain_g4f.errors import ConfigurationError, MediaError
from langchain_g4f.providers.huggingchat.files import files_of
from langchain_g4f.providers.huggingchat.handle import find_continuation
from langchain_g4f.text.transcript import render
from tests.contract.properties.test_totality import check_error
from tests.contract.properties.updates import scalars

SERVER = "http://127.0.0.1/chat"
_words = st.text(max_size=10) | st.sampled_from(["hi", "", " ", "\ud800", "<user>"])
_data = st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"text", b"", b"\0\1", b"<html>"])
_base64 = _data.map(lambda data: base64.b64encode(data).decode()) | st.sampled_from(["é", "a", "="])
_urls = st.one_of(
    st.sampled_from(
        ["https://x.example/a.png", "", "data:,", "data:image/png;base64,a", "nonsense"]
    ),
    _base64.map("data:image/png;base64,{}".format),
)
_kinds = st.sampled_from(["image", "audio", "video", "file", "text-plain", "pdf", "reasoning"])
_blocks: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, _words),
    _words,
    st.builds(
        lambda kind, more: {"type": kind, **more},
        _kinds,
        st.fixed_dictionaries(
            {},
            optional={
                "url": _urls,
                "base64": _base64 | _data,
                "data": _data | _base64,
                "source_type": st.sampled_from(["url", "base64", "text", "id"]),
                "mime_type": st.sampled_from(["image/png", "text/plain", "", "x"]),
                "text": _words,
                "file_id": st.just("f1"),
                "name": _words,
                "extras": st.dictionaries(st.sampled_from(["filename", "x"]), _words),
                "reasoning": _words,
            },
        ),
    ),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, _urls),
    st.builds(lambda url: {"type": "image_url", "image_url": url}, _urls),
    st.builds(lambda data: {"type": "file", "file": {"file_data": data}}, _urls),
    st.builds(
        lambda data, kind: {"type": kind, "source": {"type": "base64", "data": data}},
        _base64,
        st.sampled_from(["image", "document"]),
    ),
    st.builds(
        lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
        _base64,
    ),
)
_contents = _words | st.lists(_blocks, max_size=3)
_handles = st.one_of(
    st.fixed_dictionaries(
        {
            "provider": st.just("huggingchat"),
            "server": st.just(SERVER),
            "conversation": st.just("1"),
            "anchor": _words,
            "position": st.integers(),
            "run_id": _words,
            "digest": _words,
        },
        optional={"files": st.lists(_words), "continued": st.booleans()},
    ),
    st.dictionaries(_words, scalars, max_size=2),
    scalars,
)
_metadata = st.fixed_dictionaries(
    {},
    optional={
        "conversation": _handles,
        "finish_reason": st.sampled_from(["stop", "interrupted", "length", None]),
        "restarted": st.booleans(),
        "stop_sequence": _words,
        "model_provider": st.sampled_from(["huggingchat", "openai", "anthropic"]),
        "output_version": st.sampled_from(["v0", "v1"]),
    },
)
_tool_calls = st.lists(st.just({"name": "t", "args": {}, "id": "1"}), max_size=1)
_extras = st.fixed_dictionaries({}, optional={"reasoning_content": _words, "title": _words})
_roles = st.sampled_from(
    ["user", "human", "assistant", "ai", "system", "developer", "tool", "critic", ""]
)
_named = st.sampled_from(["user", "human", "assistant", "ai", "system", "developer"])
_messages: st.SearchStrategy[BaseMessage] = st.one_of(
    st.builds(HumanMessage, content=_contents),
    st.builds(HumanMessage, content=_contents),
    st.builds(SystemMessage, content=_contents),
    st.builds(
        AIMessage,
        content=_contents,
        response_metadata=_metadata,
        additional_kwargs=_extras,
        tool_calls=_tool_calls,
    ),
    st.builds(
        AIMessageChunk, content=_words, response_metadata=_metadata, additional_kwargs=_extras
    ),
    st.builds(ChatMessage, content=_contents, role=_roles),
    st.builds(ToolMessage, content=_words, tool_call_id=st.just("1")),
    st.builds(FunctionMessage, content=_words, name=st.just("f")),
    st.just(RemoveMessage(id="1")),
)


@pytest.mark.proves("property:10", "fault:49:HC")
@given(messages=st.lists(_messages, max_size=5))
def test_messages_are_a_turn_or_one_of_our_errors(messages: list[BaseMessage]) -> None:
    """And a turn can be told apart, written down and sent."""
    try:
        chat_request = to_chat_request(messages, model="m", options={})
    except (ConfigurationError, MediaError) as error:
        check_error(error)
        return
    check_turn(chat_request)
    said = [m for m in messages if isinstance(m, HumanMessage)]
    assert len(said) <= sum(m.role == "user" for m in chat_request.messages)
    assert all(str(m.text) in [t.text for t in chat_request.messages] for m in said)


def check_turn(chat_request: ChatRequest) -> None:
    """It has something to answer, and all of it can go on the wire."""
    asked = any(m.role == "user" and (m.text.strip() or m.media) for m in chat_request.messages)
    assert asked or {"assistant", "tool"} <= {m.role for m in chat_request.messages}
    (render(chat_request.messages) + chat_request.system).encode()
    assert all(file.data and file.mime_type for file in files_of(chat_request.messages))
    assert len(history_digest(chat_request.messages, chat_request.system, chat_request.model)) == 32
    found = find_continuation(chat_request, SERVER, chat_request.model)
    assert found is None or found.answer in chat_request.messages


@pytest.mark.proves("property:10")
@given(pairs=st.lists(st.tuples(_named, _words), max_size=4))
def test_messages_given_as_pairs_are_a_turn_or_one_of_our_errors(
    pairs: list[tuple[str, str]],
) -> None:
    """What LangChain makes of them is what counts."""
    try:
        chat_request = to_chat_request(convert_to_messages(pairs), model="", options={})
    except ConfigurationError as error:
        check_error(error)
    else:
        check_turn(chat_request)

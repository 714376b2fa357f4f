"""The models of a chat-ui server (docs/protocols/huggingchat.md, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import send
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    ConfigurationError,
    MalformedStreamError,
    ModelNotFoundError,
    NotFoundError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.huggingchat.files import is_image
from langchain_g4f.providers.huggingchat.login import explained
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.refusals import no_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.chat_request import ChatRequest, Media
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON, Response
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.errors import BadRequestError
    from langchain_g4f.providers.huggingchat.options import Options


_TTL_S = 300.0


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A model as the server describes it.

    Attributes:
        name: Its id.
        multimodal: Whether it takes images.
        tools: Whether it uses tools of servers; an older server does not say so.
        is_router: Whether it picks another model for each message.
    """

    name: str
    multimodal: bool = False
    tools: bool = True
    is_router: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    models: list[ServerModel]
    at: float


def list_models(base_url: str) -> PlanOf[list[ServerModel]]:
    """The server's models that may be asked, its default first.

    Servers before June 2025 have only the plain form of the list.

    Raises:
        MalformedStreamError: What is there is no chat-ui server.
        NotFoundError: The same, said by a status.
    """
    try:
        response = yield from send(lambda: _list(f"{base_url}/api/v2/models"))
    except NotFoundError:
        response = None
    try:
        if response is None or response.headers.content_type != "application/json":
            response = yield from send(lambda: _list(f"{base_url}/api/models"))
        found = _entries(response)
    except (NotFoundError, MalformedStreamError) as error:
        raise no_server(error, base_url) from None
    if not isinstance(found, list) or not found:
        raise MalformedStreamError("expected a list of models", provider=NAME)
    return [
        ServerModel(
            need(entry, "id", str),
            want(entry, "multimodal", bool, default=False),
            want(entry, "supportsTools", bool, default=True),
            want(entry, "isRouter", bool, default=False),
        )
        for entry in found
        if not want(entry, "unlisted", bool, default=False)
    ]


def known_models(context: CallContext, base_url: str) -> PlanOf[list[ServerModel]]:
    """Like `list_models`, asked anew every five minutes for all models of the process."""
    key = f"{base_url} models"
    kept = context.memory.get(key)
    if isinstance(kept, _Kept) and context.clock() - kept.at < _TTL_S:
        return kept.models
    try:
        models = yield from list_models(base_url)
    except APIStatusError as error:  # some operators want a login for every path (2.2)
        raise explained(error, base_url) from None
    context.memory[key] = _Kept(models, context.clock())
    return models


def choose_model(chat_request: ChatRequest, context: CallContext, base_url: str) -> PlanOf[str]:
    """The model that is asked: the named one, or the server's default for such a turn."""
    if chat_request.model:
        return chat_request.model
    models = yield from known_models(context, base_url)
    images = any(is_image(media) for message in chat_request.messages for media in message.media)
    able = [model for model in models if model.multimodal or not images]
    return (able or models)[0].name


def check_vision(
    model: str, files: Sequence[Media], context: CallContext, base_url: str
) -> PlanOf[None]:
    """Refuse images that the server would drop, because the model takes none (8).

    Raises:
        UnsupportedMediaError: The model is known to take none.
    """
    if not any(is_image(file) for file in files):
        return
    models = yield from known_models(context, base_url)
    if any(entry.name == model and not entry.multimodal for entry in models):
        able = ", ".join(entry.name for entry in models if entry.multimodal) or "none"
        msg = f"{NAME}: model {model!r} takes no images; those that do: {able}"
        raise UnsupportedMediaError(msg)


def check_tools(model: str, options: Options, context: CallContext, base_url: str) -> PlanOf[None]:
    """Refuse tools that the server would not offer, because the model uses none (7).

    Raises:
        ConfigurationError: The model is known to use none.
    """
    if not options.offered:
        return
    models = yield from known_models(context, base_url)
    if any(entry.name == model and not entry.tools for entry in models):
        able = ", ".join(entry.name for entry in models if entry.tools) or "none"
        msg = f"{NAME}: {options.offered}: model {model!r} uses no tools; those that do: {able}"
        raise ConfigurationError(msg)


def unknown_model(error: BadRequestError, model: str, base_url: str) -> PlanOf[APIStatusError]:
    """The server calls an unknown model an invalid request: look which it is."""
    try:
        known = [entry.name for entry in (yield from list_models(base_url))]
    except APIError:
        return error
    if model in known:
        return error
    closest = tuple(get_close_matches(model, known, n=3, cutoff=0.3))
    shown = ", ".join(closest or known[:5])
    found = ModelNotFoundError(
        f"{NAME}: no model {model!r} at {base_url}; the closest are: {shown}",
        status_code=error.status_code,
        body=error.body,
        provider=NAME,
        phase=error.phase,
    )
    found.closest = closest
    return found


def _list(url: str) -> Request:
    return Request(
        "GET", url, {"accept": "application/json"}, retry=RetryWhen.ALWAYS, phase="list the models"
    )


def _entries(response: Response) -> JSON:
    """The list, out of its superjson wrapper where it has one (section 3)."""
    value = response.json()
    return value.get("json") if isinstance(value, dict) else value


__all__ = [
    "ServerModel",
    "check_tools",
    "check_vision",
    "choose_model",
    "known_models",
    "list_models",
    "unknown_model",
]

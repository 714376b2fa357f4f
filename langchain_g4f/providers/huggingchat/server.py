"""What is known of a chat-ui server: its version and its models.

Follows docs/protocols/huggingchat.md, sections 4 and 9.3. All that a process remembers of a
server is kept by the functions of this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.cache import Kind
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
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.requests import explain, get, no_server, with_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.chat_request import ChatRequest, Media
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.errors import BadRequestError
    from langchain_g4f.providers.huggingchat.options import Options

ServerVersion = Literal["current", "legacy"]

_MODELS_AGE_S = 300.0


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A model as the server describes it.

    Attributes:
        name: Its id.
        multimodal: Whether it takes images.
        tools: Whether it uses tools of servers; an older server does not say so.
    """

    name: str
    multimodal: bool = False
    tools: bool = True


_VERSIONS = Kind[ServerVersion]()
_MODELS = Kind[list[ServerModel]]()


def known_version(context: CallContext, base_url: str) -> ServerVersion | None:
    """The version of the server, if an earlier answer has shown it."""
    return context.cache.get(_VERSIONS, base_url)


def remember_version(context: CallContext, base_url: str, version: ServerVersion) -> None:
    """Remember the version of the server."""
    context.cache.put(_VERSIONS, base_url, version)


def describe(base_url: str) -> PlanOf[str]:
    """``"chat-ui current"`` or ``"chat-ui legacy"``.

    Raises:
        AuthenticationError: The server wants a login for every path.
        MalformedStreamError: No chat-ui server is there.
    """
    try:
        if (yield from _is_json(f"{base_url}/api/v2/feature-flags")):
            return "chat-ui current"
        # an older server answers an unknown path with a page, and so does any other website
        if (yield from _is_json(f"{base_url}/api/models")):
            return "chat-ui legacy"
    except APIStatusError as error:
        raise explain(error, base_url) from None
    raise no_server(MalformedStreamError("it lists no models"), base_url)


def _is_json(url: str) -> PlanOf[bool]:
    try:
        response = yield from get(url, "ask what the server is")
    except NotFoundError:
        return False
    return response.headers.content_type == "application/json"


def list_models(base_url: str) -> PlanOf[list[ServerModel]]:
    """The server's models that may be asked, its default first.

    Servers before June 2025 have only the plain form of the list.

    Raises:
        MalformedStreamError: No chat-ui server is there.
        NotFoundError: The same, shown by a status.
    """
    phase = "list the models"
    try:
        response = yield from get(f"{base_url}/api/v2/models", phase)
    except NotFoundError:
        response = None
    try:
        if response is None or response.headers.content_type != "application/json":
            response = yield from get(f"{base_url}/api/models", phase)
        found = response.json()
    except (NotFoundError, MalformedStreamError) as error:
        raise no_server(error, base_url) from None
    if isinstance(found, dict):  # wrapped by superjson (section 3)
        found = found.get("json")
    if not isinstance(found, list) or not found:
        raise MalformedStreamError("expected a list of models", provider=NAME)
    return [
        ServerModel(
            need(entry, "id", str),
            want(entry, "multimodal", bool, default=False),
            want(entry, "supportsTools", bool, default=True),
        )
        for entry in found
        if not want(entry, "unlisted", bool, default=False)
    ]


def known_models(context: CallContext, base_url: str) -> PlanOf[list[ServerModel]]:
    """Like `list_models`; a process asks each server at most every five minutes."""
    models = context.cache.get(_MODELS, base_url)
    if models is not None:
        return models
    try:
        models = yield from list_models(base_url)
    except APIStatusError as error:  # some operators want a login for every path (2.2)
        raise explain(error, base_url) from None
    context.cache.put(_MODELS, base_url, models, _MODELS_AGE_S)
    return models


def choose_model(chat_request: ChatRequest, context: CallContext, base_url: str) -> PlanOf[str]:
    """The model that the caller names, or the server's default that takes the caller's files.

    Raises:
        ModelNotFoundError: The caller names none, and the server lists none.
    """
    if chat_request.model:
        return chat_request.model
    models = yield from known_models(context, base_url)
    if not models:
        raise ModelNotFoundError(f"{base_url} lists no model; name one with model=", provider=NAME)
    images = any(is_image(media) for message in chat_request.messages for media in message.media)
    able = [model for model in models if model.multimodal or not images]
    return (able or models)[0].name


def check_vision(
    model: str, files: Sequence[Media], context: CallContext, base_url: str
) -> PlanOf[None]:
    """Refuse images for a model that takes none: the server would drop them (8).

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
    """Refuse tools for a model that uses none: the server would not offer them (7).

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
    """The error for an invalid request, which an unknown model is to the server."""
    try:
        known = [entry.name for entry in (yield from list_models(base_url))]
    except APIError:
        return error
    if model in known:
        return error
    closest = tuple(get_close_matches(model, known, n=3, cutoff=0.3))
    shown = ", ".join(closest or known[:5])
    text = f"{NAME}: no model {model!r} at {base_url}; the closest are: {shown}"
    found = with_status(ModelNotFoundError, text, error)
    found.closest = closest
    return found


__all__ = [
    "ServerModel",
    "ServerVersion",
    "check_tools",
    "check_vision",
    "choose_model",
    "describe",
    "known_models",
    "known_version",
    "list_models",
    "remember_version",
    "unknown_model",
]

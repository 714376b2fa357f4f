"""Reads the description of an app, and wakes a Space that sleeps.

Follows docs/protocols/gradio-space.md, sections 8 and 10. A description is cached until the
app restarts, because every edit of an app changes the ids in it.
"""

from __future__ import annotations

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.cache import Kind
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import PlanOf, Sleep, send
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ChallengeError,
    MalformedStreamError,
    NotFoundError,
    ServerError,
    SpaceNotRunningError,
)
from langchain_g4f.providers.gradio_space.app import App, named_app, read_app
from langchain_g4f.providers.gradio_space.config import SpaceConfig

DESCRIBE = "read the app's description"
_UP = ("RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING")
_ASLEEP = ("SLEEPING", "STOPPED")
_STARTING = ("BUILDING", "APP_STARTING")
_UNAVAILABLE = (502, 503, 504)
_AWAY = (404, *_UNAVAILABLE)
_FIRST_S, _LONGEST_S = 1.0, 5.0
_TRUSTED_S = 10.0
"""Seconds after which the app is asked again whether it has restarted."""
_APPS = Kind[App]()
_CHECKED = Kind[int]()
"""The ``app_id`` that an app had when it was last asked."""


def cached_app(config: SpaceConfig, context: CallContext) -> App | None:
    """The description of the app, if an earlier call has read it."""
    return context.cache.get(_APPS, config.base_url)


def forget_app(config: SpaceConfig, context: CallContext) -> None:
    """Make the next call read the description again."""
    context.cache.pop(_APPS, config.base_url)


def open_app(config: SpaceConfig, context: CallContext) -> PlanOf[App]:
    """The description of the app; read again only after a restart.

    Raises:
        SpaceNotRunningError: It does not run, or did not wake up in time.
        MalformedStreamError: The address has no Gradio app, or one that is too old.
    """
    app = cached_app(config, context)
    if app is not None and (yield from _is_same(app, config, context)):
        return app
    return (yield from _read(config, context))


def _is_same(app: App, config: SpaceConfig, context: CallContext) -> PlanOf[bool]:
    """Whether the app has not restarted; asked at most every `_TRUSTED_S` seconds.

    After an edit and a restart, a number we know may belong to another function, which
    answers without an error.
    """
    if app.app_id == context.cache.get(_CHECKED, config.base_url):
        return True
    try:
        same = (yield from app_id(config, app)) == app.app_id
    except APIError:
        return False
    context.cache.put(_CHECKED, config.base_url, app.app_id, _TRUSTED_S)
    return same


def with_parameter_names(app: App, config: SpaceConfig, context: CallContext) -> PlanOf[App]:
    """``app`` with what ``/info`` says of its functions; asked once."""
    if app.is_named:
        return app
    request = _get(config, f"{config.api(app)}/info?all_endpoints=True", "ask for the app's inputs")
    try:
        app = named_app(app, (yield from send(lambda: request)).json())
    except APIError:  # the app works without
        app = named_app(app, {})
    context.cache.put(_APPS, config.base_url, app)
    return app


def app_id(config: SpaceConfig, app: App) -> PlanOf[int]:
    """The number that changes when the app restarts (section 2)."""
    url, phase = f"{config.api(app)}/app_id", "ask whether the app is the same"
    response = yield from send(lambda: _get(config, url, phase))
    return need(response.json(), "app_id", int)


def is_platform_error(error: APIError) -> bool:
    """Whether the platform answered in place of the app (section 10)."""
    return (
        isinstance(error, APIStatusError)
        and error.status_code in _AWAY
        and error.content_type == "text/html"
        and not isinstance(error, ChallengeError)
    )


def _is_undescribed(error: APIStatusError) -> bool:
    """Whether there is an app that does not describe itself to anyone."""
    kinds = BadRequestError | NotFoundError | ServerError
    away = is_platform_error(error) or error.status_code in _UNAVAILABLE
    return isinstance(error, kinds) and not away


def _read(config: SpaceConfig, context: CallContext) -> PlanOf[App]:
    until = context.clock() + config.wake_timeout_s
    request = _get(config, f"{config.base_url}/config", DESCRIBE)
    wait = _FIRST_S
    while True:
        try:
            response = yield from send(lambda: request)
            kind = response.headers.content_type
            if kind != "text/html":
                app = read_app(response.json())
                config.api(app)  # refuses a prefix that leads elsewhere, before anything is sent
                context.cache.put(_APPS, config.base_url, app)
                context.cache.put(_CHECKED, config.base_url, app.app_id, _TRUSTED_S)
                return app
            error: APIError = MalformedStreamError(
                f"expected the description of a Gradio app, got {kind}"
            )
        except APIStatusError as found:
            if config.fallback_app is not None and _is_undescribed(found):
                return config.fallback_app  # not cached: the next call may get a description
            if found.status_code not in _AWAY or isinstance(found, ChallengeError):
                raise
            error = found
        yield from _wake(config, context, error, until)
        if context.clock() + wait > until:
            raise _not_running("", f"answers with {error}") from None
        yield Sleep(wait)
        wait = min(wait * 1.5, _LONGEST_S)


def _wake(config: SpaceConfig, context: CallContext, error: APIError, until: float) -> PlanOf[None]:
    """Return when the Hub says that the Space runs; ``error`` is the app's own response."""
    space = config.space or (yield from _space_id(config))
    if not space:
        if is_platform_error(error):
            raise _not_running("", f"there is no app at its address: {error}")
        raise error
    begin, wait = context.clock(), _FIRST_S
    while True:
        stage = yield from _stage(config, space)
        if stage in _UP:
            # a Space that already ran at the first look has answered for itself
            if wait == _FIRST_S and isinstance(error, MalformedStreamError | NotFoundError):
                raise error
            return
        if stage not in (*_ASLEEP, *_STARTING):
            raise _not_running(stage, f"{space} does not run: its stage is {stage}")
        now = context.clock()
        if now + wait > until:
            waited = f"{space} was not up within {config.wake_timeout_s:g} s"
            raise _not_running(stage, f"{waited}: its stage is {stage}")
        message = f"{space} is {stage.lower().replace('_', ' ')}"
        yield Progress("waking", message, {"stage": stage, "waited_s": round(now - begin, 3)})
        if stage in _ASLEEP:
            yield from _send_wake_request(config)
        yield Sleep(wait)
        wait = min(wait * 1.5, _LONGEST_S)


def _stage(config: SpaceConfig, space: str) -> PlanOf[str]:
    url = f"{config.hub_api(space)}/runtime"
    try:
        response = yield from send(lambda: _get(config, url, "ask for the state of the Space"))
    except (NotFoundError, AuthenticationError) as error:
        error.args = (f"there is no Space {space!r}, or it is private: {error}",)
        raise
    return need(response.json(), "stage", str)


def _space_id(config: SpaceConfig) -> PlanOf[str]:
    """The id of the Space at the app's address; empty if there is no Space."""
    if not config.subdomain:
        return ""
    url = f"{config.hub_url}/api/spaces/by-subdomain/{segment(config.subdomain)}"
    try:
        response = yield from send(lambda: _get(config, url, "ask which Space this is"))
        return want(response.json(), "id", str, default="")
    except APIError:
        return ""


def _send_wake_request(config: SpaceConfig) -> PlanOf[None]:
    """Any request wakes a sleeping Space; the response does not matter."""
    request = Request("GET", f"{config.base_url}/", config.headers, phase="wake the Space")
    try:
        yield from send(lambda: request)
    except APIError:
        return


def _get(config: SpaceConfig, url: str, phase: str) -> Request:
    return Request("GET", url, config.headers, retry=RetryWhen.ALWAYS, phase=phase)


def _not_running(stage: str, message: str) -> SpaceNotRunningError:
    error = SpaceNotRunningError(f"the Space is not running: {message}")
    error.stage = stage
    return error

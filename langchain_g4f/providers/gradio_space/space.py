"""Opens the app of a Space, and waits for one that sleeps.

Follows docs/protocols/gradio-space.md, sections 8 and 10. What an app says of itself is
kept until the app says something else: ids move with every edit of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Sleep, send
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
from langchain_g4f.providers.gradio_space.app import App, read_app
from langchain_g4f.providers.gradio_space.where import space_path

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import Response
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.gradio_space.where import Where

_UP = ("RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING")
_ASLEEP = ("SLEEPING", "STOPPED")
_STARTING = ("BUILDING", "APP_STARTING")
_UNAVAILABLE = (502, 503, 504)
_AWAY = (404, *_UNAVAILABLE)
_FIRST_S, _LONGEST_S = 1.0, 5.0
_TRUSTED_S = 10.0


def known_app(where: Where, context: CallContext) -> App | None:
    """What was found out about the app, if anything."""
    found = context.memory.get(_key(where))
    return found if isinstance(found, App) else None


def forget_app(where: Where, context: CallContext) -> None:
    """Look at the app anew at the next call."""
    context.memory.pop(_key(where), None)


def open_app(where: Where, context: CallContext) -> PlanOf[App]:
    """What the app says of itself; asked once as long as it stays the same.

    Raises:
        SpaceNotRunningError: It does not run, or did not wake up in time.
        MalformedStreamError: What is there is no Gradio app, or one that is too old.
    """
    app = known_app(where, context)
    if app is not None and (yield from _is_same(app, where, context)):
        return app
    return (yield from _read(where, context))


def _is_same(app: App, where: Where, context: CallContext) -> PlanOf[bool]:
    """Whether the app still is the one that was described.

    After an edit and a restart, another function may have the number of the one we know,
    and answer without an error. So it is asked, unless it was a moment ago.
    """
    known_at = context.memory.get(_key_of_time(where))
    if isinstance(known_at, float) and context.clock() - known_at < _TRUSTED_S:
        return True
    try:
        same = (yield from app_id(where, app)) == app.app_id
    except APIError:
        return False
    context.memory[_key_of_time(where)] = context.clock()
    return same


def app_id(where: Where, app: App) -> PlanOf[int]:
    """The number that changes when the app is restarted (section 2)."""
    request = _get(where, f"{where.api(app)}/app_id", "ask whether the app is the same")
    return need((yield from send(lambda: request)).json(), "app_id", int)


def is_away(error: APIError) -> bool:
    """Whether the platform answered in place of the app (section 10)."""
    return (
        isinstance(error, APIStatusError)
        and error.status_code in _AWAY
        and error.content_type == "text/html"
        and not isinstance(error, ChallengeError)
    )


def _is_undescribed(error: APIStatusError) -> bool:
    """Whether there is an app that does not describe itself; who asks is not the reason."""
    kinds = BadRequestError | NotFoundError | ServerError
    away = is_away(error) or error.status_code in _UNAVAILABLE
    return isinstance(error, kinds) and not away


def _read(where: Where, context: CallContext) -> PlanOf[App]:
    until = context.clock() + where.wake_timeout_s
    request = _get(where, f"{where.base_url}/config", "read the app's description")
    wait = _FIRST_S
    while True:
        try:
            response = yield from send(lambda: request)
            if response.headers.content_type != "text/html":
                app = read_app(response.json())
                where.api(app)  # refused before anything is sent there
                context.memory[_key(where)] = app
                context.memory[_key_of_time(where)] = context.clock()
                return app
            error: APIError = _no_app(response)
        except APIStatusError as found:
            if where.known is not None and _is_undescribed(found):
                return where.known  # not kept: it may describe itself the next time
            if found.status_code not in _AWAY or isinstance(found, ChallengeError):
                raise
            error = found
        yield from _awaken(where, context, error, until)
        if context.clock() + wait > until:
            raise _not_running("", f"answers with {error}") from None
        yield Sleep(wait)
        wait = min(wait * 1.5, _LONGEST_S)


def _awaken(where: Where, context: CallContext, error: APIError, until: float) -> PlanOf[None]:
    """Return when the Hub says that the Space runs; ``error`` is what the app itself said."""
    space = where.space or (yield from _space_id(where))
    if not space:
        if is_away(error):
            raise _not_running("", f"there is no app at its address: {error}")
        raise error
    begin, wait = context.clock(), _FIRST_S
    while True:
        stage = yield from _stage(where, space)
        if stage in _UP:
            # while it was not, no other answer was to be had
            if wait == _FIRST_S and isinstance(error, MalformedStreamError | NotFoundError):
                raise error
            return
        if stage not in (*_ASLEEP, *_STARTING):
            raise _not_running(stage, f"{space} does not run: its stage is {stage}")
        now = context.clock()
        if now + wait > until:
            msg = f"{space} was not up within {where.wake_timeout_s:g} s: its stage is {stage}"
            raise _not_running(stage, msg)
        said = f"{space} is {stage.lower().replace('_', ' ')}"
        yield Progress("waking", said, {"stage": stage, "waited_s": round(now - begin, 3)})
        if stage in _ASLEEP:
            yield from _knock(where)
        yield Sleep(wait)
        wait = min(wait * 1.5, _LONGEST_S)


def _stage(where: Where, space: str) -> PlanOf[str]:
    url = f"{where.hub_url}/api/spaces/{space_path(space)}/runtime"
    try:
        response = yield from send(lambda: _get(where, url, "ask for the state of the Space"))
    except (NotFoundError, AuthenticationError) as error:
        error.args = (f"there is no Space {space!r}, or it is private: {error}",)
        raise
    return need(response.json(), "stage", str)


def _space_id(where: Where) -> PlanOf[str]:
    """The id of the Space behind an address, if it is one."""
    if not where.subdomain:
        return ""
    url = f"{where.hub_url}/api/spaces/by-subdomain/{segment(where.subdomain)}"
    try:
        response = yield from send(lambda: _get(where, url, "ask which Space this is"))
        return want(response.json(), "id", str, default="")
    except APIError:
        return ""


def _knock(where: Where) -> PlanOf[None]:
    """A request to a sleeping Space wakes it; what it answers says nothing."""
    request = Request("GET", f"{where.base_url}/", where.headers, phase="wake the Space")
    try:
        yield from send(lambda: request)
    except APIError:
        return


def _get(where: Where, url: str, phase: str) -> Request:
    return Request("GET", url, where.headers, retry=RetryWhen.ALWAYS, phase=phase)


def _no_app(response: Response) -> MalformedStreamError:
    kind = response.headers.content_type
    return MalformedStreamError(f"expected the description of a Gradio app, got {kind}")


def _not_running(stage: str, message: str) -> SpaceNotRunningError:
    error = SpaceNotRunningError(f"the Space is not running: {message}")
    error.stage = stage
    return error


def _key(where: Where) -> str:
    return f"gradio app at {where.base_url}"


def _key_of_time(where: Where) -> str:
    return f"when the gradio app at {where.base_url} was asked"


__all__ = ["app_id", "forget_app", "is_away", "known_app", "open_app"]

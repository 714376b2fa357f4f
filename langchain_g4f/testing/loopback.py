"""What the sandboxes share: how they start and stop, and an app behind a recorder."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from langchain_g4f.core.extras import how_to_install
from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from starlette.types import Receive, Scope, Send

    from langchain_g4f.testing.recording import RecordedRequest


class ManagedServer(ABC):
    """A server that runs as long as a `with` block lasts, sync or async."""

    @abstractmethod
    def start(self) -> None:
        """Start serving. `with` does this."""

    @abstractmethod
    def stop(self) -> None:
        """Stop serving. `with` does this."""

    def wait_until(self, condition: Callable[[], object], timeout_s: float = 5.0) -> None:
        """Wait until `condition()` is true, for what the server notices a moment later.

        Raises:
            TimeoutError: It did not become true within `timeout_s` seconds.
        """
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError("the server did not get there in time")
            time.sleep(0.002)

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop serving."""
        self.stop()


class SandboxApp(Protocol):
    """An ASGI app that expects `recording.Recorder` around it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

    async def close(self) -> None:
        """End everything that is still being generated, after the connections were closed."""


class Loopback(ManagedServer):
    """An app in a server thread, its requests recorded.

    Args:
        make_app: Imports and makes the app.

    Raises:
        MissingDependencyError: starlette or uvicorn is not installed.
    """

    def __init__(self, make_app: Callable[[], SandboxApp]) -> None:
        try:
            from langchain_g4f.testing.server import ServerThread

            app = make_app()
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        self._recorder = Recorder(app)
        self._server = ServerThread(self._recorder, app.close)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Everything that arrived, in order."""
        return self._recorder.requests

    def start(self) -> None:
        """Start serving. `with` does this."""
        self._server.start()

    def stop(self) -> None:
        """Close every connection and end the server's thread. `with` does this."""
        self._server.stop()


def _missing(error: ModuleNotFoundError) -> MissingDependencyError:
    return MissingDependencyError(
        f"{error.name} is not installed: the sandbox needs the extra `sandbox`."
        f" {how_to_install('sandbox')}"
    )

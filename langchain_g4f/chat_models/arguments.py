"""What the constructors of the chat models take, for type checkers.

A field says what is kept; given may be more: text for a secret, a mapping for clocks,
one string for a list of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from langchain_core.caches import BaseCache
    from langchain_core.callbacks import Callbacks
    from langchain_core.language_models import ModelProfile
    from langchain_core.rate_limiters import BaseRateLimiter
    from pydantic import SecretStr

    from langchain_g4f.core.events import Progress
    from langchain_g4f.core.limits import Clocks


class Arguments(TypedDict, total=False):
    """Those that all chat models have; LangChain's own come last."""

    model: str | None
    model_name: str | None
    base_url: str
    timeout: float | Clocks | Mapping[str, float] | None
    max_retries: int
    proxy: str | SecretStr | None
    impersonate: str | None
    http_client: Any
    http_async_client: Any
    stop: str | Sequence[str] | None
    stop_sequences: str | Sequence[str] | None
    streaming: bool
    on_progress: Callable[[Progress], object] | None
    progress_events: bool
    on_login_required: Callable[[str], object] | None
    login_profile: str
    from_browser: str | None
    tool_retries: int
    strict_tool_calls: bool
    temperature: float | None
    max_tokens: int | None

    name: str | None
    cache: BaseCache | bool | None
    callbacks: Callbacks
    custom_get_token_ids: Callable[[str], list[int]] | None
    disable_streaming: bool | Literal["tool_calling"]
    metadata: dict[str, Any] | None
    output_version: str | None
    profile: str | ModelProfile | None
    rate_limiter: BaseRateLimiter | None
    tags: list[str] | None
    verbose: bool


__all__ = ["Arguments"]

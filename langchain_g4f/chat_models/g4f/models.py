"""A provider's models (docs/protocols/g4f-provider-interface.md, section 3).

What the interface writes to a provider's class stays unwritten here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from langchain_g4f.chat_models.g4f.errors import translated
from langchain_g4f.chat_models.g4f.facts import named_by, takes_anything

if TYPE_CHECKING:
    from langchain_g4f.chat_models.g4f.facts import Facts


def listed_models(
    facts: Facts, credentials: Mapping[str, Any], secrets: Sequence[str] = ()
) -> list[str]:
    """The models a provider lists; its default, if it lists none.

    Args:
        facts: What is known of the provider.
        credentials: What it may want to ask its service with.
        secrets: What no error may quote.

    Raises:
        G4FError: Its service could not be asked.
    """
    ask = getattr(facts.provider, "get_models", None)
    if not callable(ask):
        return facts.models or ([facts.default_model] if facts.default_model else [])
    named, anything = named_by(ask), takes_anything(ask)
    given = {n: v for n, v in credentials.items() if v is not None and (n in named or anything)}
    try:
        found = _waited(ask(**given))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- a provider may raise anything
        failure = translated(error, facts.name, secrets=secrets)
    else:
        names = [str(name) for name in found] if isinstance(found, Sequence | Mapping | set) else []
        return names or ([facts.default_model] if facts.default_model else [])
    raise failure  # out here: it is not to have the original as its context


def find_model(facts: Facts, name: str, models: Callable[[], list[str]]) -> str:
    """The provider's name for a model.

    Args:
        facts: What is known of the provider.
        name: What the caller calls it; empty or ``"auto"`` for the default.
        models: Lists the models.
    """
    if name in ("", "auto"):
        name = facts.default_model or name
    if found := facts.aliases.get(name):
        return found[0]
    known = models()
    if name in known:
        return name
    if not name or name == "auto":
        free = (model for model in known if model == "auto" or model.endswith("/free"))
        return next(free, name)
    ending = (model for model in known if model.lower().endswith(name.lower()))
    return next(ending, name)


def _waited(found: Any) -> Any:
    """What comes of it, be it awaited or not."""
    if not inspect.isawaitable(found):
        return found

    async def wait() -> Any:
        return await found

    with ThreadPoolExecutor(1) as pool:  # a loop may be running here
        return pool.submit(asyncio.run, wait()).result()


__all__ = ["find_model", "listed_models"]

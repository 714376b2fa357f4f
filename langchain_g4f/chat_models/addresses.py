"""Addresses of services, as settings and the environment give them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from langchain_g4f.errors import ConfigurationError


def address(given: str, name: str) -> str:
    """Origin and path of a service, without a final slash.

    Args:
        given: The address.
        name: Of the field or the variable that has it.

    Raises:
        ConfigurationError: It is no address, or has what may be secret.
    """
    parts = split(given)
    plain = parts is not None and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts is None or not plain or parts.scheme not in {"http", "https"}:
        msg = (
            f"{name}: expected an address that begins with http:// or https://,"
            " without user, password, query and fragment, such as 'http://localhost:3000/chat'"
        )
        raise ConfigurationError(msg)
    return given.rstrip("/")


def split(given: str) -> SplitResult | None:
    """The parts of an address, None if there is no host or no valid port."""
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 -- raises where it is no number
    except ValueError:
        return None
    return parts if parts.hostname else None


__all__ = ["address", "split"]

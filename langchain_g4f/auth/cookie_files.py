"""Cookies out of a file that a browser's add-on, or a person, has written.

Only those of one host are taken; nothing of the file is repeated in an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langchain_g4f.errors import ConfigurationError


def parse_cookie_file(text: str, host: str, now: float) -> dict[str, str]:
    """The cookies for ``host`` in an exported cookie file, Netscape's form or JSON.

    JSON is a list of cookies, an object with such a list under ``cookies``, or an object
    of names and values. Expired cookies and those of other hosts are left out.

    Args:
        text: The file's content.
        host: Host name of the service.
        now: Seconds since the epoch.

    Raises:
        ConfigurationError: It is in another form, or has no cookie for the host.
    """
    exported = _exported(text)
    found = _sent_to(host, exported or (), now)
    if found:
        return found
    msg = f"cookies: the file has no cookie for {host}"
    if exported is None:
        msg = "cookies: the file is neither JSON nor in Netscape's form"
    del text, exported  # some tracebacks show local variables
    raise ConfigurationError(msg)


def pick_cookies(exported: Iterable[object], host: str, now: float) -> dict[str, str]:
    """The cookies for ``host`` in the list that a browser or its add-on exports.

    Args:
        exported: Objects with ``name``, ``value`` and perhaps ``domain`` and ``expires``.
        host: Host name of the service.
        now: Seconds since the epoch.

    Raises:
        ConfigurationError: It has no cookie for the host.
    """
    found = _sent_to(host, _from_list(exported), now)
    if not found:
        del exported  # some tracebacks show local variables
        raise ConfigurationError(f"cookies: the list has no cookie for {host}")
    return found


@dataclass(frozen=True, slots=True, repr=False)
class _Exported:
    name: str
    value: str
    domain: str = ""
    expires: float = 0


def _exported(text: str) -> list[_Exported] | None:
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text)
    found = []
    for line in text.splitlines():
        fields = line.removeprefix("#HttpOnly_").split("\t")
        if len(fields) == 7 and not line.startswith("# "):
            domain, _, _, _, expires, name, value = fields
            found.append(_Exported(name, value, domain, _seconds(expires)))
    return found


def _from_json(text: str) -> list[_Exported] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("cookies"), list):
        value = value["cookies"]
    if isinstance(value, dict):
        return [_Exported(str(name), str(each)) for name, each in value.items()]
    return _from_list(value)


def _from_list(value: Iterable[object]) -> list[_Exported]:
    return [
        _Exported(
            str(cookie["name"]),
            str(cookie["value"]),
            str(cookie.get("domain") or ""),
            _seconds(cookie.get("expirationDate") or cookie.get("expires")),
        )
        for cookie in value
        if isinstance(cookie, Mapping) and "name" in cookie and "value" in cookie
    ]


def _sent_to(host: str, cookies: Iterable[_Exported], now: float) -> dict[str, str]:
    return {
        cookie.name: cookie.value
        for cookie in cookies
        if _covers(cookie.domain, host) and not 0 < cookie.expires < now
    }


def _seconds(value: object) -> float:
    """When a cookie expires; a session cookie says 0, -1 or nothing."""
    try:
        return float(str(value))
    except ValueError:
        return 0


def _covers(domain: str, host: str) -> bool:
    domain, host = domain.lstrip(".").lower(), host.lower()
    is_address = host.rpartition(".")[2].isdecimal()  # and has no subdomains
    return not domain or host == domain or (not is_address and host.endswith(f".{domain}"))


__all__ = ["parse_cookie_file", "pick_cookies"]

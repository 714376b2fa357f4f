"""Cookies from a file that a browser's add-on exported or a person wrote.

Only the cookies of one host are taken; no error repeats anything of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langchain_g4f.errors import ConfigurationError


@dataclass(frozen=True, slots=True, repr=False)
class _Exported:
    name: str
    value: str
    domain: str = ""
    expires: float = 0


def parse_cookie_file(text: str, host: str, now: float) -> dict[str, str]:
    """The cookies for ``host`` in an exported cookie file, Netscape's form or JSON.

    JSON is a list of cookies, an object with such a list under ``cookies``, or an object
    of names and values. Expired cookies and those of other hosts are left out.

    Args:
        text: Content of the file.
        host: Host name of the service.
        now: Seconds since the epoch.

    Raises:
        ConfigurationError: It is in another form, or has no cookie for the host.
    """
    problem = f"the file has no cookie for {host}"
    try:
        found = _for_host(host, _exported(text), now)
    except (ValueError, RecursionError):
        found, problem = {}, "the file is neither JSON nor in Netscape's form"
    if found:
        return found
    del text  # some tracebacks show local variables
    raise ConfigurationError(f"cookies: {problem}")


def pick_cookies(exported: Iterable[object], host: str, now: float) -> dict[str, str]:
    """The cookies for ``host`` in the list that a browser or its add-on exports.

    Args:
        exported: Objects with ``name``, ``value`` and perhaps ``domain`` and ``expires``.
        host: Host name of the service.
        now: Seconds since the epoch.

    Raises:
        ConfigurationError: It has no cookie for the host.
    """
    found = _for_host(host, _from_list(exported), now)
    if not found:
        del exported  # some tracebacks show local variables
        raise ConfigurationError(f"cookies: the list has no cookie for {host}")
    return found


def _exported(text: str) -> list[_Exported]:
    if text.lstrip()[:1] in ("[", "{"):
        value = json.loads(text)
        if isinstance(value, dict) and isinstance(value.get("cookies"), list):
            value = value["cookies"]
        if isinstance(value, dict):
            return [_Exported(str(name), str(each)) for name, each in value.items()]
        return _from_list(value)
    found = []
    for line in text.splitlines():
        fields = line.removeprefix("#HttpOnly_").split("\t")
        if len(fields) == 7 and not line.startswith("# "):
            domain, _, _, _, expires, name, value = fields
            found.append(_Exported(name, value, domain, _seconds(expires)))
    return found


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


def _for_host(host: str, cookies: Iterable[_Exported], now: float) -> dict[str, str]:
    return {
        cookie.name: cookie.value
        for cookie in cookies
        if _covers(cookie.domain, host) and not 0 < cookie.expires < now
    }


def _seconds(value: object) -> float:
    """When a cookie expires; a session cookie has 0, -1 or no date."""
    try:
        return float(str(value))
    except ValueError:
        return 0


def _covers(domain: str, host: str) -> bool:
    domain, host = domain.lstrip(".").lower(), host.lower()
    is_address = host.rpartition(".")[2].isdecimal()  # an address has no subdomains
    return not domain or host == domain or (not is_address and host.endswith(f".{domain}"))


__all__ = ["parse_cookie_file", "pick_cookies"]

"""Error classes of both generations, by their names."""

from __future__ import annotations


def family(root: str, children: dict[str, str]) -> dict[str, type[Exception]]:
    """Classes by name, each under the parent that is named."""
    found: dict[str, type[Exception]] = {root: type(root, (Exception,), {})}
    for name, parent in children.items():
        found[name] = type(name, (found[parent],), {})
    return found


_PLAIN = (
    "ProviderNotFoundError",
    "ProviderNotWorkingError",
    "StreamNotSupportedError",
    "ModelNotFoundError",
    "ModelNotAllowedError",
    "ModelNotSupportedError",
    "MissingRequirementsError",
    "RetryProviderError",
    "RetryNoProviderError",
    "VersionNotFoundError",
    "MissingAuthError",
    "PaymentRequiredError",
    "NoMediaResponseError",
    "ConversationLimitError",
    "NoValidHarFileError",
    "TimeoutError",
    "ProviderException",
)

NEW = family(
    "G4FError",
    {
        **dict.fromkeys(_PLAIN, "G4FError"),
        "NestAsyncioError": "MissingRequirementsError",
        "ResponseError": "G4FError",
        "ResponseStatusError": "ResponseError",
        "CloudflareError": "ResponseStatusError",
        "RateLimitError": "ResponseStatusError",
        "BadRequestError": "ResponseStatusError",
    },
)
OLD = {
    **{name: type(name, (Exception,), {}) for name in (*_PLAIN, "ResponseError")},
    **family("ResponseStatusError", {"RateLimitError": "ResponseStatusError"}),
}
GENERATIONS = {"old": OLD, "new": NEW}

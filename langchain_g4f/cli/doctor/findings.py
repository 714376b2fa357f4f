"""What the checks of a provider found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Name = Literal["reachable", "server", "signed_in", "models", "streaming"]
"""The checks, in their order."""
Status = Literal["ok", "FAIL", "skipped", "not asked"]
"""`skipped`: not to be found out because of another check. `not asked`: nothing to ask for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what to do about it; a line each."""

    check: Name
    what: str
    advice: str


@dataclass(slots=True)
class Finding:
    """One provider.

    Attributes:
        provider: Its name, as `--provider` takes it.
        address: Of its server; empty if there is none to ask.
        model: Who was to be asked; None for the server's default.
        checks: How each of them went.
        login: Whether there is one, given or kept, for this address.
        server: What the server is; empty if it does not say.
        user: Who is signed in; None for nobody, and where the service does not say.
        models: Number of models; of known ones where there is no list.
        default_model: The first of them.
        chunks: Pieces of the answer that came.
        first_token_ms: Milliseconds from the question to the first piece, with all requests
            that are made before it.
        problems: What is wrong, the first cause first.
    """

    provider: str
    address: str = ""
    model: str | None = None
    checks: dict[Name, Status] = field(
        default_factory=lambda: dict.fromkeys(get_args(Name), "skipped")
    )
    login: bool = False
    server: str = ""
    user: str | None = None
    models: int | None = None
    default_model: str | None = None
    chunks: int = 0
    first_token_ms: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def answers(self) -> bool:
        """Whether the provider can be used now."""
        return self.checks["streaming"] == "ok"

    def fail(self, check: Name, what: str, advice: str) -> None:
        """Mark a check; advice that was given already is not given again."""
        self.checks[check] = "FAIL"
        if all(problem.advice != advice for problem in self.problems):
            self.problems.append(Problem(check, what, advice))

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints; its keys are always the same."""
        return {
            "provider": self.provider,
            "address": self.address,
            "answers": self.answers,
            "checks": dict(self.checks),
            "server": self.server or None,
            "login": self.login,
            "user": self.user,
            "models": self.models,
            "default_model": self.default_model,
            "model": self.model,
            "chunks": self.chunks,
            "first_token_ms": self.first_token_ms,
            "problems": [
                {"check": problem.check, "what": problem.what, "advice": problem.advice}
                for problem in self.problems
            ],
        }


__all__ = ["Finding", "Name", "Problem", "Status"]

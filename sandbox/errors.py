"""What GitHub answers when it refuses: a status, a message, and sometimes the fields at fault."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that GitHub would not carry out. ``status`` is the HTTP status it answers with."""

    status = 422

    def __init__(self, message: str, *, errors: list[Any] | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.message, self.errors = message, errors
        self.status = status or self.status

    def body(self) -> dict[str, Any]:
        """The JSON body, in GitHub's shape."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        body |= {"documentation_url": "https://docs.github.com/rest", "status": str(self.status)}
        return body

    def words(self) -> str:
        """The message and its details in one line, for people."""
        details = [
            str(e.get("message") or f"{e.get('field')}: {e.get('code')}")
            if isinstance(e, dict)
            else str(e)
            for e in self.errors or ()
        ]
        lines = [line for line in self.message.split("\n") if line]
        return " ".join([": ".join(lines), *(f"({detail})" for detail in details)])


class NotFound(Refused):
    """Missing, or hidden from whoever asks: GitHub does not say which."""

    status = 404

    def __init__(self, what: str = "") -> None:
        super().__init__("Not Found")
        self.what = what

    def body(self) -> dict[str, Any]:
        return super().body() | ({"what": self.what} if self.what else {})


class Forbidden(Refused):
    """Seen, but not allowed."""

    status = 403


class Unauthorized(Refused):
    """No valid credentials."""

    status = 401


class MethodNotAllowed(Refused):
    """A merge that the rules do not let through."""

    status = 405


class Invalid(Refused):
    """422 "Validation Failed" with the fields at fault."""

    def __init__(self, *errors: Any) -> None:
        super().__init__("Validation Failed", errors=list(errors))

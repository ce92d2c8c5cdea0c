"""Who is asking: app JWTs, installation tokens and user tokens, checked as GitHub checks them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import jwt.types

from sandbox.errors import Forbidden, NotFound, Unauthorized
from sandbox.objects import Account, App, Installation, Repository, at_least
from sandbox.world import World, secret

TOKEN_LIFE = timedelta(hours=1)
MAX_JWT_LIFE = 600  # seconds from now to ``exp``
# The times are checked against the sandbox's own clock.
_ONLY_SIGNATURE: jwt.types.Options = {
    "verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_iss": False,
}  # fmt: skip
LEVEL = {"read": 1, "write": 2, "admin": 3}
# What each level of a repository role lets a user's token do, by permission name.
_USER_NEEDS = {"administration": "admin", "checks": "write", "statuses": "write"}


@dataclass(eq=False, kw_only=True)
class Token:
    """An installation token; ``repository_ids`` None means all that the installation sees."""

    value: str
    installation: Installation
    permissions: dict[str, str]
    repository_ids: frozenset[int] | None
    expires_at: datetime
    revoked: bool = False


@dataclass(eq=False)
class Limits:
    """The hourly allowance of one caller, REST and GraphQL apart. ``reset_at``: end of the hour."""

    limit: int = 5000
    used: dict[str, int] = field(default_factory=dict)
    reset_at: datetime | None = None

    def spend(self, resource: str, points: int, now: datetime) -> None:
        self.roll(now)
        self.used[resource] = self.used.get(resource, 0) + points

    def roll(self, now: datetime) -> None:
        if self.reset_at is None or now >= self.reset_at:
            self.reset_at, self.used = now + timedelta(hours=1), {}

    def exhaust(self, resource: str, now: datetime, seconds: float = 0.0) -> None:
        """Nothing is left, until the end of the hour or for ``seconds``."""
        self.roll(now)
        self.used[resource] = self.limit
        if seconds:
            self.reset_at = now + timedelta(seconds=seconds)

    def remaining(self, resource: str) -> int:
        return max(0, self.limit - self.used.get(resource, 0))


class Caller:
    """Somebody who calls the API. This one is anonymous: it sees what is public."""

    key = "anonymous"
    viewer: Account | None = None
    app: App | None = None
    installation: Installation | None = None

    def __init__(self, world: World) -> None:
        self.world = world

    def level(self, repository: Repository, permission: str) -> str:
        """read, write or "" on this repository for a permission such as ``pull_requests``."""
        public = permission in (
            "metadata",
            "contents",
            "pull_requests",
            "issues",
            "checks",
            "statuses",
        )
        return "read" if public and not repository.private else ""

    def sees(self, repository: Repository) -> bool:
        return not repository.private

    def org_level(self, organization: Account, permission: str) -> str:
        """read, write or "" on an organisation for a permission such as ``members``."""
        del organization, permission
        return ""

    def need(self, repository: Repository, permission: str, level: str = "read") -> None:
        """NotFound if the repository is hidden, Forbidden if the permission is not enough."""
        if not self.sees(repository):
            raise NotFound(f"repository {repository.full_name}")
        if LEVEL.get(self.level(repository, permission), 0) < LEVEL[level]:
            raise Forbidden("Resource not accessible by integration")

    def need_org(self, organization: Account, permission: str, level: str = "read") -> None:
        if LEVEL.get(self.org_level(organization, permission), 0) < LEVEL[level]:
            raise Forbidden("Resource not accessible by integration")


class AppCaller(Caller):
    """The app itself, by JWT: only /app and what finds installations."""

    def __init__(self, world: World, app: App) -> None:
        super().__init__(world)
        self.app, self.key = app, f"app:{app.id}"

    def sees(self, repository: Repository) -> bool:
        del repository
        return False


class InstallationCaller(Caller):
    """An app acting in one installation."""

    def __init__(self, world: World, token: Token) -> None:
        super().__init__(world)
        self.token, self.installation = token, token.installation
        self.app, self.viewer = token.installation.app, token.installation.app.bot
        self.key = f"installation:{token.installation.id}"

    def inside(self, repository: Repository) -> bool:
        ids = self.token.repository_ids
        return token_sees(self.token.installation, repository) and (
            ids is None or repository.id in ids
        )

    def sees(self, repository: Repository) -> bool:
        return not repository.private or self.inside(repository)

    def _granted(self, permission: str) -> str:
        """What token and installation both grant, now."""
        given = self.token.permissions.get(permission, "")
        standing = self.token.installation.permissions.get(permission, "")
        if permission == "metadata":
            given, standing = given or "read", standing or "read"
        return min(given, standing, key=lambda level: LEVEL.get(level, 0))

    def level(self, repository: Repository, permission: str) -> str:
        if not self.inside(repository):
            return super().level(repository, permission)
        return self._granted(permission)

    def org_level(self, organization: Account, permission: str) -> str:
        if self.token.installation.account is not organization:
            return ""
        return self._granted(permission)


class UserCaller(Caller):
    """A person with a personal token: may do what the person may do."""

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world)
        self.viewer, self.key = account, f"user:{account.id}"
        self.account = account

    def sees(self, repository: Repository) -> bool:
        return self.world.permission(self.account, repository) != "none"

    def level(self, repository: Repository, permission: str) -> str:
        role = self.world.permission(self.account, repository)
        needed = _USER_NEEDS.get(permission, "write")
        if permission == "checks":  # only apps write check runs
            return "read"
        if at_least(role, needed):
            return "write"
        return "" if permission == "administration" else "read"

    def org_level(self, organization: Account, permission: str) -> str:
        role = organization.members.get(self.account.id)
        if role == "admin":
            return "write"
        return "read" if role and permission == "members" else ""


def token_sees(installation: Installation, repository: Repository) -> bool:
    return installation.sees(repository)


class Door:
    """Keeps the tokens it gave out and says who is asking."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens: dict[str, Token] = {}
        self.limits: dict[str, Limits] = {}
        self.minted = 0
        self.default_limit = 5000  # calls an hour; GraphQL points apart

    def limits_of(self, caller: Caller) -> Limits:
        return self.limits.setdefault(caller.key, Limits(self.default_limit))

    def set_limit(self, keys: list[str], limit: int | None, used: int | None) -> None:
        """Change the allowance of callers, or how much of it is used up."""
        for key in keys:
            found = self.limits.setdefault(key, Limits(self.default_limit))
            found.roll(self.world.now())
            if limit is not None:
                found.limit = limit
            if used is not None:
                found.used = {"core": used, "graphql": used}

    def caller(self, header: str | None) -> Caller:
        """From an ``Authorization`` header; Unauthorized (401) for what is not valid now."""
        if not header:
            return Caller(self.world)
        scheme, _, value = header.partition(" ")
        value = value.strip()
        if scheme.lower() not in ("bearer", "token") or not value:
            raise Unauthorized("Bad credentials")
        if value.count(".") == 2 and not value.startswith("ghs_"):
            return AppCaller(self.world, self._app(value))
        if value in self.world.user_tokens:
            return UserCaller(self.world, self.world.user_tokens[value])
        token = self.tokens.get(value)
        if token is None or token.revoked or self.world.now() >= token.expires_at:
            raise Unauthorized("Bad credentials")
        if token.installation.id not in self.world.installations:
            raise Unauthorized("Bad credentials")
        if token.installation.suspended_at:
            raise Forbidden("This installation has been suspended")
        return InstallationCaller(self.world, token)

    def _app(self, value: str) -> App:
        try:
            claims: dict[str, Any] = jwt.decode(value, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise Unauthorized("A JSON web token could not be decoded") from error
        app = self._issuer(str(claims.get("iss", "")))
        try:
            jwt.decode(
                value, app.public_key, algorithms=["RS256"],
                options=_ONLY_SIGNATURE,
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise Unauthorized("A JSON web token could not be decoded") from error
        self._check_times(claims)
        return app

    def _issuer(self, issuer: str) -> App:
        for app in self.world.apps.values():
            if issuer in (str(app.id), app.client_id) and app.public_key:
                return app
        raise Unauthorized("Integration not found", status=404)

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.world.now().timestamp()
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(expires, int | float) or expires <= now:
            raise Unauthorized(
                "'Expiration time' claim ('exp') must be a numeric value representing "
                "the future time at which the assertion expires"
            )
        if expires > now + MAX_JWT_LIFE + 5:
            raise Unauthorized("'Expiration time' claim ('exp') is too far in the future")
        if not isinstance(issued, int | float) or issued > now + 5:
            raise Unauthorized(
                "'Issued at' claim ('iat') must be an Integer representing "
                "the time that the assertion was issued"
            )

    def mint(
        self,
        installation: Installation,
        permissions: dict[str, str] | None = None,
        repository_ids: frozenset[int] | None = None,
    ) -> Token:
        """A token for an hour; permissions are already checked against the installation's."""
        self.minted += 1
        value = f"ghs_{installation.app.id}_{secret('', 20 + self.minted % 7)}"
        token = Token(
            value=value, installation=installation, repository_ids=repository_ids,
            permissions=dict(installation.permissions if permissions is None else permissions),
            expires_at=self.world.now() + TOKEN_LIFE,
        )  # fmt: skip
        self.tokens[value] = token
        return token

    def revoke_all(self) -> None:
        """Every installation token dies: 401 from now on."""
        for token in self.tokens.values():
            token.revoked = True

    def user_token(self, login: str) -> str:
        """A personal access token for somebody (made up here, without a page)."""
        value = secret("ghp_", 18)
        self.world.user_tokens[value] = self.world.account(login)
        return value

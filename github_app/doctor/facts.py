"""What the doctor read of an account and its repositories. Values only, in GitHub's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from github_app.gateway.protection import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFacts:
    """``pull_request_known`` False: classic protection hides its half."""

    name: str
    default: bool
    demands: tuple[Demand, ...]
    pull_request_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFacts:
    """The default branch and the release branches of a repository.

    ``no_plan``: private, and its owner's plan has no protection for private repositories.
    ``observed``: by the owner's roster its check is always green.
    ``unread``: why its rules could not be read; empty when they were. ``loose_tags``: some release
    tags that whoever writes may move. ``able``: signers who may push there, as many as are needed
    or fewer; None unknown. ``asleep``: archived or disabled, so that nothing can be merged.
    ``id``: the numeric one. ``layer_problem``: of its own roster.
    """

    full_name: str
    id: int = 0
    branches: tuple[BranchFacts, ...] = ()
    observed: bool = False
    no_plan: bool = False
    asleep: bool = False
    loose_tags: tuple[str, ...] = ()
    able: tuple[str, ...] | None = None
    unread: str = ""
    layer_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFacts:
    """The owner's roster. ``source`` empty: there is none. ``signers``: who is there to sign."""

    source: str
    problem: str = ""
    signers: tuple[str, ...] = ()
    needed: int = 1
    teams_unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """The app and its installation on an account, before any repository is looked at.

    ``organization`` False: the account is a person's. ``refused``: GitHub does not accept the app's
    credentials, and nothing else was asked. ``skew``: seconds our clock is ahead of GitHub's, None
    unknown. ``deliveries``: of the newest webhooks for this account, how many arrived and how many
    did not; None unknown. ``pulls``: the app fetches them, so that none has to arrive.
    """

    account: str
    app_id: int
    app_slug: str
    check_name: str
    organization: bool = True
    refused: bool = False
    skew: float | None = None
    installed: bool = True
    suspended: bool = False
    all_repositories: bool = True
    installation_id: int = 0
    app_permissions: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    deliveries: tuple[int, int] | None = None
    pulls: bool = False
    roster: RosterFacts | None = None

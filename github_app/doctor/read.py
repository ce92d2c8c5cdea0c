"""Reads what the doctor judges: a few calls for the account, two for most repositories."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from github_app.doctor.facts import AccountFacts, BranchFacts, RepositoryFacts, RosterFacts
from github_app.gateway import app as the_app
from github_app.gateway import protection, supplements
from github_app.gateway.client import Caller, GitHub, Installation
from github_app.gateway.commit import file_at
from github_app.gateway.errors import (
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    Suspended,
    TokenRefused,
)
from github_app.gateway.failures import github_time
from github_app.gateway.protection import Branch, BypassReader, Demand
from github_app.gateway.repository import repositories
from github_app.judge.errors import RosterError
from github_app.judge.facts import Repository
from github_app.judge.roster import Roster, RosterSource, parse_roster
from github_app.settings import Settings
from github_app.yaml_source import read_document

THREADS = 16  # GitHub takes 100 calls at once
# GitHub may want a pause among thousands of calls; longer ones are left to whoever asked. Seconds.
LONGEST_PAUSE = 900.0
NEWEST_DELIVERIES = 100  # one page
RELEASES = "release/"
# After these nothing else can be read either.
_HOPELESS = (RateLimited, Suspended, TokenRefused)


class Examination:
    """One run of the doctor on an account, or on one of its repositories (``name``).

    ``administrator``: somebody's token, to see who may bypass. ``pulls``: the app fetches its
    deliveries, so that the webhook need not arrive.
    """

    def __init__(
        self,
        github: GitHub,
        settings: Settings,
        owner: str,
        name: str | None = None,
        *,
        administrator: Caller | None = None,
        pulls: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._github = github
        self._settings = settings
        self._owner = owner
        self._name = name
        self._pulls = pulls
        self._sleep = sleep
        self._bypass = BypassReader(administrator) if administrator else None
        self._installation: Installation | None = None
        self._roster: Roster | None = None

    def account(self) -> AccountFacts:
        """The app and the account. Raises: GitHubError, where GitHub cannot be asked."""
        facts = AccountFacts(
            account=self._owner,
            app_id=self._settings.app_id,
            app_slug="",
            check_name=self._settings.check_name,
            skew=_skew(self._github),
        )
        app = self._github.app()
        try:
            who = the_app.identity(app)
        except TokenRefused:
            return replace(facts, refused=True)
        facts = replace(
            facts, app_slug=who.slug, app_permissions=who.permissions, events=who.events
        )
        try:
            found = the_app.installation_for(app, self._owner, self._name)
        except NotFound:
            return replace(facts, installed=False)
        facts = replace(
            facts,
            account=found.account,
            suspended=found.suspended,
            all_repositories=found.all_repositories,
            permissions=found.permissions,
            deliveries=None if self._pulls else _deliveries(app, found.id),
        )
        if found.suspended:
            return facts
        self._installation = self._github.installation(found.id)
        roster, self._roster = read_roster(self._installation, found.account, self._settings.roster)
        return replace(facts, roster=roster)

    def repositories(self) -> list[Repository]:
        """What to look at, after ``account``; nothing where the app is not. Raises: GitHubError."""
        if self._installation is None:
            return []
        if self._name is not None:
            return [protection.repository(self._installation, self._owner, self._name)]
        return list(repositories(self._installation))

    def examine(
        self, found: list[Repository], on_each: Callable[[], None] = lambda: None
    ) -> list[RepositoryFacts]:
        """Each repository, many at once, in their order. ``on_each`` hears of every one done.

        Waits where GitHub wants a pause. Raises: RateLimited for a long one, Suspended,
        TokenRefused. Anything else is said of the repository.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(self._patiently, one) for one in found]
            try:
                facts = []
                for future in futures:
                    facts.append(future.result())
                    on_each()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return facts

    def _patiently(self, repository: Repository) -> RepositoryFacts:
        while True:
            try:
                return self._repository(repository)
            except RateLimited as error:
                pause = (error.until - datetime.now(UTC)).total_seconds()
                if pause > LONGEST_PAUSE:
                    raise
                self._sleep(max(pause, 0.0))

    def _repository(self, repository: Repository) -> RepositoryFacts:
        facts = RepositoryFacts(
            full_name=repository.full_name,
            observed=self._roster is not None and self._roster.observes(repository),
        )
        try:
            return replace(facts, branches=tuple(self._branches(repository)))
        except _HOPELESS:
            raise
        except Forbidden as error:
            # Metadata: read is never missing; what is refused then is the owner's plan.
            if repository.private and error.missing is None:
                return replace(facts, no_plan=True)
            return replace(facts, unread=str(error))
        except GitHubError as error:
            return replace(facts, unread=str(error))

    def _branches(self, repository: Repository) -> Iterator[BranchFacts]:
        assert self._installation is not None
        listed = protection.branches(
            self._installation,
            repository.owner,
            repository.name,
            check_name=self._settings.check_name,
        )
        default = repository.default_branch or ""
        chosen = [one for one in listed if one.name == default or one.name.startswith(RELEASES)]
        if default and all(one.name != default for one in chosen):  # nothing was pushed yet
            chosen.insert(0, Branch(name=default, classic=False, demands=()))
        for branch in chosen:
            yield self._branch(self._installation, repository, branch)

    def _branch(
        self, installation: Installation, repository: Repository, branch: Branch
    ) -> BranchFacts:
        rules = protection.rules(
            installation,
            repository.owner,
            repository.name,
            branch.name,
            check_name=self._settings.check_name,
            bypass=self._bypass,
        )
        pulls: tuple[Demand, ...] | None = ()
        if branch.classic:
            pulls = protection.classic_pull_request(
                installation, repository.owner, repository.name, branch.name
            )
        return BranchFacts(
            name=branch.name,
            default=branch.name == repository.default_branch,
            demands=(*rules, *branch.demands, *(pulls or ())),
            pull_request_known=pulls is not None,
        )


def _skew(github: GitHub) -> float | None:
    """Seconds our clock is ahead of GitHub's, asked without credentials: they need the clock."""
    try:
        answer = github.anonymous().rest("GET", "/meta", {})
    except GitHubError:
        return None
    there = github_time(answer.headers)
    return (datetime.now(UTC) - there).total_seconds() if there else None


def _deliveries(app: Caller, installation_id: int) -> tuple[int, int] | None:
    """Of the newest webhooks: how many arrived, at any attempt, and how many did not.

    What is sent when the app is installed is not counted: in a set-up nobody listens yet, and the
    sweep makes up for it.
    """
    arrived: dict[str, bool] = {}
    try:
        for one in islice(the_app.deliveries(app), NEWEST_DELIVERIES):
            if one.installation_id == installation_id and one.event != "installation":
                arrived[one.guid] = arrived.get(one.guid, False) or one.ok
    except _HOPELESS:
        raise
    except GitHubError:
        return None
    return sum(arrived.values()), len(arrived) - sum(arrived.values())


# --- The roster -----------------------------------------------------------------------------------


def read_roster(
    installation: Installation, owner: str, deployment: Path
) -> tuple[RosterFacts, Roster | None]:
    """The owner's roster, else the one of this deployment; None where it cannot be used.

    Raises: GitHubError.
    """
    for name in (".github-private", ".github"):
        try:
            home = protection.repository(installation, owner, name)
            found = file_at(installation, home, "HEAD", "reviewers.yaml")
        except NotFound:
            continue
        if found is not None:
            return _checked(installation, found, f"{owner}/{name}")
    try:
        found = deployment.read_text("utf-8")
    except FileNotFoundError:
        return RosterFacts(source=""), None
    except (OSError, UnicodeDecodeError) as error:
        return RosterFacts(source=deployment.name, problem=type(error).__name__), None
    return _checked(installation, found, "this deployment")


def _checked(
    installation: Installation, text: str, where: str
) -> tuple[RosterFacts, Roster | None]:
    source = RosterSource(name=where, path="reviewers.yaml")
    try:
        roster = parse_roster(read_document(text, source.path), source=source)
    except RosterError as error:
        return RosterFacts(source=where, problem=error.headline), None
    roster = _with_members(installation, roster)
    today = datetime.now(UTC).date()
    able = roster.signers(roster.sign_off.rank, today)
    facts = RosterFacts(
        source=where,
        signers=tuple(person.login for person in able if not person.is_away(today)),
        needed=roster.sign_off.approvals,
        teams_unread=roster.teams_unread,
    )
    return facts, roster


def _with_members(installation: Installation, roster: Roster) -> Roster:
    members = {}
    for team in roster.teams_unread:
        try:
            members[team] = supplements.team_members(installation, team)
        except _HOPELESS:
            raise
        except GitHubError:
            continue  # it stays among the unread ones, which is told
    return roster.with_members(members) if members else roster

"""Reads what the doctor judges: a few calls for the account, few for 25 repositories at once."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

from github_app.catalogue_file import shipped_catalogue
from github_app.doctor.able import Able
from github_app.doctor.facts import AccountFacts, BranchFacts, RepositoryFacts, RosterFacts
from github_app.gateway import app as the_app
from github_app.gateway import landing, protection, supplements
from github_app.gateway.client import Caller, GitHub, Installation
from github_app.gateway.errors import (
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    Suspended,
    TokenRefused,
)
from github_app.gateway.failures import github_time
from github_app.gateway.protection import BypassReader, Demand
from github_app.gateway.survey import (
    BATCH,
    Branch,
    Covered,
    Surveyed,
    bypasses,
    covered,
    one,
    survey,
)
from github_app.judge.catalogue import MarkKind
from github_app.judge.errors import RosterError
from github_app.judge.facts import Repository
from github_app.judge.roster import Roster, RosterSource, parse_roster, tighten
from github_app.settings import Settings
from github_app.yaml_source import read_document

THREADS = 16  # GitHub takes 100 calls at once
# GitHub may want a pause among thousands of calls; longer ones are left to whoever asked. Seconds.
LONGEST_PAUSE = 900.0
NEWEST_DELIVERIES = 100  # one page
_APP = re.compile(r"app ([A-Za-z0-9-]+)")
_ANOTHER_TOKEN = "Give another token in GITHUB_ADMIN_TOKEN, or none."  # noqa: S105 - no token
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
        self._administrator = administrator
        self._reader = BypassReader(administrator) if administrator else None
        self._bypasses: dict[int, tuple[str, ...] | None] = {}
        self._plans: dict[str, bool] = {}
        self._installation: Installation | None = None
        self._roster: Roster | None = None
        self._able: Able | None = None
        self._told: Mapping[int, tuple[str, ...]] = {}

    def hear(self, told: Mapping[int, tuple[str, ...]]) -> None:
        """Who may bypass which ruleset, as the service heard: used where nothing else shows it."""
        self._told = told

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
            organization=found.account_type == "Organization",
            installation_id=found.id,
            suspended=found.suspended,
            all_repositories=found.all_repositories,
            permissions=found.permissions,
            pulls=self._pulls,
            deliveries=None if self._pulls else _deliveries(app, found.id),
        )
        if found.suspended:
            return facts
        self._installation = self._github.installation(found.id)
        roster, self._roster = read_roster(self._installation, found.account, self._settings.roster)
        if self._roster is not None and len(roster.signers) >= roster.needed:
            organization = found.account if found.account_type == "Organization" else None
            self._able = Able(self._installation, organization, roster.signers, roster.needed)
        return replace(facts, roster=roster)

    def repositories(self) -> list[Covered]:
        """What to look at, after ``account``; nothing where the app is not. Raises: GitHubError."""
        if self._installation is None:
            return []
        if self._name is not None:
            return [one(self._installation, self._owner, self._name)]
        return list(covered(self._installation))

    def examine(
        self, found: list[Covered], on_each: Callable[[], None] = lambda: None
    ) -> list[RepositoryFacts]:
        """Each repository, many at once, in their order. ``on_each`` hears of every one done.

        Waits where GitHub wants a pause. Raises: RateLimited for a long one, Suspended,
        TokenRefused. Anything else is said of the repository.
        """
        batches = [found[start : start + BATCH] for start in range(0, len(found), BATCH)]
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(self._patiently, batch) for batch in batches]
            try:
                facts: list[RepositoryFacts] = []
                for future in futures:
                    for each in future.result():
                        facts.append(each)
                        on_each()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return facts

    def _patiently(self, batch: list[Covered]) -> list[RepositoryFacts]:
        while True:
            try:
                return self._examined(batch)
            except RateLimited as error:
                pause = (error.until - datetime.now(UTC)).total_seconds()
                if pause > LONGEST_PAUSE:
                    raise
                self._sleep(max(pause, 0.0))

    def _examined(self, batch: list[Covered]) -> list[RepositoryFacts]:
        assert self._installation is not None
        awake = [each for each in batch if not each.asleep]
        try:
            check_name = self._settings.check_name
            found = dict(survey(self._installation, awake, check_name=check_name, rosters=True))
        except _HOPELESS:
            raise
        except GitHubError as error:
            found = dict.fromkeys(awake, error)
        read = [one for one in found.values() if isinstance(one, Surveyed)]
        self._read_bypasses(read)
        return [
            self._facts(each, found[each]) if each in found else _asleep(each) for each in batch
        ]

    def _facts(self, covered: Covered, found: Surveyed | GitHubError) -> RepositoryFacts:
        repository = covered.repository
        facts = RepositoryFacts(
            full_name=repository.full_name,
            id=repository.id,
            observed=self._roster is not None and self._roster.observes(repository),
        )
        try:
            if isinstance(found, GitHubError):
                raise found
            repository = found.repository
            facts = replace(facts, full_name=repository.full_name, loose_tags=found.loose_tags)
            if not self._plan_has_rules(found):
                return replace(facts, no_plan=True)
            facts = replace(facts, branches=tuple(self._branches(found)))
            facts = replace(facts, layer_problem=self._layer_problem(found))
            return replace(facts, able=self._able.of(repository) if self._able else None)
        except _HOPELESS:
            raise
        except Forbidden as error:
            # Metadata: read is never missing; what is refused then is the owner's plan.
            if repository.private and error.missing is None:
                return replace(facts, no_plan=True)
            return replace(facts, unread=str(error))
        except GitHubError as error:
            return replace(facts, unread=str(error))

    def _layer_problem(self, surveyed: Surveyed) -> str:
        """What is wrong with the repository's own roster; empty if nothing is or there is none."""
        assert self._installation is not None
        if self._roster is None:
            return ""  # without the owner's roster there is a larger hole
        found = surveyed.roster
        if not surveyed.roster_read:
            try:
                found = landing.rosters(self._installation, surveyed.repository).repository
            except NotFound:
                return ""
        if found is None:
            return ""
        if found.text is None:
            return found.problem or "no text"
        source = RosterSource(name=found.repository, path=found.path)
        try:
            tighten(self._roster, read_document(found.text, found.path), source=source)
        except RosterError as error:
            return error.headline
        return ""

    def _plan_has_rules(self, found: Surveyed) -> bool:
        """GraphQL shows no rules where the plan has none: asked once, where none are shown."""
        repository = found.repository
        if not repository.private or any(branch.demands for branch in found.branches):
            return True
        if repository.owner not in self._plans:
            try:
                self._rules(repository, repository.default_branch or "main")
            except Forbidden as error:
                if error.missing is not None:
                    raise
                self._plans[repository.owner] = False
            else:
                self._plans[repository.owner] = True
        return self._plans[repository.owner]

    def _rules(self, repository: Repository, branch: str) -> tuple[Demand, ...]:
        assert self._installation is not None
        return protection.rules(
            self._installation,
            repository.owner,
            repository.name,
            branch,
            check_name=self._settings.check_name,
        )

    def _branches(self, found: Surveyed) -> Iterator[BranchFacts]:
        for branch in found.branches:
            yield self._branch(found.repository, branch)

    def _branch(self, repository: Repository, branch: Branch) -> BranchFacts:
        assert self._installation is not None
        pulls: tuple[Demand, ...] | None = ()
        if branch.classic:
            pulls = self._classic_pull_request(repository, branch.name)
        found = branch.demands
        if self._name is not None and any(one.ruleset is not None for one in found):
            # REST says more of each rule: affordable for one repository.
            classic = [one for one in found if one.ruleset is None]
            found = (*self._rules(repository, branch.name), *classic)
        demands = [self._with_bypass(repository, demand) for demand in found]
        return BranchFacts(
            name=branch.name,
            default=branch.default,
            demands=(*demands, *(pulls or ())),
            pull_request_known=pulls is not None,
        )

    def _classic_pull_request(
        self, repository: Repository, branch: str
    ) -> tuple[Demand, ...] | None:
        """As the administrator sees it; else by the app's own permissions."""
        assert self._installation is not None
        where = repository.owner, repository.name, branch
        if self._administrator is not None:
            try:
                seen = protection.classic_pull_request(self._administrator, *where, person=True)
            except TokenRefused as error:
                error.advice = _ANOTHER_TOKEN
                raise
            if seen is not None:
                return seen
        return protection.classic_pull_request(self._installation, *where)

    # --- who may bypass --------------------------------------------------------------------------

    def _read_bypasses(self, found: list[Surveyed]) -> None:
        """Of all rulesets at once; two threads that ask for the same get the same answer."""
        if self._administrator is None:
            return
        demands = [d for one in found for branch in one.branches for d in branch.demands]
        unknown = {
            demand.ruleset: demand.node_id
            for demand in demands
            if demand.ruleset is not None
            and demand.node_id
            and demand.ruleset not in self._bypasses
        }
        try:
            self._bypasses |= bypasses(self._administrator, unknown)
        except TokenRefused as error:
            error.advice = _ANOTHER_TOKEN
            raise
        except _HOPELESS:
            raise
        except GitHubError:
            return  # each is asked for by itself, then

    def _with_bypass(self, repository: Repository, demand: Demand) -> Demand:
        number = demand.ruleset
        if number is None:
            return demand
        if self._reader is None:  # nobody told is not nobody: then it is unknown
            return replace(demand, bypass=self._told.get(number) or None)
        if number in self._bypasses:
            found = self._bypasses[number]
        else:
            found = self._reader.of(repository.owner, repository.name, number)
        return replace(demand, bypass=None if found is None else tuple(map(_with_agents, found)))


def _with_agents(words: str) -> str:
    """An app that the catalogue knows as an AI tool is called one."""
    found = _APP.match(words)
    if found is None or found[1] not in _agents():
        return words
    return f"the AI agent {found[1]}{words[found.end() :]}"


@cache
def _agents() -> frozenset[str]:
    marks = shipped_catalogue().marks(MarkKind.LOGIN)
    return frozenset(mark.text for mark in marks if not mark.by_person)


def _asleep(covered: Covered) -> RepositoryFacts:
    return RepositoryFacts(full_name=covered.repository.full_name, asleep=True)


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

    Read as a judgement reads it, so that what is broken there is broken here. Raises: GitHubError.
    """
    for name in (".github-private", ".github"):
        try:
            home = one(installation, owner, name).repository
            found = landing.rosters(installation, home).org
        except NotFound:
            continue
        if found is not None and found.text is None:
            return RosterFacts(source=found.repository, problem=found.problem or "no text"), None
        if found is not None and found.text is not None:
            return _checked(installation, found.text, found.repository)
    try:
        text = deployment.read_text("utf-8")
    except FileNotFoundError:
        return RosterFacts(source=""), None
    except (OSError, UnicodeDecodeError) as error:
        return RosterFacts(source=deployment.name, problem=type(error).__name__), None
    return _checked(installation, text, "this deployment")


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

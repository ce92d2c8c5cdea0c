"""Facts -> findings: every hole the doctor knows is one function in the tables below. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from github_app.doctor.facts import AccountFacts, BranchFacts, RepositoryFacts
from github_app.doctor.repair import REFS
from github_app.gateway.protection import CHECK_RULE, PULL_RULE, Demand
from github_app.judge.branches import pattern_for
from github_app.permissions import events_of, permissions_of

# Seconds. Credentials are dated by GitHub's clock where ours is wrong, so what is left is what our
# own clock decides: who is away, and whether a check was green at the moment of a merge.
CLOCK_MAY_DIFFER = 30.0
_LEVELS = {"read": 1, "write": 2, "admin": 3}


class Level(StrEnum):
    """Only a hole makes the doctor fail. What may not be seen is never called fine."""

    HOLE = "hole"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``where``: an account, ``owner/name`` or ``owner/name branch``. All may hold foreign text."""

    level: Level
    code: str
    where: str
    what: str
    mend: str


def of_account(facts: AccountFacts) -> tuple[Finding, ...]:
    """What is wrong with the app, its installation and the roster, in the order of the table."""
    rules = (_clock, _refused) if facts.refused else ACCOUNT_RULES
    return tuple(found for rule in rules for found in rule(facts))


def of_repository(facts: RepositoryFacts, account: AccountFacts) -> tuple[Finding, ...]:
    """What is wrong with a repository: its plan or access, else each of its branches."""
    if facts.no_plan:
        what = "the owner's plan has no protection for private repositories"
        mend = "Upgrade the plan or make the repository public; until then the check only advises."
        return (_finding(Level.HOLE, "plan", facts.full_name, what, mend),)
    if facts.unread:
        mend = "Run the doctor again; if it stays, look at the permissions of the installation."
        return (_finding(Level.UNKNOWN, "unread", facts.full_name, facts.unread, mend),)
    found = (
        finding
        for branch in facts.branches
        for rule in BRANCH_RULES
        for finding in rule(branch, f"{facts.full_name} {branch.name}", account)
    )
    rules = (_observed, _layer, _able, _tags, _new_branches)
    return (*(one for rule in rules for one in rule(facts, account)), *found)


def _observed(facts: RepositoryFacts, _: AccountFacts) -> Iterator[Finding]:
    if facts.observed:
        what = "the roster only observes here: the check is always green"
        mend = "Set rollout.mode to enforce, or take the repository out of rollout.observe."
        yield _finding(Level.HOLE, "observed", facts.full_name, what, mend)


def _layer(facts: RepositoryFacts, _: AccountFacts) -> Iterator[Finding]:
    """Nothing gets past the check: what cannot be judged is not green."""
    if facts.layer_problem:
        what = f"its own roster cannot be used: {facts.layer_problem}"
        mend = "Run `countersign roster check` on .github/reviewers.yaml: it names every line."
        yield _finding(Level.WARNING, "layer-broken", facts.full_name, what, mend)


def _able(facts: RepositoryFacts, account: AccountFacts) -> Iterator[Finding]:
    """An approval of somebody who may not push does not count: nothing gets past the check, but
    what needs a sign-off there waits for ever.
    """
    needed = account.roster.needed if account.roster else 0
    if facts.asleep or not account.roster or len(account.roster.signers) < needed:
        return  # there is a larger hole
    if facts.able is None:
        what = "whether those who sign may push here was not seen: else their approval is void"
        mend = "Run the doctor on this repository alone, with Members: read accepted."
        yield _finding(Level.UNKNOWN, "push-right-unknown", facts.full_name, what, mend)
    elif len(facts.able) < needed:
        who = f"{len(facts.able)} of those who sign may push here"
        what = f"{needed} must sign, {who}: {_listed(facts.able)}"
        mend = "Give somebody who signs write access: an approval counts only with it."
        yield _finding(Level.WARNING, "no-push-right", facts.full_name, what, mend)


def _tags(facts: RepositoryFacts, _: AccountFacts) -> Iterator[Finding]:
    """A tag can be moved to a commit that no pull request brought in."""
    if facts.loose_tags:
        what = f"whoever writes can move or delete release tags: {_listed(facts.loose_tags)}"
        mend = "Run `countersign protect --tags` on it, or hold them by a tag ruleset of yours."
        yield _finding(Level.WARNING, "tags", facts.full_name, what, mend)


def _new_branches(facts: RepositoryFacts, account: AccountFacts) -> Iterator[Finding]:
    """Where there is no release branch yet, the ruleset shows on the default branch only. Classic
    protection of that one says nothing of branches of other names.
    """
    if any(not branch.default for branch in facts.branches) or not facts.branches:
        return
    (branch,) = facts.branches
    rulesets = [one for one in _pinned(branch, account) if one.ruleset is not None]
    what = f"a release branch could be made of anything: {account.check_name} is not asked for"
    if rulesets:
        yield from _made(rulesets, branch, f"{facts.full_name} {branch.name}", account, what)


def _finding(level: Level, code: str, where: str, what: str, mend: str) -> Finding:
    return Finding(level=level, code=code, where=where, what=what, mend=mend)


# --- The account ----------------------------------------------------------------------------------


def _clock(facts: AccountFacts) -> Iterator[Finding]:
    if facts.skew is None:
        what, mend = "GitHub's clock could not be read", "Run the doctor again."
        yield _finding(Level.UNKNOWN, "clock-unknown", facts.account, what, mend)
    elif abs(facts.skew) > CLOCK_MAY_DIFFER:
        side = "ahead of" if facts.skew > 0 else "behind"
        what = (
            f"this machine's clock is {abs(facts.skew):.0f} seconds {side} GitHub's: whether the "
            "check was green at a merge, and who is away, is told by the wrong moment"
        )
        mend = "Set the clock, for example by NTP. The app's tokens go by GitHub's clock meanwhile."
        yield _finding(Level.HOLE, "clock", facts.account, what, mend)


def _refused(facts: AccountFacts) -> Iterator[Finding]:
    what = "GitHub does not accept the app's credentials: nothing is judged"
    mend = "Check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY: is it a key of this app, and current?"
    yield _finding(Level.HOLE, "credentials", facts.account, what, mend)


def _installed(facts: AccountFacts) -> Iterator[Finding]:
    if not facts.installed:
        mend = f"An owner installs it: /apps/{facts.app_slug}/installations/new on GitHub."
        yield _finding(
            Level.HOLE, "not-installed", facts.account, "the app is not installed here", mend
        )
    elif facts.suspended:
        mend = "An owner lifts the suspension: Settings, GitHub Apps, Configure, Unsuspend."
        what = "the installation is suspended: nothing is judged"
        yield _finding(Level.HOLE, "suspended", facts.account, what, mend)
    elif not facts.all_repositories:
        what = "the app is installed on selected repositories: the others are not looked at"
        mend = "Choose all repositories in the settings of the installation."
        yield _finding(Level.WARNING, "selected-repositories", facts.account, what, mend)


def _permissions(facts: AccountFacts) -> Iterator[Finding]:
    if not facts.installed:
        return
    needed = permissions_of(organization=facts.organization)
    for name, (level, why) in needed.items():
        if _at_least(facts.permissions.get(name), level):
            continue
        asked = _at_least(facts.app_permissions.get(name), level)
        mend = (
            "An owner accepts it: Settings, GitHub Apps, Configure, Review request."
            if asked
            else "Add it in the settings of the app (Permissions); then an owner accepts it."
        )
        what = f"the permission {name}: {level} is missing, to {why}"
        yield _finding(Level.HOLE, f"permission-{name}", facts.account, what, mend)


def _at_least(given: str | None, wanted: str) -> bool:
    return _LEVELS.get(given or "", 0) >= _LEVELS[wanted]


def _events(facts: AccountFacts) -> Iterator[Finding]:
    missing = sorted(events_of(organization=facts.organization) - set(facts.events))
    if missing:
        what = f"the app is not subscribed to: {', '.join(missing)}"
        mend = "Tick them in the settings of the app: Permissions & events, Subscribe to events."
        yield _finding(Level.HOLE, "events", facts.account, what, mend)


def _webhook(facts: AccountFacts) -> Iterator[Finding]:
    if facts.pulls or not facts.installed:
        return  # deliveries are fetched: nothing has to arrive
    if not facts.deliveries or not sum(facts.deliveries):
        what = "whether webhooks arrive is not known: GitHub lists none for this account"
        mend = "Open or label a pull request, then run the doctor again."
        yield _finding(Level.UNKNOWN, "webhook-unknown", facts.account, what, mend)
        return
    arrived, lost = facts.deliveries
    if not lost:
        return
    what = f"{lost} of the newest {arrived + lost} webhooks did not arrive"
    mend = "Look at Advanced, Recent Deliveries in the settings of the app; is the address right?"
    level = Level.WARNING if arrived else Level.HOLE
    yield _finding(level, "webhook", facts.account, what, mend)


def _roster(facts: AccountFacts) -> Iterator[Finding]:
    roster = facts.roster
    if roster is None or not facts.installed:
        return
    if not roster.source:
        what = "there is no roster: nobody can sign off"
        mend = "Put reviewers.yaml on the default branch of .github-private or .github."
        yield _finding(Level.HOLE, "roster-missing", facts.account, what, mend)
    elif roster.problem:
        what = f"the roster {roster.source} cannot be used: {roster.problem}"
        mend = "Run `countersign roster check` on it: it names every line to mend."
        yield _finding(Level.HOLE, "roster-broken", facts.account, what, mend)
    elif len(roster.signers) < roster.needed and not roster.teams_unread:
        what = f"{roster.needed} must sign, {len(roster.signers)} can: {_listed(roster.signers)}"
        mend = "Add people at the level of sign_off.from, or see who is away."
        yield _finding(Level.HOLE, "nobody-signs", facts.account, what, mend)
    if roster.teams_unread:
        what = f"teams of the roster could not be read: {_listed(roster.teams_unread)}"
        mend = "Mend their names in the roster: a team that cannot be read gives nobody a level."
        yield _finding(Level.UNKNOWN, "teams-unread", facts.account, what, mend)


# --- Each branch ----------------------------------------------------------------------------------


def _check(branch: BranchFacts, where: str, account: AccountFacts) -> Iterator[Finding]:
    checks = [one for one in branch.demands if one.rule == CHECK_RULE]
    pinned = _pinned(branch, account)
    if not checks:
        kind = "not-required" if branch.default else "release-not-required"
        what = f"{account.check_name} is not required"
        yield _finding(Level.HOLE, kind, where, what, _protect(branch))
    elif not pinned:
        others = {one.app_id for one in checks}
        source = "any source" if others == {None} else "another source than this app"
        what = f"{account.check_name} is accepted from {source} ({_sources(checks)})"
        yield _finding(Level.HOLE, "not-pinned", where, what, _protect(branch))
    else:
        yield from _bypass(pinned, branch, where, "the check")
        if not branch.default:
            what = (
                f"deleted and made anew, it may be anything: {account.check_name} is not asked for"
            )
            yield from _made(pinned, branch, where, account, what)
        elsewhere = [one for one in checks if one.app_id not in {None, account.app_id}]
        if elsewhere:
            what = f"{account.check_name} is required from another app as well"
            mend = "Take it out of that rule: unless that app reports it too, nothing can merge."
            told = f"{what} ({_sources(elsewhere)})"
            yield _finding(Level.WARNING, "also-elsewhere", where, told, mend)


def _made(
    rules: list[Demand], branch: BranchFacts, where: str, account: AccountFacts, what: str
) -> Iterator[Finding]:
    """A branch that is being made: one rule must ask for the check then *and* let nobody by. One
    that lets nobody by but leaves new branches alone does not make up for the others.
    """
    asked = [one for one in rules if one.new_too]
    if not asked:
        told = f"{what} ({_sources(rules)})"
        yield _finding(Level.HOLE, "not-when-made", where, told, _protect(branch))
        return
    said = {one.code for one in _bypass(_pinned(branch, account), branch, where, "the check")}
    found = _bypass(asked, branch, where, "the check of a branch that is being made")
    yield from (one for one in found if one.code not in said)


def _pinned(branch: BranchFacts, account: AccountFacts) -> list[Demand]:
    checks = [one for one in branch.demands if one.rule == CHECK_RULE]
    return [one for one in checks if one.app_id == account.app_id]


def _pull_request(branch: BranchFacts, where: str, account: AccountFacts) -> Iterator[Finding]:
    """Without it what is up to date and green may be merged by hand and pushed, unjudged."""
    if not _pinned(branch, account):
        return  # there is a larger hole here, with the same mend
    found = [one for one in branch.demands if one.rule == PULL_RULE]
    if found:
        yield from _bypass([_pushing(one) for one in found], branch, where, "the pull request")
    elif branch.pull_request_known:
        what = "a merge made by hand can be pushed: no pull request is required"
        yield _finding(Level.HOLE, "push", where, what, _protect(branch))
    else:
        what = "classic protection may or may not require a pull request"
        yield _finding(Level.UNKNOWN, "push-unknown", where, what, _SEE)


def _pushing(demand: Demand) -> Demand:
    """Whoever may bypass in a pull request only has to open one all the same."""
    if demand.bypass is None:
        return demand
    left = tuple(one for one in demand.bypass if not one.endswith("(pull_request)"))
    return replace(demand, bypass=left)


def _bypass(demands: list[Demand], branch: BranchFacts, where: str, what: str) -> Iterator[Finding]:
    """Rules add up, so one that nobody may bypass is enough."""
    if any(one.bypass == () for one in demands):
        return
    code = "push-bypass" if what == "the pull request" else "bypass"
    if any(one.bypass is None for one in demands):
        told = f"who may bypass {what} cannot be seen ({_sources(demands)})"
        yield _finding(Level.UNKNOWN, f"{code}-unknown", where, told, _SEE)
        return
    who = sorted({name for one in demands for name in one.bypass or ()})
    told = f"{what} can be bypassed by {_listed(who)} ({_sources(demands)})"
    yield _finding(Level.HOLE, code, where, told, _protect(branch))


def _sources(demands: list[Demand]) -> str:
    return ", ".join(dict.fromkeys(one.source for one in demands))


def _listed(names: "tuple[str, ...] | list[str]") -> str:
    most = 8
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nobody") + more


def _protect(branch: BranchFacts) -> str:
    """With a pattern for a branch that ``protect`` does not hold unless it is told to."""
    pattern = pattern_for(branch.name)
    usual = branch.default or f"refs/heads/{pattern}" in REFS
    command = "countersign protect" if usual else f"countersign protect --branches '{pattern}'"
    return f"Run `{command}` on it: a rule of ours that nobody may bypass is added."


_SEE = "Run the doctor with an administrator's token in GITHUB_ADMIN_TOKEN."

ACCOUNT_RULES: tuple[Callable[[AccountFacts], Iterator[Finding]], ...] = (
    _clock,
    _installed,
    _permissions,
    _events,
    _webhook,
    _roster,
)
BRANCH_RULES: tuple[Callable[[BranchFacts, str, AccountFacts], Iterator[Finding]], ...] = (
    _check,
    _pull_request,
)

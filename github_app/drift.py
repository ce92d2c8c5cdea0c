"""Does the check still stop what it should? Looked at when rules change and now and then.

A change is written down once, whoever notices it first: an event, or the look of every hour.
"""

from collections.abc import Iterator, Mapping, Sequence

from github_app.gateway import app as the_app
from github_app.gateway import protection
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.errors import Forbidden, GitHubError, NotFound
from github_app.gateway.protection import CHECK_RULE, PULL_RULE, Demand
from github_app.gateway.survey import BATCH, Branch, Covered, Surveyed, by_id, covered, survey
from github_app.logs import get_logger
from github_app.store.audit import Entry, RecordKind
from github_app.store.database import Store
from github_app.store.protections import MOMENTS, Look, Seen, shown
from github_app.store.task import Task
from github_app.store.text import Json
from github_app.told import Bypass, bypasses_told, newest

log = get_logger("drift")


class Drift:
    """Looks at the protection of repositories and of installations."""

    def __init__(self, *, github: GitHub, store: Store, app_id: int, check_name: str) -> None:
        self._github = github
        self._store = store
        self._app_id = app_id
        self._check_name = check_name

    def look(self, installation: Installation, task: Task, deliveries: tuple[str, ...]) -> None:
        """At one repository, or without one at the installation and all that it covers.

        Raises: GitHubError, where what was seen so far is kept; StoreError.
        """
        looked_at = self._store.now()
        told = bypasses_told(self._store.inbox.get(guid) for guid in deliveries)
        if task.repository_id:
            looks = [self._one(installation, task, told)]
        else:
            looks = [self._installation(installation, task, told)]
        self._record(looks, looked_at, deliveries)
        if not task.repository_id and looks[0].state is not None and _works(looks[0]):
            self._repositories(installation, looked_at, deliveries)

    # --- what is looked at -----------------------------------------------------------------------

    def _installation(
        self, installation: Installation, task: Task, told: Mapping[int, Bypass]
    ) -> Look:
        """Whether the app may still work there. What it may do is written down as GitHub says."""
        before = self._store.protections.of(installation.id).get(0)
        try:
            found = the_app.installation_by_id(self._github.app(), installation.id)
        except NotFound:
            name = before.full_name if before else task.full_name
            return Look(
                installation_id=installation.id, repository_id=0, full_name=name, state=None
            )
        permissions: dict[str, Json] = {**dict(sorted(found.permissions.items()))}
        state: dict[str, Json] = {"suspended": found.suspended, "permissions": permissions}
        state |= _kept(newest(known_bypasses(before), told))
        return Look(
            installation_id=installation.id, repository_id=0, full_name=found.account, state=state
        )

    def _repositories(
        self, installation: Installation, looked_at: float, deliveries: tuple[str, ...]
    ) -> None:
        wanted = list(covered(installation))
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            self._record(self._looks(installation, batch), looked_at, deliveries)
        left = {one.repository.id for one in wanted}
        gone = [
            Look(
                installation_id=installation.id,
                repository_id=seen.repository_id,
                full_name=seen.full_name,
                state=None,
            )
            for number, seen in self._store.protections.of(installation.id).items()
            if number and number not in left
        ]
        self._record(gone, looked_at, deliveries)

    def _one(self, installation: Installation, task: Task, told: Mapping[int, Bypass]) -> Look:
        nothing = Look(
            installation_id=installation.id,
            repository_id=task.repository_id,
            full_name=task.full_name,
            state=None,
        )
        try:
            found = by_id(installation, task.repository_id)
        except NotFound:
            return nothing  # deleted, or no longer covered
        if found.asleep:
            return nothing
        for each, surveyed in survey(installation, [found], check_name=self._check_name):
            if isinstance(surveyed, NotFound):
                return nothing
            seen = self._store.protections.of(installation.id)
            look = self._seen(installation, each, surveyed, seen, told)
            if look is not None:
                return look
            assert isinstance(surveyed, GitHubError)
            raise surveyed
        return nothing

    def _looks(self, installation: Installation, batch: Sequence[Covered]) -> list[Look]:
        """What cannot be read is no news: what was last seen of it stays."""
        found = survey(installation, batch, check_name=self._check_name)
        seen = self._store.protections.of(installation.id)
        looks = [self._seen(installation, each, surveyed, seen, {}) for each, surveyed in found]
        return [look for look in looks if look is not None]

    def _seen(
        self,
        installation: Installation,
        each: Covered,
        found: Surveyed | GitHubError,
        seen: Mapping[int, Seen],
        told: Mapping[int, Bypass],
    ) -> Look | None:
        """``seen``: what is kept of the installation. ``told``: who may bypass, by an event."""
        repository = each.repository
        own = newest(known_bypasses(seen.get(repository.id)), told)
        bypasses = newest(known_bypasses(seen.get(0)), own)
        if isinstance(found, Forbidden) and repository.private and found.missing is None:
            # The owner's plan has no protection for private repositories: nothing is required.
            branch = Branch(
                name=repository.default_branch or "", default=True, classic=False, demands=()
            )
            found = Surveyed(repository=repository, branches=(branch,))
        if isinstance(found, GitHubError):
            log.info("unread", repository=repository.full_name, reason=str(found))
            return None
        states = [self._branch(installation, found, branch, bypasses) for branch in found.branches]
        return Look(
            installation_id=installation.id,
            repository_id=repository.id,
            full_name=found.repository.full_name,
            # Also of a ruleset that shows nowhere yet: of branches that are still to be made.
            state={"branches": [*states]} | _kept(own),
            unprotected=sum(not _held(state) for state in states),
        )

    def _branch(
        self,
        installation: Installation,
        found: Surveyed,
        branch: Branch,
        bypasses: Mapping[int, Bypass],
    ) -> dict[str, Json]:
        checks = [one.app_id for one in branch.demands if one.rule == CHECK_RULE]
        ours = [
            one for one in branch.demands if one.rule == CHECK_RULE and one.app_id == self._app_id
        ]
        pull: bool | None = any(one.rule == PULL_RULE for one in branch.demands)
        if not pull and branch.classic:
            repository = found.repository
            classic = protection.classic_pull_request(
                installation, repository.owner, repository.name, branch.name
            )
            pull = None if classic is None else bool(classic)
        return {
            "branch": branch.name,
            "required": bool(checks),
            "pinned": self._app_id in checks,
            "pull_request": pull,
            **_ways_round(ours, bypasses, default=branch.default),
        }

    # --- what is written down --------------------------------------------------------------------

    def _record(self, looks: Sequence[Look], looked_at: float, deliveries: tuple[str, ...]) -> None:
        def entry(look: Look, before: Seen | None) -> Entry | None:
            if before is None and not look.unprotected:
                return None  # it is as it should be, and nothing else was ever seen
            return Entry(
                kind=RecordKind.PROTECTION,
                repository_id=look.repository_id,
                repository=look.full_name,
                deliveries=deliveries,
                fields=dict(_fields(look, before)),
            )

        if not looks:
            return
        for one in self._store.protections.record(looks, looked_at=looked_at, entry=entry):
            lost = one.fields["unprotected"] or one.fields["now"] is None
            say = log.warning if lost else log.info
            say("protection", repository=one.repository, unprotected=one.fields["unprotected"])


def _fields(look: Look, before: Seen | None) -> Iterator[tuple[str, Json]]:
    yield "installation", look.installation_id
    yield "was", None if before is None else shown(before.state)
    yield "now", None if look.state is None else shown(look.state)
    yield "unprotected", look.unprotected


def _ways_round(
    ours: Sequence[Demand], bypasses: Mapping[int, Bypass], *, default: bool
) -> dict[str, Json]:
    """What is known to lead past the rules that demand our check; nothing where nothing is.

    Rules add up: one that nobody is known to get past is enough. Of a branch that can be made anew
    that one must ask for the check then, too.
    """
    found: dict[str, Json] = {}
    made = [] if default else [one for one in ours if one.new_too]
    if ours and not default and not made:
        found["not_when_made"] = True
    for rules in (ours, made):
        may = [_may_bypass(one, bypasses) for one in rules]
        if may and all(may):
            found["bypass"] = [*sorted({who for names in may for who in names})]
            break
    return found


def _may_bypass(demand: Demand, bypasses: Mapping[int, Bypass]) -> tuple[str, ...]:
    """As far as is known."""
    if demand.ruleset is None:
        return demand.bypass or ()
    return bypasses[demand.ruleset].who if demand.ruleset in bypasses else ()


def known_bypasses(seen: Seen | None) -> dict[int, Bypass]:
    """Who may bypass which ruleset, as events told: nothing else shows it to the app."""
    state: Mapping[str, Json] = seen.state if seen is not None else {}
    names, moments = state.get("bypasses"), state.get(MOMENTS)
    names = names if isinstance(names, Mapping) else {}
    moments = moments if isinstance(moments, Mapping) else {}
    return {
        int(number): Bypass(at=str(moments.get(number, "")), who=_words(names.get(number)))
        for number in {**names, **moments}
    }


def _words(names: Json) -> tuple[str, ...]:
    return tuple(str(who) for who in names) if isinstance(names, list) else ()


def _kept(bypasses: Mapping[int, Bypass]) -> dict[str, Json]:
    """Of nobody the moment is kept all the same: what was before it may still come."""
    told = {str(number): one for number, one in sorted(bypasses.items())}
    names: dict[str, Json] = {number: [*one.who] for number, one in told.items() if one.who}
    moments: dict[str, Json] = {number: one.at for number, one in told.items() if one.at}
    kept: dict[str, Json] = {"bypasses": names, MOMENTS: moments}
    return {name: of_each for name, of_each in kept.items() if of_each}


def _held(state: dict[str, Json]) -> bool:
    """Unknown is not called unprotected here: the doctor names what may not be seen."""
    round_it = state.get("bypass") or state.get("not_when_made")
    stops = state["required"] and state["pinned"] and state["pull_request"] is not False
    return bool(stops and not round_it)


def _works(look: Look) -> bool:
    return look.state is not None and not look.state["suspended"]

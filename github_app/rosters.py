"""Which roster is in force for a pull request: found, checked, layered and kept.

Order (design section 4): the organisation's file, else the one this deployment was started with;
a repository's own file may only tighten it. A file that is broken leaves the last valid one in
force, loudly; where there never was one, nothing can be judged. Never a file from the pull request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from github_app.gateway import pull_request as gateway
from github_app.gateway.client import Installation
from github_app.gateway.errors import GitHubError
from github_app.gateway.pull_request import RosterText, Snapshot
from github_app.judge.errors import RosterError
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import Annotation
from github_app.judge.roster import Roster, RosterSource, parse_roster, raised_by, tighten
from github_app.judge.roster import touches_roster as touches
from github_app.judge.verdict import RosterChange
from github_app.logs import get_logger
from github_app.store.rosters import Rosters
from github_app.yaml_source import read_document

log = get_logger("roster")

DEPLOYMENT = "this deployment"
# Team members are read again after this long, and at once when an event says they changed. Seconds.
MEMBERS_AGE = 600.0
_MOST_KEPT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The roster to judge by, or the reason why there is none. ``notes`` are said aloud."""

    roster: Roster | None
    reason: Reason
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    roster: Roster | None
    problem: str = ""
    missing: bool = False


class RosterDesk:
    """Finds the roster for a snapshot. One per process; every thread may ask."""

    def __init__(self, *, deployment: Path, kept: Rosters, monotonic: Callable[[], float]) -> None:
        self._deployment = deployment
        self._kept = kept
        self._monotonic = monotonic
        self._parsed: dict[tuple[str, str, str], _Found] = {}
        self._members: dict[tuple[int, str], tuple[float, frozenset[int]]] = {}
        self._lock = Lock()

    def in_force(self, installation: Installation, snapshot: Snapshot) -> InForce:
        """The roster for this pull request. Raises nothing of GitHub's: an unread team is a note."""
        owner = snapshot.pull.repository.owner
        base = self._base(owner, snapshot.rosters.org)
        if base.roster is None:
            return base
        layered = self._layered(base, snapshot)
        if layered.roster is None:
            return layered
        roster = self._with_members(installation, layered.roster)
        warnings = tuple(
            Reason(code=Code.ROSTER_WARNING, detail=text) for text in roster.warnings
        )
        return replace(layered, roster=roster, notes=(*layered.notes, *warnings))

    def change(
        self, installation: Installation, snapshot: Snapshot, current: Roster
    ) -> tuple[RosterChange | None, tuple[Annotation, ...]]:
        """What the pull request does to the roster, judged by the current one.

        Returns (None, ()) for one that leaves it alone. The new file is read from the head to see
        whom it would raise and to remark on its lines; it is never in force.
        """
        pull = snapshot.pull
        paths = roster_paths(pull.repository.name)
        if not touches(pull, *paths):
            return None, ()
        raised: frozenset[str] = frozenset()
        annotations: list[Annotation] = []
        for path in paths:
            if not _changes(snapshot, path):
                continue
            text = gateway.file_at(installation, pull.repository, pull.head_oid, path)
            if text is None:
                continue
            source = RosterSource(
                name=pull.repository.full_name, path=path, commit_oid=pull.head_oid
            )
            try:
                proposed = parse_roster(read_document(text, path), source=source)
            except RosterError as error:
                annotations += _annotations(path, error)
                continue
            raised |= raised_by(current, proposed)
        return RosterChange(raised=raised), tuple(annotations)

    def forget_members(self, installation_id: int | None = None) -> None:
        """Team members changed: read them again at the next judgement."""
        with self._lock:
            if installation_id is None:
                self._members.clear()
                return
            for key in [key for key in self._members if key[0] == installation_id]:
                del self._members[key]

    def _base(self, owner: str, org: RosterText | None) -> InForce:
        scope = f"owner {owner.casefold()}"
        if org is not None:
            return self._settled(scope, self._read(scope, org))
        last = self._last(scope)
        if last is not None:
            gone = Reason(code=Code.ROSTER_STALE, detail="the organisation's file is gone")
            log.warning("roster gone", owner=owner)
            return InForce(roster=last, reason=gone, notes=(gone,))
        return self._settled(DEPLOYMENT, self._from_deployment())

    def _layered(self, base: InForce, snapshot: Snapshot) -> InForce:
        text = snapshot.rosters.repository
        if text is None or base.roster is None:
            return base
        scope = f"repository {snapshot.pull.repository.id}"
        found = self._read(scope, text, below=base.roster)
        if found.roster is not None:
            self._keep(scope, text)
            return replace(base, roster=found.roster)
        kept = self._kept.last(scope)
        if kept is not None:
            again = self._parse(scope, kept.text, _source(kept.source), below=base.roster)
            if again.roster is not None:
                note = Reason(code=Code.ROSTER_STALE, detail=found.problem)
                return replace(base, roster=again.roster, notes=(*base.notes, note))
        return InForce(roster=None, reason=Reason(code=Code.ROSTER_BROKEN, detail=found.problem))

    def _settled(self, scope: str, found: _Found) -> InForce:
        """A valid roster is in force; a broken one leaves the last valid one, if there was one."""
        if found.roster is not None:
            return InForce(roster=found.roster, reason=_FINE)
        code = Code.ROSTER_MISSING if found.missing else Code.ROSTER_BROKEN
        last = None if found.missing else self._last(scope)
        if last is None:
            return InForce(roster=None, reason=Reason(code=code, detail=found.problem))
        stale = Reason(code=Code.ROSTER_STALE, detail=found.problem)
        log.warning("roster broken", scope=scope, problem=found.problem)
        return InForce(roster=last, reason=stale, notes=(stale,))

    def _read(self, scope: str, text: RosterText, below: Roster | None = None) -> _Found:
        """Parse what GitHub gave, and keep it if it is valid."""
        if text.problem:
            return _Found(roster=None, problem=f"{text.path}: {text.problem}")
        source = RosterSource(name=text.repository, path=text.path, commit_oid=text.commit_oid)
        found = self._parse(scope, text.text, source, below=below)
        if found.roster is not None:
            self._kept.remember(scope, text.text, source=_spell(source))
        return found

    def _from_deployment(self) -> _Found:
        try:
            text = self._deployment.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{self._deployment.name}: {type(error).__name__}"
            return _Found(roster=None, problem=problem, missing=isinstance(error, OSError))
        source = RosterSource(name=DEPLOYMENT, path=self._deployment.name, commit_oid=None)
        found = self._parse(DEPLOYMENT, text, source)
        if found.roster is not None:
            self._kept.remember(DEPLOYMENT, text, source=_spell(source))
        return found

    def _last(self, scope: str) -> Roster | None:
        kept = self._kept.last(scope)
        if kept is None:
            return None
        return self._parse(scope, kept.text, _source(kept.source)).roster

    def _parse(
        self, scope: str, text: str, source: RosterSource, *, below: Roster | None = None
    ) -> _Found:
        """Parse once per content: a roster is read with every snapshot and changes rarely."""
        layer = f"{below.source.name} {below.source.commit_oid}" if below else ""
        key = (scope, f"{source.commit_oid} {layer}", text)
        with self._lock:
            known = self._parsed.get(key)
        if known is None:
            known = _parsed(text, source, below)
            with self._lock:
                if len(self._parsed) >= _MOST_KEPT:
                    self._parsed.clear()
                self._parsed[key] = known
        return known

    def _with_members(self, installation: Installation, roster: Roster) -> Roster:
        """Fill in who is in the roster's teams. A team that cannot be read gives nobody a level."""
        members = {}
        for team in roster.teams_unread:
            found = self._team(installation, team)
            if found is not None:
                members[team] = found
        return roster.with_members(members) if members else roster

    def _team(self, installation: Installation, team: str) -> frozenset[Actor] | None:
        key = (installation.id, team)
        with self._lock:
            known = self._members.get(key)
        if known is not None and self._monotonic() - known[0] < MEMBERS_AGE:
            return known[1]
        organisation, _, slug = team.partition("/")
        try:
            found = gateway.team_members(installation, organisation, slug)
        except GitHubError as error:
            log.warning("team unread", team=team, error=str(error))
            return None
        with self._lock:
            self._members[key] = (self._monotonic(), found)
        return found


_FINE = Reason(code=Code.NO_AI_MARK)  # never shown: a roster that is in force needs no reason


def roster_paths(repository: str) -> tuple[str, ...]:
    """Where a repository of this name may hold a roster."""
    return ("reviewers.yaml", ".github/reviewers.yaml")


def _parsed(text: str, source: RosterSource, below: Roster | None) -> _Found:
    try:
        document = read_document(text, source.path)
        if below is not None:
            return _Found(roster=tighten(below, document, source=source))
        return _Found(roster=parse_roster(document, source=source))
    except RosterError as error:
        return _Found(roster=None, problem=str(error))


def _annotations(path: str, error: RosterError) -> list[Annotation]:
    return [
        Annotation(
            path=path,
            start_line=problem.line,
            end_line=problem.line,
            level="failure",
            title="This roster cannot be used",
            message=problem.message,
        )
        for problem in error.problems
    ]

"""Which roster is in force for a pull request: found, checked, layered and kept.

Order (design section 4): the organisation's file, else the one this deployment was started with;
a repository's own file may only tighten it. A file that is broken leaves the last valid one in
force, loudly; where there never was one, nothing can be judged. Never a file from the pull request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

from github_app.gateway.client import Installation
from github_app.gateway.commit import file_at
from github_app.gateway.pull_request import RosterText, RosterTexts, Snapshot
from github_app.gateway.repository import RosterIds
from github_app.grounds import ground
from github_app.judge.errors import RosterError
from github_app.judge.facts import PullRequest, Repository
from github_app.judge.outcome import RosterChange
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import Annotation
from github_app.judge.roster import (
    LAYER_PATH,
    ROSTER_PATH,
    Roster,
    RosterSource,
    parse_roster,
    raised_by,
    tighten,
    touches_roster,
)
from github_app.judge.rules import changed_paths
from github_app.logs import get_logger
from github_app.store.rosters import SavedRoster
from github_app.teams import Teams
from github_app.yaml_source import read_document

log = get_logger("roster")

DEPLOYMENT = "this deployment"
_MOST_KEPT = 512
# A check says so many errors of a roster; `countersign roster check` says all.
MOST_PROBLEMS = 30


class Kept(Protocol):
    """Where the last valid rosters are: the store's, or something that writes nothing."""

    def last(self, scope: str) -> SavedRoster | None: ...

    def remember(
        self, scope: str, *, text: str, source: str, commit_oid: str, read_at: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The roster to judge by; where it is None, ``reasons`` say why, the first one in few words.

    ``notes`` are said aloud. ``ground`` names what the verdict will rest on: see ``grounds``.
    """

    roster: Roster | None
    ground: str = ""
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One roster file as it was read: ``scope`` says whose it is."""

    scope: str
    source: RosterSource
    text: str | None
    problem: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """``problem`` is the first error in few words, ``problems`` are all of them."""

    roster: Roster | None
    problem: str = ""
    problems: tuple[str, ...] = ()


class RosterDesk:
    """Finds the roster for a snapshot. One per process; every thread may ask."""

    def __init__(
        self,
        *,
        deployment: Path,
        kept: Kept,
        teams: Teams,
        rules: str,
        now: Callable[[], datetime],
    ) -> None:
        """``rules`` names the rules and settings of this process: see ``grounds``."""
        self._deployment = deployment
        self._kept = kept
        self._teams = teams
        self._rules = rules
        self._now = now
        self._parsed: dict[tuple[str, ...], _Parsed] = {}
        self._lock = Lock()

    def in_force(self, installation: Installation, snapshot: Snapshot) -> InForce:
        """The roster for this pull request. A team that GitHub does not show gives nobody a level.

        Raises: GitHubError when a team could not be read for the moment.
        """
        return self.of(installation, snapshot.pull.repository, snapshot.rosters)

    def of(self, installation: Installation, repository: Repository, texts: RosterTexts) -> InForce:
        """The same for a repository, from its files. Raises: GitHubError."""
        # Before anything is read: what changes meanwhile must not pass for known.
        generation = self._teams.generation(installation.id)
        base, unused = self._base_file(repository.owner, texts)
        ground = self._ground(installation.id, generation, base, texts.ids)
        force = self._settled(base, None)
        own = texts.repository
        if force.roster is not None and own is not None:
            below = force
            force = self._settled(_file(f"repository/{repository.id}", own), below.roster)
            force = replace(force, notes=(*below.notes, *force.notes))
        if force.roster is None:
            return replace(force, ground=ground)
        roster = self._with_members(installation, force.roster, generation)
        remarks = tuple(Reason(code=Code.ROSTER_WARNING, detail=text) for text in roster.warnings)
        if unused is not None:
            remarks = (_unused(unused, base), *remarks)
        return replace(force, roster=roster, ground=ground, notes=(*force.notes, *remarks))

    def ground(self, installation_id: int, owner: str, ids: RosterIds) -> str:
        """What a pull request of ``owner`` would be judged by, where GitHub shows these rosters.

        Raises: StoreError.
        """
        generation = self._teams.generation(installation_id)
        nothing = RosterTexts(org=None, repository=None)
        base = None if ids.organisation else self._base_file(owner, nothing)[0]
        return self._ground(installation_id, generation, base, ids)

    def _ground(
        self, installation_id: int, generation: int, base: _File | None, ids: RosterIds
    ) -> str:
        """By the content of the files and not by the commits they are in: a commit to the default
        branch that leaves the roster alone must not have everything judged again."""
        read = ids.organisation
        if not read:
            assert base is not None
            read = f"{base.scope}\0{base.problem}\0{base.text or ''}"
        return ground(self._rules, f"{installation_id} {generation}", read, ids.repository)

    def change(
        self, installation: Installation, pull: PullRequest, current: Roster
    ) -> tuple[RosterChange | None, tuple[Annotation, ...]]:
        """What the pull request does to the roster, judged by the current one.

        Returns (None, ()) for one that leaves it alone. The new file is read from the head to see
        whom it would raise and to remark on its lines; it is never in force. Raises: GitHubError.
        """
        if not touches_roster(pull, current.sources):
            return None, ()
        raised: frozenset[str] = frozenset()
        annotations: tuple[Annotation, ...] = ()
        problem = ""
        for path in _roster_paths(pull, current):
            text = file_at(installation, pull.repository, pull.head_oid, path)
            name = pull.repository.full_name
            source = RosterSource(name=name, path=path, commit_oid=pull.head_oid)
            try:
                proposed = _proposed(current, text, source)
                raised |= raised_by(current, proposed) if proposed else frozenset()
            except RosterError as error:
                annotations += _annotations(path, error)
                problem = problem or error.headline
        return RosterChange(raised=raised, problem=problem), annotations

    # --- which file -------------------------------------------------------------------------------

    def _base_file(self, owner: str, texts: RosterTexts) -> tuple[_File, RosterText | None]:
        """The organisation's file, or this deployment's where the organisation never had one.

        One that was there and is gone is a broken file, not a missing one: taking it away must not
        loosen anything. Nor must another one beside it, in a repository that somebody may have made
        for the purpose: it is returned as the one that is not used.
        """
        scope = f"owner/{owner.casefold()}"
        org, second = texts.org, texts.second
        if org is not None and second is not None:
            kept = self._kept.last(scope)
            if kept is not None and _source(kept).name.casefold() == second.repository.casefold():
                return _file(scope, second), org
        if org is not None:
            return _file(scope, org), second
        kept = self._kept.last(scope)
        if kept is not None:
            source = _source(kept)
            return _File(scope=scope, source=source, text=None, problem="the file is gone"), None
        return self._deployment_file(), None

    def _deployment_file(self) -> _File:
        name = self._deployment.name
        source = RosterSource(name=DEPLOYMENT, path=name)
        try:
            # Bytes, because text mode would hide line ends that a reader sees and YAML does not.
            text = self._deployment.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return _File(
                scope="deployment", source=source, text=None, problem=f"no {name}", missing=True
            )
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{name}: {type(error).__name__}"
            return _File(scope="deployment", source=source, text=None, problem=problem)
        return _File(scope="deployment", source=source, text=text)

    # --- what is in it ----------------------------------------------------------------------------

    def _settled(self, file: _File, below: Roster | None) -> InForce:
        """A valid file is in force; a broken one leaves the last valid one, if there was one."""
        found = self._parse(file, below)
        if found.roster is not None:
            return InForce(roster=found.roster)
        last = None if file.missing else self._last(file.scope, below)
        code = Code.ROSTER_MISSING if file.missing else Code.ROSTER_BROKEN
        if last is None:
            told = [found.problem, *found.problems[:MOST_PROBLEMS]]
            reasons = tuple(Reason(code=code, detail=problem) for problem in told)
            return InForce(roster=None, reasons=reasons)
        log.warning("roster broken", scope=file.scope, problem=found.problem)
        stale = Reason(code=Code.ROSTER_STALE, detail=found.problem)
        return InForce(roster=last, notes=(stale,))

    def _last(self, scope: str, below: Roster | None) -> Roster | None:
        kept = self._kept.last(scope)
        if kept is None:
            return None
        return _parse(kept.text, _source(kept), below).roster

    def _parse(self, file: _File, below: Roster | None) -> _Parsed:
        """Parse once per content: a roster comes with every snapshot and changes rarely."""
        if file.text is None:
            return _Parsed(roster=None, problem=file.problem)
        layer = "".join(str(source) for source in below.sources) if below else ""
        oid = file.source.commit_oid or ""
        key = (file.scope, oid, layer, file.text)
        with self._lock:
            known = self._parsed.get(key)
        if known is not None:
            return known
        parsed = _parse(file.text, file.source, below)
        if parsed.roster is not None:
            self._kept.remember(
                file.scope,
                text=file.text,
                source=f"{file.source.name}\n{file.source.path}",
                commit_oid=oid,
                read_at=self._now(),
            )
        with self._lock:
            if len(self._parsed) >= _MOST_KEPT:
                self._parsed.clear()
            self._parsed[key] = parsed
        return parsed

    # --- teams ------------------------------------------------------------------------------------

    def _with_members(self, installation: Installation, roster: Roster, generation: int) -> Roster:
        """Fill in who is in the roster's teams. A team that cannot be read gives nobody a level."""
        members = {}
        for team in roster.teams_unread:
            found = self._teams.members(installation, team, generation)
            if found is not None:
                members[team] = found
        return roster.with_members(members) if members else roster


def _file(scope: str, text: RosterText) -> _File:
    source = RosterSource(name=text.repository, path=text.path, commit_oid=text.commit_oid)
    problem = f"{text.path}: {text.problem}" if text.problem else ""
    return _File(scope=scope, source=source, text=text.text, problem=problem)


def _unused(other: RosterText, base: _File) -> Reason:
    told = f"{other.repository} has a {other.path} too; the one of {base.source.name} is in force"
    return Reason(code=Code.ROSTER_WARNING, detail=told)


def _source(kept: SavedRoster) -> RosterSource:
    name, _, path = kept.source.partition("\n")
    return RosterSource(name=name, path=path, commit_oid=kept.commit_oid or None)


def _parse(text: str, source: RosterSource, below: Roster | None) -> _Parsed:
    try:
        document = read_document(text, source.path)
        if below is not None:
            return _Parsed(roster=tighten(below, document, source=source))
        return _Parsed(roster=parse_roster(document, source=source))
    except RosterError as error:
        problems = tuple(str(problem) for problem in error.problems)
        return _Parsed(roster=None, problem=error.headline, problems=problems)


def _proposed(current: Roster, text: str | None, source: RosterSource) -> Roster | None:
    """What would be in force instead; None where nothing can be told. Raises: RosterError.

    A layer is laid over the organisation's roster, not over the layer that it replaces.
    """
    layer = source.path == LAYER_PATH
    if text is None:
        return current.organisation if layer else None
    document = read_document(text, source.path)
    if layer:
        return tighten(current.organisation, document, source=source)
    return parse_roster(document, source=source)


def _roster_paths(pull: PullRequest, current: Roster) -> tuple[str, ...]:
    """The roster files that this pull request may change, each once."""
    name = pull.repository.full_name.casefold()
    own = [source.path for source in current.sources if source.name.casefold() == name]
    touched = {path.casefold() for path in changed_paths(pull.files)}
    paths = dict.fromkeys([ROSTER_PATH, LAYER_PATH, *own])
    every = not pull.files_complete
    return tuple(path for path in paths if every or path.casefold() in touched)


def _annotations(path: str, error: RosterError) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(
            path=path,
            start_line=problem.line,
            end_line=problem.line,
            level="failure",
            title="This roster cannot be used",
            message=problem.message,
        )
        for problem in error.problems
    )

"""What a pull request needs: the roster's sign-off and every rule that matches, strictest wins."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from github_app.judge.facts import ChangedFile, PullRequest, Repository
from github_app.judge.globs import Glob, GlobIndex, compile_glob
from github_app.judge.policy import Requirement, Rule, SignOffPolicy
from github_app.judge.risk import names, risks

RENAMED = "RENAMED"


@dataclass(frozen=True, kw_only=True)
class RuleBook:
    """``sign_off`` and ``rules`` of a roster, compiled on first use."""

    sign_off: SignOffPolicy
    rules: tuple[Rule, ...]

    def requirement(self, pull: PullRequest) -> Requirement:
        """The requirement for this pull request.

        Where the changed paths are not all known, or what is changed there is not what a path
        suggests (``risk.py``), every rule on paths matches.
        """
        sure, every = self._least_and_most(pull)
        if _numbers(sure) == _numbers(every):
            return sure
        risk = next(risks(pull), None)
        unread = pull.diff_read is None or any(map(unknown_rename, pull.files))
        return replace(every, risk=risk) if risk or unread else sure

    def wants_diff(self, pull: PullRequest) -> bool:
        """Whether the diff, which has the modes and old names of files, could lower what is
        needed. Without it every rule on paths is taken to match."""
        if pull.diff_read is not None:
            return False
        sure, every = self._least_and_most(pull)
        return _numbers(sure) != _numbers(every) and next(risks(pull), None) is None

    def _least_and_most(self, pull: PullRequest) -> tuple[Requirement, Requirement]:
        """What is asked where only the rules match whose paths are touched, and where all do."""
        scope = self._scope(pull)
        by_path = self._by_path & scope
        if not by_path:
            only = self._asks(scope)
            return only, only
        others = scope - by_path
        touched = by_path & self._paths.owners(changed_paths(pull.files))
        return self._asks(others | touched), self._asks(others | by_path)

    def _asks(self, matching: set[int]) -> Requirement:
        because = tuple(self.rules[number] for number in sorted(matching))
        ranks = [rule.rank for rule in because if rule.rank is not None]
        numbers = [rule.approvals for rule in because if rule.approvals is not None]
        return Requirement(
            rank=max([self.sign_off.rank, *ranks]),
            approvals=max([self.sign_off.approvals, *numbers]),
            exempt=_exempt(self.sign_off.exempt, ranks),
            because=because,
        )

    def _scope(self, pull: PullRequest) -> set[int]:
        """The numbers of the rules for this repository and branch, whatever the paths."""
        return {
            number
            for (repositories, branches), numbers in self._scopes.items()
            if covers(repositories, pull.repository)
            and (not branches or any(glob.matches(pull.base_ref) for glob in branches))
            for number in numbers
        }

    def is_strictest_on(self, repository: Repository, branch: str) -> bool:
        """Whether no other branch of the repository is under a rule that this one is not under."""
        return all(
            not branches or any(glob.matches(branch) for glob in branches)
            for repositories, branches in self._scopes
            if covers(repositories, repository)
        )

    @cached_property
    def _scopes(self) -> dict[tuple[tuple[Glob, ...], tuple[Glob, ...]], list[int]]:
        """The rules by where they hold: many share it."""
        scopes: dict[tuple[tuple[Glob, ...], tuple[Glob, ...]], list[int]] = {}
        for number, rule in enumerate(self.rules):
            where = (compile_names(rule.repositories), compile_names(rule.branches))
            scopes.setdefault(where, []).append(number)
        return scopes

    @cached_property
    def _by_path(self) -> set[int]:
        return {number for number, rule in enumerate(self.rules) if rule.paths}

    @cached_property
    def _paths(self) -> GlobIndex:
        return GlobIndex(
            (number, compile_glob(pattern))
            for number, rule in enumerate(self.rules)
            for pattern in rule.paths
        )


def compile_names(patterns: Iterable[str]) -> tuple[Glob, ...]:
    """Patterns for whole names: of repositories and of branches."""
    return tuple(compile_glob(pattern, anchored=True) for pattern in patterns)


def covers(globs: tuple[Glob, ...], repository: Repository) -> bool:
    """Whether the repository is, or was, one of these; no patterns cover every one."""
    return not globs or any(glob.matches(name) for glob in globs for name in repository.names)


def changed_paths(files: Iterable[ChangedFile]) -> Iterator[str]:
    """Every path that was touched, under its new and its old name, and what each seems to be."""
    return chain.from_iterable(map(names, files))


def unknown_rename(file: ChangedFile) -> bool:
    return file.change == RENAMED and file.previous_path is None


def _exempt(exempt: int | None, ranks: list[int]) -> int | None:
    """A rule that asks for a higher rank lets nobody below that rank go without."""
    return None if exempt is None else max([exempt, *ranks])


def _numbers(requirement: Requirement) -> tuple[int, int, int | None]:
    return requirement.rank, requirement.approvals, requirement.exempt

"""What a pull request needs: rules by repository, branch and path; the strictest wins."""

from typing import Any

import pytest

from github_app.judge.facts import ChangedFile, PullRequest, Repository
from github_app.judge.policy import Requirement
from tests.judge.build import SHOP, a_pull
from tests.judge.rosters import PLAIN, layered, roster

INFRA = """\
rules:
  - name: infrastructure
    repositories: [acme/*]
    branches: [main, release/*]
    paths: [infra/**, "**/*.tf"]
    from: principal
"""
OTHER = Repository(id=78, owner="other", name="shop")


def file(path: str, **more: Any) -> ChangedFile:
    return ChangedFile(path=path, **more)


def renamed(path: str, before: str | None) -> ChangedFile:
    return ChangedFile(path=path, change="RENAMED", previous_path=before)


def needed(requirement: Requirement) -> tuple[int, int, int | None, str]:
    names = " ".join(rule.name for rule in requirement.because)
    return requirement.rank, requirement.approvals, requirement.exempt, names


@pytest.mark.parametrize(
    ("pull", "matches"),
    [
        pytest.param(a_pull(files=(file("infra/main.py"),)), True, id="path"),
        pytest.param(a_pull(files=(file("a/b/Main.TF"),)), True, id="path-in-other-case"),
        pytest.param(a_pull(files=(file("shop.py"), file("x.tf"))), True, id="one-of-the-paths"),
        pytest.param(a_pull(files=(file("shop/cart.py"),)), False, id="other-path"),
        pytest.param(a_pull(files=()), False, id="empty-change"),
        pytest.param(a_pull(files=(file("infra", change="DELETED"),)), True, id="submodule"),
        pytest.param(
            a_pull(files=(renamed("docs/main.txt", "infra/main.tf"),)), True, id="moved-away"
        ),
        pytest.param(a_pull(files=(renamed("infra/a", "docs/a"),)), True, id="moved-in"),
        pytest.param(a_pull(files=(renamed("docs/b", "docs/a"),)), False, id="moved-elsewhere"),
        pytest.param(a_pull(files=(renamed("docs/b", None),)), True, id="moved-from-nobody-knows"),
        pytest.param(
            a_pull(files=(file("a"), renamed("b", None), renamed("d", "c"))),
            True,
            id="one-of-the-moves-from-nobody-knows",
        ),
        pytest.param(a_pull(files=(file("a"),), files_complete=False), True, id="list-cut-short"),
        pytest.param(a_pull(files=(), files_complete=False), True, id="empty-list-cut-short"),
        pytest.param(
            a_pull(files=(file("infra/a"),), base_ref="release/1.2"), True, id="another-branch"
        ),
        pytest.param(
            a_pull(files=(file("infra/a"),), base_ref="MAIN"), True, id="branch-in-capitals"
        ),
        pytest.param(
            a_pull(files=(file("infra/a"),), base_ref="feature/main"), False, id="other-branch"
        ),
        pytest.param(a_pull(files=(file("infra/a"),), repository=OTHER), False, id="other-owner"),
        pytest.param(
            a_pull(files=(file("a"),), files_complete=False, repository=OTHER),
            False,
            id="list-cut-short-but-other-owner",
        ),
        pytest.param(
            a_pull(files=(renamed("a", None),), base_ref="topic"),
            False,
            id="moved-from-nobody-knows-but-other-branch",
        ),
    ],
)
def test_a_rule_matches(pull: PullRequest, matches: bool) -> None:
    requirement = roster(PLAIN, INFRA).requirement(pull)
    assert needed(requirement) == ((3, 1, None, "infrastructure") if matches else (2, 1, None, ""))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param("", (2, 1, 2, ""), id="none"),
        pytest.param("rules: [{name: a, from: principal}]\n", (3, 1, 3, "a"), id="rank"),
        pytest.param("rules: [{name: a, approvals: 2}]\n", (2, 2, 2, "a"), id="number"),
        pytest.param(
            "rules: [{name: a, from: principal}, {name: b, approvals: 3}]\n",
            (3, 3, 3, "a b"),
            id="strictest-of-each",
        ),
        pytest.param(
            "rules: [{name: b, approvals: 3}, {name: a, approvals: 2}]\n",
            (2, 3, 2, "b a"),
            id="weaker-one-changes-nothing",
        ),
        pytest.param(
            "rules: [{name: a, paths: [shop/**], approvals: 2}, {name: b, paths: [infra/**], "
            "from: principal}]\n",
            (2, 2, 2, "a"),
            id="only-those-that-match",
        ),
        pytest.param(
            "rules: [{name: a, repositories: [acme/sho?], from: principal}]\n",
            (3, 1, 3, "a"),
            id="by-repository-alone",
        ),
        pytest.param(
            "rules: [{name: a, repositories: [other/*, acme/*], from: principal}]\n",
            (3, 1, 3, "a"),
            id="by-one-of-two-repositories",
        ),
        pytest.param(
            "rules: [{name: a, branches: [trunk, main], from: principal}]\n",
            (3, 1, 3, "a"),
            id="by-branch-alone",
        ),
    ],
)
def test_the_strictest_wins(rules: str, expected: tuple[int, int, int | None, str]) -> None:
    text = PLAIN.replace("{from: senior}", "{from: senior, exempt: senior}")
    assert needed(roster(text, rules).requirement(a_pull())) == expected


def test_a_rule_that_asks_for_more_exempts_less() -> None:
    """A senior's change is exempt, but not where a principal has to look."""
    text = PLAIN.replace("{from: senior}", "{from: senior, exempt: senior}")
    found = roster(text, INFRA)
    assert found.requirement(a_pull()).exempt == 2
    assert found.requirement(a_pull(files=(file("infra/a"),))).exempt == 3


def unread(*files: ChangedFile, **more: Any) -> PullRequest:
    return a_pull(files=files, diff_read=None, **more)


@pytest.mark.parametrize(
    ("pull", "wanted"),
    [
        pytest.param(unread(file("docs/b")), True, id="could-be-a-link"),
        pytest.param(unread(renamed("docs/b", None)), True, id="could-come-from-there"),
        pytest.param(unread(renamed("docs/b", None), file("a")), True, id="one-of-two"),
        pytest.param(a_pull(files=(file("docs/b"),)), False, id="read"),
        pytest.param(a_pull(files=(file("docs/b"),), diff_read=False), False, id="not-shown"),
        pytest.param(unread(file("docs/b"), file("infra/a")), False, id="matches-anyway"),
        pytest.param(unread(file("docs/b"), file(".gitattributes")), False, id="at-risk-anyway"),
        pytest.param(unread(file("docs/b"), base_ref="topic"), False, id="other-branch"),
        pytest.param(unread(file("docs/b"), files_complete=False), False, id="cut-short"),
        pytest.param(
            unread(
                renamed("docs/b", None),
                repository=Repository(id=1, owner="acme", name=".github"),
                base_ref="topic",
            ),
            True,
            id="moved-in-a-roster-repository",
        ),
        pytest.param(
            unread(
                file("docs/b"),
                repository=Repository(id=1, owner="acme", name=".github"),
                base_ref="topic",
            ),
            False,
            id="not-moved-in-a-roster-repository",
        ),
    ],
)
def test_wants_the_diff(pull: PullRequest, wanted: bool) -> None:
    assert roster(PLAIN, INFRA).wants_diff(pull) is wanted


def test_until_the_diff_is_read_every_rule_on_paths_applies() -> None:
    """Only where it makes a difference: else nobody asks, and nobody is told of other rules."""
    found = roster(PLAIN, INFRA)
    assert needed(found.requirement(unread(file("docs/b")))) == (3, 1, None, "infrastructure")
    two = INFRA + "  - {name: docs, paths: [docs/**], from: principal}\n"
    assert needed(roster(PLAIN, two).requirement(unread(file("docs/b")))) == (3, 1, None, "docs")


def test_without_rules_on_paths_nobody_asks_for_the_diff() -> None:
    moved = unread(renamed("docs/b", None))
    assert not roster(PLAIN).wants_diff(moved)
    assert not roster(PLAIN, "rules: [{name: a, approvals: 2}]\n").wants_diff(moved)


def test_a_repository_with_its_own_file_asks_where_files_moved() -> None:
    own = layered(roster(), "sign_off: {approvals: 2}\n")
    assert own.wants_diff(unread(renamed("docs/b", None)))
    assert not own.wants_diff(unread(file("docs/b")))


@pytest.mark.parametrize(
    ("name", "former", "matches"),
    [
        pytest.param("payments", (), True, id="its-name"),
        pytest.param("store", (), False, id="another-name"),
        pytest.param("store", ("acme/payments",), True, id="renamed-out-of-the-rule"),
        pytest.param("store", ("acme/x", "acme/payments", "acme/y"), True, id="long-ago"),
        pytest.param("payments", ("acme/x",), True, id="renamed-into-the-rule"),
        pytest.param("store", ("old/payments",), False, id="another-owners"),
    ],
)
def test_a_rename_leads_out_of_no_rule(name: str, former: tuple[str, ...], matches: bool) -> None:
    rule = "rules: [{name: a, repositories: [acme/payments], from: principal}]\n"
    home = Repository(id=77, owner="acme", name=name, former_names=former)
    assert bool(roster(PLAIN, rule).requirement(a_pull(repository=home)).because) is matches


@pytest.mark.parametrize(
    ("name", "former", "observed"),
    [
        pytest.param("legacy-a", (), True, id="its-name"),
        pytest.param("legacy-a", ("acme/payments",), False, id="renamed-into-it"),
        pytest.param("legacy-a", ("acme/legacy-b",), True, id="renamed-within"),
        pytest.param("legacy-a", ("acme/listed",), True, id="renamed-from-another-listed"),
        pytest.param("payments", ("acme/legacy-a",), False, id="renamed-out-of-it"),
    ],
)
def test_a_rename_leads_into_no_observing(
    name: str, former: tuple[str, ...], *, observed: bool
) -> None:
    text = "rollout: {observe: [acme/legacy-*, acme/listed]}\n"
    home = Repository(id=77, owner="acme", name=name, former_names=former)
    assert roster(PLAIN, text).observes(home) is observed


def test_many_rules_and_files() -> None:
    """Each of two hundred rules finds its file among three thousand."""
    rules = "".join(
        f"  - {{name: r{n}, paths: ['src/*/mod{n}/**', '**/*.x{n}'], approvals: 2}}\n"
        for n in range(200)
    )
    found = roster(PLAIN, "rules:\n" + rules)
    noise = tuple(file(f"src/a{number % 7}/other/{number}.py") for number in range(2_998))
    hits = (file("src/zz/MOD150/deep/er.py"), file("lib/any.X7"))
    requirement = found.requirement(a_pull(files=noise + hits, repository=SHOP))
    assert [rule.name for rule in requirement.because] == ["r7", "r150"]

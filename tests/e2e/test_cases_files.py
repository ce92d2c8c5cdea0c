"""Tricks with paths: a rule on files matches whatever a file is called, was or hides in."""

import pytest

from sandbox.seed import ROSTER
from tests.e2e.inline import AI, Inline

INFRA = ROSTER + "rules:\n  - name: infra\n    paths: [infra/**, '**/*.tf']\n    from: principal\n"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("infra/main.tf", id="plain"),
        pytest.param("INFRA/Main.TF", id="upper-case"),
        pytest.param("modules/net/vpc.tf", id="deep"),
        pytest.param("infra/.hidden/x", id="hidden"),
        pytest.param("infra/a b\t[x].txt", id="odd-characters"),
        pytest.param("infra/zażółć.md", id="not-ascii"),
        pytest.param("ınfra/../infra.tf", id="dots-in-a-name"),
    ],
)
def test_path_in_disguise(case: Inline, path: str) -> None:
    case.roster(INFRA)
    number = case.open(commits=[{"message": AI, "files": {path: "changed\n"}}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS017", "CS037")
    case.act("ada", "approve", number=number)
    case.signed(number)


def test_path_that_only_looks_like_it(case: Inline) -> None:
    case.roster(INFRA)
    number = case.open(commits=[{"message": AI, "files": {"docs/infra.md": "x\n"}}])
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


@pytest.mark.parametrize("edit", [False, True])
def test_file_moved_out_of_the_rule(case: Inline, *, edit: bool) -> None:
    case.roster(INFRA)
    old = 'resource "null_resource" "shop" {}\n'
    case.act("olga", "put_file", path="infra/long.txt", content=old * 20)
    files = {"infra/long.txt": None, "docs/long.txt": old * 20 + ("more\n" if edit else "")}
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS017", "CS037")


@pytest.mark.parametrize("kind", ["symlink", "submodule", "executable", "deletion"])
def test_file_of_another_kind(case: Inline, kind: str) -> None:
    case.roster(INFRA)
    spec: object = {
        "symlink": {"content": "../README.md", "mode": "120000"},
        "submodule": {"content": "a" * 40, "mode": "160000"},
        "executable": {"content": "x\n", "mode": "100755"},
        "deletion": None,
    }[kind]
    number = case.open(commits=[{"message": AI, "files": {"infra/main.tf": spec}}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS017", "CS037")


def test_rule_that_needs_two(case: Inline) -> None:
    case.roster(INFRA.replace("from: principal", "approvals: 2"))
    number = case.open(commits=[{"message": AI, "files": {"infra/main.tf": "x\n"}}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS013")
    case.act("ada", "approve", number=number)
    case.signed(number)


def test_exempt_below_the_level_of_the_rule(case: Inline) -> None:
    case.roster(INFRA)
    number = case.open(actor="grace", commits=[{"message": AI, "files": {"infra/main.tf": "x\n"}}])
    case.refused(number, "CS012", "CS017")


def test_dangerous_file_is_the_last_of_many(case: Inline) -> None:
    case.roster(INFRA)
    files = {f"a/{name:04}.py": "x\n" for name in range(150)} | {"infra/zz.txt": "x\n"}
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS017", "CS037")


def test_touched_and_put_back_is_no_change(case: Inline) -> None:
    """The rule looks at the pull request's own difference, which is what would be merged."""
    case.roster(INFRA)
    old = 'resource "null_resource" "shop" {}\n'
    commits = [
        {"message": AI, "files": {"infra/main.tf": "x\n", "shop/new.py": "x\n"}},
        {"message": "Back", "files": {"infra/main.tf": old}},
    ]
    number = case.open(commits=commits)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")

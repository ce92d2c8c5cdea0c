"""Tricks with files: a rule on paths holds whatever a file is called, was, is or hides in."""

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


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n"
OUTSIDE: dict[str, dict[str, object]] = {
    "symlink": {"docs/link": {"content": "../infra/main.tf", "mode": "120000"}},
    "submodule": {"docs/vendored": {"content": "a" * 40, "mode": "160000"}},
    "lfs-pointer": {"docs/data.txt": LFS % ("a" * 64)},
    "binary": {"docs/logo.png": {"base64": "AAEC"}},
    "executable": {"shop/cart.py": {"content": "x\n", "mode": "100755"}},
    "gitattributes": {".gitattributes": "*.tf -diff linguist-generated\n"},
    "gitattributes-below": {"docs/.gitattributes": "* binary\n"},
    "gitmodules": {".gitmodules": "[submodule]\n"},
    "workflow": {".github/workflows/ci.yml": "on: push\n"},
    "workflow-in-capitals": {".GitHub/Workflows/ci.yml": "on: push\n"},
    "other-ci": {".gitlab-ci.yml": "x: y\n"},
    "look-alike": {"docs/a.md": "x\n", "docs/A.md": "y\n"},
    "cyrillic-folder": {"\u0456nfra/x.txt": "x\n"},
}


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in OUTSIDE.items()])
def test_path_that_says_too_little(case: Inline, files: dict[str, object]) -> None:
    """None of them is under a rule, and each may be or do something else than its path suggests."""
    case.roster(INFRA)
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS017", "CS037")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_it_is_said_which_file_and_why(case: Inline) -> None:
    case.roster(INFRA)
    files = {"docs/`x`": {"content": "../infra", "mode": "120000"}, "docs/a.md": "x\n"}
    number = case.open(commits=[{"message": AI, "files": files}])
    seen = case.waiting(number, "CS019")
    assert "every rule on paths applies, because `` docs/`x` `` is a symbolic link" in seen.summary
    assert "@ada can sign off" in seen.title


def test_file_that_turned_into_a_link(case: Inline) -> None:
    case.roster(INFRA)
    files = {"shop/cart.py": {"content": "../infra/main.tf", "mode": "120000"}}
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS019", "CS037")


def test_content_that_attributes_hide_already(case: Inline) -> None:
    """A change that the diff does not show cannot be judged by its path."""
    case.roster(INFRA)
    case.act("olga", "put_file", path="docs/blob", content="a\0b\n", rules_too=False)
    number = case.open(commits=[{"message": AI, "files": {"docs/blob": "a\0c\n"}}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS019")


def test_more_lines_than_github_shows(case: Inline) -> None:
    case.roster(INFRA)
    number = case.open(commits=[{"message": AI, "files": {"docs/long.txt": "x\n" * 20_001}}])
    case.act("grace", "approve", number=number)
    seen = case.refused(number, "CS019", "CS037")
    assert "GitHub does not show the whole diff" in seen.summary


def test_more_files_than_github_shows(case: Inline) -> None:
    """All of them are listed, and none is under a rule: what they are is in no diff."""
    case.roster(INFRA)
    files = {f"docs/{number:03}.md": "x\n" for number in range(301)}
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS019", "CS037")


def test_path_that_tries_to_get_out_of_the_check(case: Inline) -> None:
    case.roster(INFRA)
    path = "docs/`x` @ada <b>\u202e [y](https:\\evil.example).md"
    link = {path: {"content": "../infra", "mode": "120000"}}
    seen = case.waiting(case.open(commits=[{"message": AI, "files": link}]), "CS019")
    line = next(line for line in seen.summary.split("\n") if "every rule on paths" in line)
    assert "\u202e" not in line
    assert line.index("``") < line.index("@ada") < line.rindex("``")


def test_plain_files_ask_nobody_for_more(case: Inline) -> None:
    """New files, also scripts, moves outside of the rules, and what goes."""
    case.roster(INFRA)
    case.act("olga", "put_file", path="docs/b.bin", content="a\0b\n", rules_too=False)
    case.act("olga", "put_file", path="docs/old.md", content="line\n" * 9, rules_too=False)
    files = {
        "docs/old.md": None,
        "docs/new.md": "line\n" * 9,
        "docs/b.bin": None,
        "tools/run.sh": {"content": "echo\n", "mode": "100755"},
        "shop/empty.py": "",
    }
    number = case.open(commits=[{"message": AI, "files": files}])
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_link_by_a_person_is_nobody_elses_business(case: Inline) -> None:
    case.roster(INFRA)
    link = {"docs/link": {"content": "../infra/main.tf", "mode": "120000"}}
    number = case.open(commits=[{"message": "Link", "files": link}])
    case.expect(number, "success", "CS001")


def test_the_diff_is_read_once_for_a_head_and_only_where_it_matters(case: Inline) -> None:
    def compared() -> int:
        return sum("/compare/" in call.kind for call in case.hub.calls.recent)

    number = case.open(commits=[{"message": AI, "files": {"docs/a.md": "x\n"}}])
    case.waiting(number)
    assert compared() == 0, "no rule on paths is in force"
    case.roster(INFRA)
    case.waiting(number)
    once = compared()
    assert once > 0
    case.act("kim", "approve", number=number)
    case.act("kim", "comment", number=number, body="?")
    case.waiting(number)
    assert compared() == once
    # Of another size: two commits of one author, one second and one size are compared.
    by_hand = case.open("plain", commits=[{"message": "x", "files": {"docs/b.md": "x\ny\n"}}])
    case.expect(by_hand, "success", "CS001")
    assert compared() == once

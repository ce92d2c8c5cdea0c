"""Files whose path says too little, and paths that are not what they seem."""

from typing import Any

import pytest

from github_app.judge.facts import ChangedFile, FileKind
from github_app.judge.paths import seeming
from github_app.judge.risk import risks
from tests.judge.build import a_pull
from tests.judge.rosters import PLAIN, roster

INFRA = "rules:\n  - {name: infra, paths: [infra/**], from: principal}\n"


def file(path: str, **more: Any) -> ChangedFile:
    return ChangedFile(path=path, **more)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param((file("shop/cart.py"),), "", id="code"),
        pytest.param((file("docs/.github/x"), file("github/x")), "", id="not-the-folder"),
        pytest.param((file("a.py"), file("b.py")), "", id="two-files"),
        pytest.param((file("ł.py"), file("é.py")), "", id="letters-of-others"),
        pytest.param((file("B", change="RENAMED", previous_path="a"),), "", id="moved"),
        pytest.param((file("README", change="DELETED"), file("readme")), "", id="one-goes"),
        *(
            pytest.param((file("a.py"), file("b", kinds=(kind,))), f"b {kind.value}", id=kind.name)
            for kind in FileKind
        ),
        pytest.param((file("b", change="CHANGED"),), "b becomes", id="other-type"),
        pytest.param((file("b\ufffd"),), "b\ufffd has a name", id="not-utf-8"),
        pytest.param(
            (file("b", change="RENAMED", previous_path="a\ufffd"),), "b has a name", id="was-not"
        ),
        pytest.param((file(".gitattributes"),), ".gitattributes decides", id="attributes"),
        pytest.param((file("a/b/.GitAttributes"),), "a/b/.Git", id="attributes-below"),
        pytest.param((file("a/.gitmodules"),), "a/.gitmodules decides", id="modules"),
        pytest.param((file(".lfsconfig"),), ".lfsconfig decides", id="lfs"),
        pytest.param((file(".github/workflows/ci.yml"),), ".github/w", id="workflow"),
        pytest.param((file(".GITHUB/dependabot.yml"),), ".GITHUB/d", id="folder-in-capitals"),
        pytest.param((file(".g\u0456thub/x"),), ".g\u0456thub", id="folder-in-cyrillic"),
        pytest.param((file(".github./x"),), ".github./x", id="folder-on-windows"),
        pytest.param((file(".git\u200chub/x"),), ".git", id="folder-with-a-joiner"),
        pytest.param((file(".gitlab-ci.yml"),), ".gitlab-ci", id="gitlab"),
        pytest.param((file("svc/Jenkinsfile.deploy"),), "svc/Jenk", id="jenkins"),
        pytest.param((file("azure-pipelines-nightly.yaml"),), "azure", id="azure"),
        pytest.param((file(".circleci/config.yml"),), ".circleci", id="circle"),
        pytest.param((file("CODEOWNERS"),), "CODEOWNERS decides", id="code-owners"),
        pytest.param(
            (file("x.yml", change="RENAMED", previous_path=".github/workflows/x.yml"),),
            "x.yml decides",
            id="workflow-moved-away",
        ),
        pytest.param((file("a/Read"), file("a/read")), "a/Read looks like", id="two-cases"),
        pytest.param((file("é"), file("e\u0301")), "é looks like", id="two-forms"),
        pytest.param(
            (file("pay.py"), file("\u0440\u0430y.py")), "pay.py looks like", id="two-alphabets"
        ),
        pytest.param((file("a "), file("a.")), "a  looks like", id="one-on-windows"),
    ],
)
def test_risks(files: tuple[ChangedFile, ...], why: str) -> None:
    found = next(risks(a_pull(files=files)), None)
    assert found is None if not why else found is not None
    if found is not None:
        assert f"{found.path} {found.why}".startswith(why)
    asked = roster(PLAIN, INFRA).requirement(a_pull(files=files))
    assert (asked.rank, asked.risk) == ((3, found) if why else (2, None))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"files_complete": False}, id="list-cut-short"),
        pytest.param({"diff_read": False}, id="diff-not-shown"),
    ],
)
def test_what_is_not_known_is_at_risk(more: dict[str, Any]) -> None:
    asked = roster(PLAIN, INFRA).requirement(a_pull(files=(file("a.py"),), **more))
    assert asked.rank == 3
    assert asked.risk is not None
    assert asked.risk.path == ""


def test_other_repositories_rules_and_branches_stay_out_of_it() -> None:
    elsewhere = INFRA.replace("paths:", "branches: [release/*], paths:")
    linked = a_pull(files=(file("b", kinds=(FileKind.SYMLINK,)),))
    assert roster(PLAIN, elsewhere).requirement(linked).rank == 2
    assert roster(PLAIN).requirement(linked).risk is None


def test_no_risk_is_told_where_it_makes_no_difference() -> None:
    files = (file("infra/a"), file("b", kinds=(FileKind.SYMLINK,)))
    asked = roster(PLAIN, INFRA).requirement(a_pull(files=files))
    assert (asked.rank, asked.risk) == (3, None)


@pytest.mark.parametrize(
    ("path", "seems"),
    [
        pytest.param("Infra/Main.TF", "infra/main.tf", id="case"),
        pytest.param("infra\\main.tf", "infra/main.tf", id="backslash"),
        pytest.param("infra./main.tf", "infra/main.tf", id="dot-at-the-end"),
        pytest.param("infra /main.tf ", "infra/main.tf", id="space-at-the-end"),
        pytest.param("infra::$INDEX_ALLOCATION/main.tf:x", "infra/main.tf", id="stream"),
        pytest.param("\u0456nfr\u0430/main.tf", "infra/main.tf", id="cyrillic"),
        pytest.param("inf\u0433\u0430/main.tf", "infra/main.tf", id="cyrillic-without-shame"),
        pytest.param("\u03b9\u03b7fra/main.tf", "infra/main.tf", id="greek"),
        pytest.param("\u0131nfra/main.tf", "infra/main.tf", id="dotless"),
        pytest.param("\u0130nfra/main.tf", "infra/main.tf", id="dotted-capital"),
        pytest.param("\uff49\uff4e\uff46\uff52\uff41/main.tf", "infra/main.tf", id="full-width"),
        pytest.param("in\u200bf\u2060ra/ma\u00adin.tf", "infra/main.tf", id="invisible"),
        pytest.param("i\u034fnfra/m\u3164ain.tf", "infra/main.tf", id="invisible-letters"),
        pytest.param("infra/main.\u202eft", "infra/main.ft", id="right-to-left"),
        pytest.param("\ufb01le", "file", id="ligature"),
        pytest.param(".", ".", id="nothing-but-a-dot"),
        pytest.param("a b/c.d", "a b/c.d", id="dots-and-spaces-inside"),
    ],
)
def test_seeming(path: str, seems: str) -> None:
    assert seeming(path) == seems
    assert seeming(seems) == seems
    if "infra" in seems and "tf" in seems:
        found = roster(PLAIN, INFRA).requirement(a_pull(files=(file(path),)))
        assert [rule.name for rule in found.because] == ["infra"]

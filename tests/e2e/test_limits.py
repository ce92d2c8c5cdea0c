"""Very large pull requests are judged, and judged right: nothing hides behind a page or a limit."""

from typing import Any

import pytest

from sandbox.seed import ROSTER
from tests.e2e.inline import AI, Inline

RULE = "rules:\n  - name: infra\n    paths: [infra/**]\n    from: principal\n"


@pytest.fixture
def large(case: Inline) -> int:
    """600 commits, 250 reviews, 4,000 files; the mark and the file of the rule come last."""
    with case.hub.world.quiet():
        case.roster(ROSTER + RULE)
        files = {f"shop/{name:04}.py": "x\n" for name in range(3999)} | {"infra/zz.txt": "x\n"}
        commits: list[dict[str, Any]] = [{"message": "Start", "files": files}]
        commits += [{"message": f"Step {n}", "files": {"README.md": f"{n}\n"}} for n in range(598)]
        commits.append({"message": AI, "files": {"README.md": "done\n"}})
        number = case.open(commits=commits)
        for _ in range(249):
            case.act("kim", "review", number=number, event="COMMENT", body="Hm")
    return number


def test_a_pull_request_with_600_commits_250_reviews_and_4000_files(
    case: Inline, large: int
) -> None:
    case.act("grace", "approve", number=large)
    case.refused(large, "CS017", "CS037")
    case.act("ada", "approve", number=large)
    case.signed(large)
    case.act("ada", "dismiss_review", number=large, author="ada")
    case.refused(large, "CS017", "CS041")


def test_a_pull_request_that_moves_while_it_is_read(
    case: Inline, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push between two pages: no mixture of two heads is ever judged."""
    pages = 0
    real = case.hub.graphql.execute

    def then_push(*given: Any, **more: Any) -> Any:
        nonlocal pages
        answer = real(*given, **more)
        pages += 1
        if pages == 3:
            case.act("june", "push", branch="fix")
        return answer

    case.act("ada", "approve", number=large)
    monkeypatch.setattr(case.hub.graphql, "execute", then_push)
    case.refused(large, "CS032")
    assert pages > 3

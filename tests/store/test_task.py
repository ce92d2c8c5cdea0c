"""A task is a small checked value."""

import pytest

from github_app.store.task import Task, TaskKind


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"priority": -1}, "priority", id="below-zero"),
        pytest.param({"priority": 10}, "priority", id="above-nine"),
        pytest.param({"installation_id": -1}, "installation_id", id="negative-installation"),
        pytest.param({"installation_id": 2**63}, "installation_id", id="huge-installation"),
        pytest.param({"repository_id": 2**63}, "repository_id", id="huge-repository"),
    ],
)
def test_impossible_task_is_refused(fields: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Task(kind=TaskKind.PULL_REQUEST, **{"installation_id": 1} | fields)  # type: ignore[arg-type]  # wrong on purpose


def test_key_is_kind_ids_and_subject_alone() -> None:
    one = Task(kind=TaskKind.HEAD, installation_id=1, repository_id=2, subject="abc", priority=0)
    other = Task(
        kind=TaskKind.HEAD,
        installation_id=1,
        repository_id=2,
        subject="abc",
        full_name="renamed/since",
        hint={"updated_at": "2026"},
    )
    assert one.key == other.key
    assert hash(one.key) == hash(other.key)

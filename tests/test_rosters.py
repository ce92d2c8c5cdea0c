"""By what a pull request is judged, and the name of it: the sweep's must be the judgement's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from github_app.gateway.client import Installation
from github_app.gateway.pull_request import RosterText, RosterTexts, Snapshot
from github_app.judge.reasons import Code
from github_app.rosters import InForce, RosterDesk
from github_app.store.database import Store, open_store
from github_app.teams import Teams
from tests.judge.build import a_pull
from tests.judge.rosters import PLAIN

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
INSTALLATION = Mock(spec=Installation, id=1)
LAYER = "version: 1\nsign_off:\n  from: principal\n"
BROKEN = "version: 1\nlevels: ["


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/test.db") as opened:
        yield opened


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    return tmp_path / "reviewers.yaml"


def desk(store: Store, deployed: Path, *, rules: str = "these") -> RosterDesk:
    return RosterDesk(
        deployment=deployed,
        kept=store.rosters,
        teams=Teams(noticed=store.grounds, monotonic=lambda: 0.0),
        rules=rules,
        now=lambda: NOON,
    )


def texts(org: str | None = PLAIN, own: str | None = None, *, commit: str = "c1") -> RosterTexts:
    """What GitHub shows: the blob's id changes with the content, and only with it."""
    return RosterTexts(
        org=None if org is None else _text("acme/.github", "reviewers.yaml", org, commit),
        repository=None
        if own is None
        else _text("acme/shop", ".github/reviewers.yaml", own, commit),
    )


def _text(repository: str, path: str, text: str, commit: str) -> RosterText:
    blob = f"{hash(text):x}"
    return RosterText(repository=repository, path=path, commit_oid=commit, blob_oid=blob, text=text)


def in_force(found: RosterDesk, rosters: RosterTexts) -> InForce:
    return found.in_force(
        INSTALLATION, Snapshot(pull=a_pull(), rosters=rosters, cost=1, remaining=None)
    )


PRIVATE = _text("acme/.github-private", "reviewers.yaml", PLAIN + "# theirs\n", "c9")
BOTH = replace(texts(), org=PRIVATE, second=texts().org)


@pytest.mark.parametrize(
    ("before", "source"),
    [
        pytest.param(None, "acme/.github-private", id="nothing-was-known"),
        pytest.param(texts(), "acme/.github", id="the-public-one-was-there-first"),
        pytest.param(replace(texts(None), org=PRIVATE), "acme/.github-private", id="the-private"),
    ],
)
def test_of_two_rosters_the_one_that_was_there_first_stays_in_force(
    store: Store, deployed: Path, before: RosterTexts | None, source: str
) -> None:
    if before is not None:
        in_force(desk(store, deployed), before)
    for found in (in_force(desk(store, deployed), BOTH), in_force(desk(store, deployed), BOTH)):
        assert found.roster is not None
        assert [one.name for one in found.roster.sources] == [source]
        assert [reason.code for reason in found.notes] == [Code.ROSTER_WARNING]
        assert found.ground == named(desk(store, deployed), BOTH)
    alone = replace(texts(None), org=PRIVATE)
    assert in_force(desk(store, deployed), alone).notes == ()


def named(found: RosterDesk, rosters: RosterTexts) -> str:
    return found.ground(1, "acme", rosters.ids)


@pytest.mark.parametrize(
    "rosters",
    [
        pytest.param(texts(), id="organisation"),
        pytest.param(texts(own=LAYER), id="with-a-layer"),
        pytest.param(texts(BROKEN), id="broken"),
        pytest.param(texts(own=BROKEN), id="broken-layer"),
        pytest.param(texts(None), id="deployment"),
        pytest.param(texts(None, LAYER), id="deployment-with-a-layer"),
    ],
)
def test_sweep_and_judgement_have_one_name_for_it(
    store: Store, deployed: Path, rosters: RosterTexts
) -> None:
    deployed.write_text(PLAIN)
    first = in_force(desk(store, deployed), rosters).ground
    assert named(desk(store, deployed), rosters) == first
    assert in_force(desk(store, deployed), rosters).ground == first


def test_roster_that_is_gone_has_a_name_of_its_own(store: Store, deployed: Path) -> None:
    there = in_force(desk(store, deployed), texts()).ground
    gone = in_force(desk(store, deployed), texts(None))
    assert gone.roster is not None, "the last valid one stays in force"
    assert gone.ground == named(desk(store, deployed), texts(None)) != there


def test_no_roster_at_all_has_a_name_too(store: Store, deployed: Path) -> None:
    missing = in_force(desk(store, deployed), texts(None))
    assert missing.roster is None
    assert missing.ground == named(desk(store, deployed), texts(None))
    deployed.write_text(PLAIN)
    assert named(desk(store, deployed), texts(None)) != missing.ground


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(texts(PLAIN + "# changed\n"), id="organisations-file"),
        pytest.param(texts(own=LAYER), id="a-layer-came"),
        pytest.param(texts(None), id="the-file-is-gone"),
    ],
)
def test_another_file_has_another_name(store: Store, deployed: Path, after: RosterTexts) -> None:
    found = desk(store, deployed)
    assert named(found, texts()) != named(found, after)


def test_another_commit_of_the_same_file_has_the_same_name(store: Store, deployed: Path) -> None:
    found = desk(store, deployed)
    assert named(found, texts(own=LAYER)) == named(found, texts(own=LAYER, commit="c2"))


def test_another_version_has_another_name(store: Store, deployed: Path) -> None:
    old, new = desk(store, deployed), desk(store, deployed, rules="others")
    assert named(old, texts()) != named(new, texts())


def test_what_matters_to_the_whole_installation_gives_another_name(
    store: Store, deployed: Path
) -> None:
    found = desk(store, deployed)
    before = named(found, texts())
    store.grounds.changed(2)
    assert named(found, texts()) == before
    store.grounds.changed(1)
    assert named(found, texts()) != before


def test_change_during_a_judgement_is_not_taken_for_known(
    store: Store, deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team changes after its members were read: the judgement keeps the older name."""
    found = desk(store, deployed)
    settled = found._settled

    def changes_meanwhile(*arguments: object) -> InForce:
        store.grounds.changed(1)
        return settled(*arguments)  # type: ignore[arg-type] # whatever it was called with

    monkeypatch.setattr(found, "_settled", changes_meanwhile)
    assert in_force(found, texts()).ground != named(found, texts())

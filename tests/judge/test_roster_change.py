"""Pull requests that change a roster: which ones do, and whom they would raise."""

from dataclasses import replace

import pytest

from github_app.judge.facts import ChangedFile, PullRequest, Repository
from github_app.judge.roster import Roster, RosterSource, raised_by, touches_roster
from tests.judge.build import a_pull, user
from tests.judge.rosters import LEVELS, ORG, OWN, PEOPLE, PLAIN, SIGN_OFF, layered, roster

HOME = Repository(id=1, owner="acme", name=".github")
PRIVATE = Repository(id=2, owner="acme", name=".github-private")
OPS = Repository(id=3, owner="acme", name="ops")
DEPLOYED = RosterSource(name="Acme/Ops", path="config/Team.yaml")


def change(path: str, before: str | None = None) -> PullRequest:
    kind = "MODIFIED" if before is None else "RENAMED"
    return a_pull(files=(ChangedFile(path=path, change=kind, previous_path=before),))


def inside(repository: Repository, path: str, **more: object) -> PullRequest:
    return a_pull(repository=repository, files=(ChangedFile(path=path),), **more)


def unknown_move(repository: Repository) -> PullRequest:
    files = (ChangedFile(path="docs/a", change="RENAMED"), ChangedFile(path="docs/b"))
    return a_pull(repository=repository, files=files)


SHOP = a_pull().repository


@pytest.mark.parametrize(
    ("pull", "sources", "touches"),
    [
        pytest.param(change("shop/cart.py"), (ORG,), False, id="code"),
        pytest.param(change(".github/reviewers.yaml"), (ORG,), True, id="own-layer"),
        pytest.param(change(".GitHub/Reviewers.YAML"), (ORG,), True, id="own-layer-in-other-case"),
        pytest.param(change("reviewers.yaml"), (ORG,), True, id="at-the-top"),
        pytest.param(change("docs/reviewers.yaml"), (ORG,), False, id="elsewhere"),
        pytest.param(change("old.yaml", ".github/reviewers.yaml"), (ORG,), True, id="moved-away"),
        pytest.param(change(".github/reviewers.yaml", "new.yaml"), (ORG,), True, id="moved-in"),
        pytest.param(change(".github/workflows/ci.yml"), (ORG,), False, id="workflow-of-a-shop"),
        pytest.param(inside(HOME, ".github/workflows/ci.yml"), (ORG,), True, id="workflow-of-home"),
        pytest.param(inside(HOME, ".github"), (ORG,), True, id="link-in-place-of-the-folder"),
        pytest.param(inside(HOME, ".githubber/x"), (ORG,), False, id="folder-that-begins-alike"),
        pytest.param(
            inside(replace(HOME, name=".GitHub"), ".github/x"),
            (ORG,),
            True,
            id="home-in-other-case",
        ),
        pytest.param(
            inside(replace(OPS, owner="ACME"), "config/team.yaml"),
            (DEPLOYED,),
            True,
            id="owner-in-other-case",
        ),
        pytest.param(inside(PRIVATE, ".github/CODEOWNERS"), (ORG,), True, id="private-home"),
        pytest.param(
            inside(HOME, "profile/README.md"), (ORG,), False, id="home-but-not-the-roster"
        ),
        pytest.param(inside(OPS, "config/team.yaml"), (DEPLOYED,), True, id="deployed-file"),
        pytest.param(inside(OPS, ".github/x"), (DEPLOYED,), True, id="home-of-the-deployed-file"),
        pytest.param(
            inside(SHOP, "config/team.yaml"), (DEPLOYED,), False, id="same-path-elsewhere"
        ),
        pytest.param(inside(SHOP, "a", files_complete=False), (ORG,), True, id="list-cut-short"),
        pytest.param(unknown_move(SHOP), (ORG,), False, id="move-where-there-is-nothing-to-move"),
        pytest.param(unknown_move(SHOP), (ORG, OWN), True, id="move-where-there-is-a-layer"),
        pytest.param(unknown_move(HOME), (ORG,), True, id="move-in-the-home"),
        pytest.param(unknown_move(SHOP), (), True, id="move-where-nothing-is-known"),
        pytest.param(change("shop/cart.py"), (), False, id="code-where-nothing-is-known"),
        pytest.param(a_pull(files=()), (ORG,), False, id="empty-change"),
    ],
)
def test_touches_roster(
    pull: PullRequest, sources: tuple[RosterSource, ...], touches: bool
) -> None:
    assert touches_roster(pull, sources) is touches


# --- whom it raises -------------------------------------------------------------------------------


def edited(*edits: tuple[str, str]) -> Roster:
    text = LEVELS + PEOPLE + SIGN_OFF
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return roster(text)


MID = "{id: 31, level: mid}"
LIST = "[junior, mid, senior, principal]"


@pytest.mark.parametrize(
    ("new", "raised"),
    [
        pytest.param(edited(), "", id="nobody"),
        pytest.param(edited((MID, "{id: 31, level: senior}")), "kim", id="raised"),
        pytest.param(edited((MID, "{id: 31, level: junior}")), "", id="lowered"),
        pytest.param(edited((MID, "mid")), "", id="unpinned"),
        pytest.param(edited((MID, "{id: 32000, level: mid}")), "kim", id="another-account"),
        pytest.param(edited(("kim:", "Kim:")), "", id="other-case"),
        pytest.param(
            edited(("kim: {id: 31, level: mid}", "Kim: senior")), "kim", id="other-case-raised"
        ),
        pytest.param(edited(("kim:", "kimmy:")), "kimmy", id="renamed"),
        pytest.param(edited(("  kim:", "  mallory: junior\n  kim:")), "mallory", id="newly-listed"),
        pytest.param(edited(("  kim: " + MID + "\n", "")), "", id="taken-off"),
        pytest.param(
            edited((LIST, "[junior, mid, senior, staff, principal]")), "", id="level-put-between"
        ),
        pytest.param(
            edited(
                (LIST, "[junior, mid, senior, staff, principal]"), (MID, "{id: 31, level: staff}")
            ),
            "kim",
            id="raised-to-a-new-level",
        ),
        pytest.param(
            edited((LIST, "[junior, mid, lead, principal]"), ("senior", "lead")),
            "",
            id="level-renamed",
        ),
        pytest.param(
            edited(
                (LIST, "[junior, mid, lead, principal]"),
                ("senior", "lead"),
                (MID, "{id: 31, level: lead}"),
            ),
            "kim",
            id="level-renamed-and-raised",
        ),
        pytest.param(
            edited(
                (LIST, "[a, b, c, d]"),
                ("level: junior", "level: d"),
                ("senior", "c"),
                ("level: mid", "level: b"),
                ("principal", "d"),
            ),
            "june",
            id="all-levels-renamed-and-one-raised",
        ),
        pytest.param(
            edited((LIST, "[mid, junior, senior, principal]")), "june", id="two-levels-swapped"
        ),
    ],
)
def test_raised_by(new: Roster, raised: str) -> None:
    assert raised_by(roster(PLAIN), new) == set(raised.split())


@pytest.mark.parametrize(
    ("level", "raised"),
    [
        pytest.param("x", "", id="lower-and-as-far-from-the-top"),
        pytest.param("y", "kim", id="as-high-but-nearer-the-top"),
    ],
)
def test_raised_by_a_shorter_list_of_other_levels(level: str, raised: str) -> None:
    def of(levels: str, kim: str, top: str) -> Roster:
        people = f"people: {{ada: {{id: 1815, level: {top}}}, kim: {{id: 31, level: {kim}}}}}\n"
        return roster(f"version: 1\nlevels: {levels}\n{people}sign_off: {{from: {top}}}\n")

    assert raised_by(of("[a, b, c]", "b", "c"), of("[x, y]", level, "y")) == set(raised.split())


def with_team(level: str, people: str = "") -> Roster:
    text = LEVELS + PEOPLE + people + f"teams: {{acme/staff: {level}}}\n" + SIGN_OFF
    return roster(text)


BOB = {"acme/staff": [user("bob")]}


@pytest.mark.parametrize(
    ("old", "new", "raised"),
    [
        pytest.param(with_team("mid").with_members(BOB), with_team("mid"), "", id="same"),
        pytest.param(
            with_team("mid").with_members(BOB), with_team("senior"), "bob", id="team-raised"
        ),
        pytest.param(
            with_team("senior").with_members(BOB), with_team("mid"), "", id="team-lowered"
        ),
        pytest.param(
            with_team("mid").with_members(BOB),
            with_team("mid", "  bob: senior\n"),
            "bob",
            id="member-named-and-raised",
        ),
        pytest.param(
            with_team("senior").with_members(BOB),
            with_team("senior", "  bob: mid\n"),
            "",
            id="member-named-and-lowered",
        ),
        pytest.param(
            roster(PLAIN), with_team("mid").with_members(BOB), "bob", id="new-team-that-was-read"
        ),
        pytest.param(roster(PLAIN), with_team("senior"), "", id="new-team-beside-those-named"),
        pytest.param(
            roster(PLAIN),
            roster(
                LEVELS + "people: {ada: {id: 1815, level: principal}}\n"
                "teams: {acme/staff: senior}\n" + SIGN_OFF
            ),
            "kim june",
            id="new-team-that-may-hold-those-who-are-no-longer-named",
        ),
    ],
)
def test_raised_by_teams(old: Roster, new: Roster, raised: str) -> None:
    assert raised_by(old, new) == set(raised.split())


def test_a_layer_raises_nobody() -> None:
    org = roster(PLAIN)
    assert raised_by(org, layered(org, "people: {grace: mid}\n")) == set()
    assert raised_by(layered(org, "people: {grace: mid}\n"), org) == {"grace"}

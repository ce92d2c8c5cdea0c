"""Pull requests that change a repository's own layer: what it is laid over, who signs it."""

import pytest

from tests.e2e.inline import Inline

LAYER = ".github/reviewers.yaml"
RULES = "version: 1\nrules:\n  - {name: money, paths: [money/**], from: principal}\n"
LOWERS_ADA = "version: 1\npeople:\n  ada: senior\n"


def propose(case: Inline, text: str | None) -> int:
    return case.open(commits=[{"message": "Change the layer", "files": {LAYER: text}}])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            RULES + "  - {name: data, paths: [data/**], from: principal}\n", id="a-rule-more"
        ),
        pytest.param("version: 1\n", id="a-rule-less"),
        pytest.param(None, id="no-layer-any-more"),
    ],
)
def test_a_layer_is_changed(case: Inline, text: str | None) -> None:
    """It says what every rule holds for, so the strictest of those in force asks for its sign-off;
    that there was another layer before is not held against it."""
    case.act("olga", "put_file", path=LAYER, content=RULES)
    number = propose(case, text)
    case.refused(number, "CS004", "CS019")
    case.act("grace", "approve", number=number)
    case.refused(number, "CS004", "CS012", "CS019")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


@pytest.mark.parametrize(
    "text", [pytest.param("version: 1\n", id="emptied"), pytest.param(None, id="deleted")]
)
def test_whom_the_layer_held_down_does_not_sign_its_end(case: Inline, text: str | None) -> None:
    case.act("olga", "put_file", path=LAYER, content=LOWERS_ADA)
    number = propose(case, text)
    case.act("ada", "approve", number=number)
    case.refused(number, "CS038")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_a_layer_that_loosens_is_not_signed(case: Inline) -> None:
    number = propose(case, "version: 1\nsign_off: {from: mid}\n")
    case.act("grace", "approve", number=number)
    case.refused(number, why="")

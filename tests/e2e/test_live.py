"""The real processes survive what happens to real processes: kills, lost webhooks, a bad day at
GitHub. Nothing is lost, and nothing is green before it should be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live import Live, live, until

WAITING, GREEN = "action_required", "success"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture
def hub(running: Live) -> Iterator[Live]:
    """The running system in fair weather; whatever a test breaks is mended afterwards."""
    yield running
    running.hub.faults.clear()
    running.hub.courier.weather.lose = 0.0
    running.hub.courier.resume()


def test_from_the_webhook_to_the_check(hub: Live) -> None:
    number = hub.open("plain")
    hub.becomes({number: WAITING})
    hub.act("grace", "approve", number=number)
    hub.becomes({number: GREEN})
    hub.act("june", "push", branch="plain")
    hub.becomes({number: WAITING})


@pytest.mark.parametrize("part", ["worker", "web"])
def test_kill_in_the_middle_of_work(hub: Live, part: str) -> None:
    """Half of the pull requests are signed off when it happens; one changes while it is down."""
    hub.hub.faults.latency = 0.1
    numbers = [hub.open(f"{part}-{which}") for which in range(6)]
    with hub.watched():
        for number in numbers[:3]:
            hub.act("grace", "approve", number=number)
        until(lambda: hub.conclusion(numbers[0]), lambda: "nothing is judged")
        hub.kill(part)
        hub.act("kim", "dismiss_review", number=numbers[0], author="grace")
        hub.hub.drain()
        until(hub.answers, lambda: "it does not come back")
        if part == "web":
            hub.command("sweep")
        hub.becomes(dict.fromkeys(numbers[1:3], GREEN) | dict.fromkeys(numbers[3:], WAITING))
        hub.becomes({numbers[0]: WAITING})
    never = {hub.hub.pull(number)["head_sha"] for number in numbers[3:]}
    assert not never & hub.greens


def test_lost_webhooks_are_found_by_a_sweep(hub: Live) -> None:
    number = hub.open("lost")
    hub.becomes({number: WAITING})
    hub.hub.courier.weather.lose = 1.0
    hub.act("grace", "approve", number=number)
    second = hub.open("lost-whole")
    hub.hub.drain()
    hub.hub.courier.weather.lose = 0.0
    hub.command("sweep")
    hub.becomes({number: GREEN, second: WAITING})


def test_webhooks_twice_and_out_of_order(hub: Live) -> None:
    weather = hub.hub.courier.weather
    weather.duplicate, weather.reorder = 1.0, 0.8
    numbers = [hub.open(f"storm-{which}") for which in range(3)]
    for number in numbers:
        hub.act("grace", "approve", number=number)
    hub.act("june", "push", branch="storm-0")
    hub.act("kim", "dismiss_review", number=numbers[1], author="grace")
    weather.duplicate = weather.reorder = 0.0
    assert hub.hub.drain()
    hub.becomes({numbers[0]: WAITING, numbers[1]: WAITING, numbers[2]: GREEN})


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        pytest.param("error", {"status": 502, "probability": 0.7}, id="5xx"),
        pytest.param("timeout", {"seconds": 0.5, "probability": 0.7}, id="timeout"),
        pytest.param("reset", {"probability": 0.7}, id="reset"),
        pytest.param("secondary", {"seconds": 1, "times": 3}, id="rate-limit"),
        pytest.param("malformed", {"probability": 0.7}, id="malformed"),
        pytest.param("truncated", {"probability": 0.7}, id="truncated"),
        pytest.param("after", {"probability": 0.7}, id="answer-lost"),
    ],
)
def test_a_bad_hour_at_github(hub: Live, kind: str, options: dict[str, Any]) -> None:
    """While it lasts nothing wrong is green; when it ends every check comes right by itself."""
    fault = hub.hub.faults.add(kind, **options)
    unsigned, signed = hub.open(f"{kind}-unsigned"), hub.open(f"{kind}-signed")
    with hub.watched():
        hub.act("grace", "approve", number=signed)
        hub.hub.drain()
        until(lambda: fault.hits >= 3, lambda: f"the fault struck {fault.hits} times")
        hub.hub.faults.clear()
        hub.becomes({unsigned: WAITING, signed: GREEN})
    assert hub.hub.pull(unsigned)["head_sha"] not in hub.greens


def test_log_names_no_secret(running: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    secrets = [running.hub.app.webhook_secret, running.hub.app.private_key.splitlines()[3]]
    logs = [path.read_text() for path in _logs(tmp_path_factory)]
    assert any("published" in text for text in logs)
    for text in logs:
        assert "ghs_" not in text
        assert not any(secret in text for secret in secrets)


def _logs(factory: pytest.TempPathFactory) -> list[Path]:
    return list(factory.getbasetemp().glob("live*/log.jsonl"))

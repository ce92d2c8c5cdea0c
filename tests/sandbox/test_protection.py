"""What the plan of an owner allows, and the one Date of an answer."""

from email.utils import parsedate_to_datetime

import requests

from sandbox.server import Sandbox


def test_a_free_plan_has_no_rules_for_private_repositories() -> None:
    with Sandbox() as hub:
        hub.world.organization("acme").plan = "free"
        token = hub.door.user_token("olga")
        for path in ("rules/branches/main", "rulesets"):
            for name, status in (("shop", 403), (".github", 200)):
                answer = requests.get(
                    f"{hub.api_url}/repos/acme/{name}/{path}",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=10,
                )
                assert answer.status_code == status
                assert status == 200 or "Upgrade to GitHub Pro" in answer.json()["message"]


def test_an_answer_has_one_date_and_it_is_the_sandbox_clock() -> None:
    with Sandbox() as hub:
        hub.world.skip(86_400)
        headers = requests.get(f"{hub.api_url}/meta", timeout=10).headers
        there = parsedate_to_datetime(headers["Date"])
        assert abs((there - hub.world.now()).total_seconds()) < 5
        assert headers["Server"] == "github.com"

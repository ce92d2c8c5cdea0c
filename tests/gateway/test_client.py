"""Credentials, limits, retries and the naming of failures."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from github_app.gateway import credentials
from github_app.gateway.app import identity
from github_app.gateway.client import Call, Caller, GitHub, Installation
from github_app.gateway.errors import (
    ConnectionLost,
    Forbidden,
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Refused,
    Suspended,
    TokenRefused,
    TooHeavy,
    Unavailable,
)
from github_app.gateway.transport import ANSWER_BYTES, API_VERSION
from github_app.settings import Settings
from tests.gateway.conftest import API, APP_ID, Hub, Reply, reply
from tests.keys import pem

SECRETS = ("ghs_1", "ghs_2")


def get(installation: Caller) -> object:
    return installation.rest("GET", "/repos/{owner}/{repo}", {"owner": "acme", "repo": "shop"}).data


def test_a_token_is_reused_for_its_life(hub: Hub, github: GitHub) -> None:
    hub.on("GET", "/repos/acme/shop", *[reply({})] * 5)
    for _ in range(5):
        get(github.installation(77))
    assert hub.mints == 1


def test_a_token_about_to_end_is_renewed(hub: Hub, installation: Installation) -> None:
    hub.token_life = timedelta(seconds=-1)
    hub.on("GET", "/repos/acme/shop", reply({}), reply({}))
    get(installation)
    get(installation)
    assert hub.mints == 2


def test_many_threads_mint_one_token(hub: Hub, github: GitHub) -> None:
    hub.on("GET", "/repos/acme/shop", *[reply({})] * 16)
    start = threading.Barrier(16)

    def work() -> None:
        start.wait()
        get(github.installation(77))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.mints == 1
    assert len(hub.asked) == 16


def test_a_token_that_is_refused_is_replaced_once(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme/shop", reply({"message": "Bad credentials"}, 401), reply({"id": 1}))
    assert get(installation) == {"id": 1}
    assert hub.mints == 2


def test_a_fresh_token_that_is_refused_too_is_an_error(
    hub: Hub, installation: Installation
) -> None:
    hub.on("GET", "/repos/acme/shop", *[reply({"message": "Bad credentials"}, 401)] * 2)
    with pytest.raises(TokenRefused) as caught:
        get(installation)
    assert caught.value.retryable
    assert hub.mints == 2


def test_a_write_is_sent_again_only_after_401(hub: Hub, installation: Installation) -> None:
    hub.on("POST", "/repos/acme/shop/check-runs", reply({}, 401), reply({"id": 1}, 201))
    values = {"owner": "acme", "repo": "shop"}
    answer = installation.rest("POST", "/repos/{owner}/{repo}/check-runs", values, body={})
    assert answer.data == {"id": 1}


def test_the_app_shows_a_jwt_that_github_accepts(hub: Hub, github: GitHub) -> None:
    app = {"id": APP_ID, "slug": "s", "name": "n", "permissions": {}, "events": []}
    hub.on("GET", "/app", reply(app), reply(app))
    assert identity(github.app()).id == APP_ID
    identity(github.app())
    first, second = (str(call.request.headers["Authorization"]) for call in hub.mock.calls)
    assert first == second
    public = load_pem_private_key(pem().encode(), None).public_key()
    claims = jwt.decode(first.removeprefix("Bearer "), public, ["RS256"])  # type: ignore[arg-type]  # the loader may give any key; this PEM is RSA
    assert claims["iss"] == str(APP_ID)
    assert claims["exp"] - datetime.now(UTC).timestamp() <= 600
    assert claims["iat"] < datetime.now(UTC).timestamp() - 50


def app_refused(github: GitHub) -> None:
    with pytest.raises(TokenRefused):
        identity(github.app())


def test_a_jwt_just_signed_is_not_tried_again(hub: Hub, github: GitHub) -> None:
    hub.on("GET", "/app", reply({}, 401))
    app_refused(github)
    assert len(hub.asked) == 1


def test_an_old_jwt_is_signed_anew(
    hub: Hub, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "JUST_SIGNED", -1)
    hub.on("GET", "/app", reply({}, 401), reply({}, 401))
    app_refused(github)
    assert len(hub.asked) == 2


@pytest.mark.parametrize(
    ("ahead", "tries"),
    [
        pytest.param(7200, 2, id="our-clock-is-hours-behind"),
        pytest.param(-7200, 2, id="our-clock-is-hours-ahead"),
        pytest.param(20, 1, id="that-much-is-no-reason"),
    ],
)
def test_where_our_clock_is_wrong_a_jwt_is_dated_by_github_s(
    hub: Hub, github: GitHub, ahead: int, tries: int
) -> None:
    there = datetime.now(UTC) + timedelta(seconds=ahead)
    date = {"Date": format_datetime(there, usegmt=True)}
    hub.on("GET", "/app", reply({}, 401, **date), reply({}, 401, **date))
    app_refused(github)
    assert len(hub.asked) == tries
    sent = str(hub.mock.calls[-1].request.headers["Authorization"]).removeprefix("Bearer ")
    claims = jwt.decode(sent, options={"verify_signature": False})
    expected = there.timestamp() if tries == 2 else datetime.now(UTC).timestamp()
    assert claims["iat"] == pytest.approx(expected - 60, abs=10)
    assert claims["exp"] == pytest.approx(expected + 300, abs=10)


def test_a_clock_that_was_set_right_is_gone_by_again(hub: Hub, github: GitHub) -> None:
    wrong = datetime.now(UTC) + timedelta(hours=2)
    hub.on(
        "GET", "/app",
        reply({}, 401, Date=format_datetime(wrong, usegmt=True)),
        reply({}, 401),
        reply({}, 401),
        reply({}, 401),
    )  # fmt: skip
    app_refused(github)
    with pytest.raises(TokenRefused):
        identity(github.app())
    sent = str(hub.mock.calls[-1].request.headers["Authorization"]).removeprefix("Bearer ")
    claims = jwt.decode(sent, options={"verify_signature": False})
    assert claims["iat"] == pytest.approx(datetime.now(UTC).timestamp() - 60, abs=10)


def test_every_request_says_who_asks_and_which_version(
    hub: Hub, installation: Installation
) -> None:
    hub.on("GET", "/repos/acme/shop", reply({}))
    get(installation)
    headers = hub.mock.calls[-1].request.headers
    assert headers["X-GitHub-Api-Version"] == API_VERSION
    assert str(headers["User-Agent"]).startswith("countersign/")
    assert headers["Authorization"] == "Bearer ghs_1"


REFUSALS = [
    pytest.param(
        reply({"message": "Not Found"}, 404), NotFound, False, "not found", id="404-missing"
    ),
    pytest.param(reply({}, 410), NotFound, False, "not found", id="410-gone"),
    pytest.param(
        reply({}, 301, Location=f"{API}/repositories/5"), NotFound, False, "it moved", id="301"
    ),
    pytest.param(reply({}, 307, Location="https://evil.example/x"), NotFound, False, "", id="307"),
    pytest.param(
        reply(
            {"message": "Resource not accessible by integration"},
            403,
            X_Accepted_GitHub_Permissions="checks=write",
        ),
        Forbidden,
        False,
        "GitHub would accept checks=write",
        id="403-permission",
    ),
    pytest.param(
        reply({}, 403, X_Accepted_GitHub_Permissions="<script>"),
        Forbidden,
        False,
        "the app may not",
        id="403-permission-header-is-foreign",
    ),
    pytest.param(
        reply({"message": "This installation has been suspended"}, 403),
        Suspended,
        False,
        "suspended",
        id="403-suspended",
    ),
    pytest.param(
        reply({"message": "You have exceeded a secondary rate limit. ..."}, 403),
        RateLimited,
        True,
        "rate limit",
        id="403-secondary-without-header",
    ),
    pytest.param(reply({}, 403, Retry_After="7"), RateLimited, True, "", id="403-retry-after"),
    pytest.param(reply({}, 429), RateLimited, True, "rate limit", id="429"),
    pytest.param(
        reply({}, 403, X_RateLimit_Remaining="0"), RateLimited, True, "", id="403-primary"
    ),
    pytest.param(reply({}, 500), Unavailable, True, "GitHub failed (500)", id="500"),
    pytest.param(reply("<html>", 502), TooHeavy, True, "GitHub gave up (502)", id="502-html"),
    pytest.param(reply({}, 503), Unavailable, True, "GitHub failed (503)", id="503"),
    pytest.param(reply("{", 200), Unavailable, True, "is not JSON", id="200-broken-json"),
    pytest.param(reply({}, 202), Unavailable, True, "still preparing", id="202"),
    pytest.param(reply({"message": "no"}, 422), Refused, False, "declined (422)", id="422"),
    pytest.param(requests.ReadTimeout("x"), TooHeavy, True, "in time", id="timeout"),
    pytest.param(
        requests.exceptions.InvalidHeader("x"), Unavailable, True, "could not be asked", id="other"
    ),
]


@pytest.mark.parametrize(("answer", "kind", "retryable", "words"), REFUSALS)
def test_failures_are_named(
    hub: Hub,
    installation: Installation,
    answer: Reply,
    kind: type[GitHubError],
    *,
    retryable: bool,
    words: str,
) -> None:
    hub.on("GET", "/repos/acme/shop", answer)
    with pytest.raises(kind) as caught:
        get(installation)
    assert type(caught.value) is kind
    assert caught.value.retryable is retryable
    assert words in str(caught.value)
    assert caught.value.advice
    assert "<" not in str(caught.value)


def test_an_error_keeps_the_request_id_and_nothing_of_the_body(
    hub: Hub, installation: Installation
) -> None:
    hub.on("GET", "/repos/acme/shop", reply({"message": "secret words"}, 422))
    with pytest.raises(Refused) as caught:
        get(installation)
    assert caught.value.request_id == "AB12:34CD"
    assert str(caught.value) == (
        "GET /repos/{owner}/{repo}: GitHub declined (422) (request AB12:34CD)"
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry_After": "7"}, 7, id="retry-after-first"),
        pytest.param({"Retry_After": "soon"}, 60, id="retry-after-unreadable"),
        pytest.param({"Retry_After": "99999999"}, 7200, id="retry-after-absurd"),
        pytest.param(
            {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "x"}, 60, id="reset-unreadable"
        ),
        pytest.param({}, 60, id="secondary"),
    ],
)
def test_how_long_a_limit_lasts(
    hub: Hub, installation: Installation, headers: dict[str, str], seconds: int
) -> None:
    asked = datetime.now(UTC)
    message = "You have exceeded a secondary rate limit"
    hub.on("GET", "/repos/acme/shop", reply({"message": message}, 403, **headers))
    with pytest.raises(RateLimited) as caught:
        get(installation)
    assert_about(caught.value.until, asked, seconds)


def assert_about(until: datetime, asked: datetime, seconds: int) -> None:
    """``until`` is that many seconds after some moment between asking and now."""
    wait = timedelta(seconds=seconds)
    assert asked + wait - timedelta(seconds=1) <= until <= datetime.now(UTC) + wait


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(timedelta(0), id="clocks-agree"),
        pytest.param(timedelta(hours=1), id="ours-is-slow"),
        pytest.param(timedelta(hours=-1), id="ours-is-fast"),
    ],
)
def test_a_reset_is_read_by_githubs_clock(
    hub: Hub, installation: Installation, ahead: timedelta
) -> None:
    asked = datetime.now(UTC)
    there = asked + ahead
    headers = {
        "Date": there.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "X_RateLimit_Remaining": "0",
        "X_RateLimit_Reset": str(int(there.timestamp()) + 120),
    }
    hub.on("GET", "/repos/acme/shop", reply({}, 403, **headers))
    with pytest.raises(RateLimited) as caught:
        get(installation)
    assert_about(caught.value.until, asked, 121)


def test_while_a_limit_lasts_nothing_is_sent(hub: Hub, github: GitHub) -> None:
    hub.on("GET", "/repos/acme/shop", reply({}, 403, Retry_After="60"))
    for _ in range(3):
        with pytest.raises(RateLimited):
            get(github.installation(77))
    assert len(hub.asked) == 1


def test_a_primary_limit_stops_only_its_own_resource(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme/shop", reply({}, 403, X_RateLimit_Remaining="0"))
    hub.answers(reply({"data": {}}))
    with pytest.raises(RateLimited):
        get(installation)
    assert installation.query("SnapshotPage", {}).data == {}


def test_one_noisy_installation_does_not_stop_another(hub: Hub, github: GitHub) -> None:
    hub.mock.add(
        responses.POST,
        f"{API}/app/installations/78/access_tokens",
        json={"token": "ghs_other", "expires_at": "2100-01-01T00:00:00Z"},
        status=201,
    )
    hub.on("GET", "/repos/acme/shop", reply({}, 403, Retry_After="60"), reply({"id": 5}))
    with pytest.raises(RateLimited):
        get(github.installation(77))
    assert get(github.installation(78)) == {"id": 5}


def test_a_read_survives_one_broken_connection(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme/shop", requests.ConnectionError("reset"), reply({"id": 1}))
    hub.answers(requests.ConnectionError("reset"), reply({"data": {"x": 1}}))
    assert get(installation) == {"id": 1}
    assert installation.query("SnapshotPage", {}).data == {"x": 1}


def test_a_read_does_not_go_on_for_ever(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme/shop", *[requests.ConnectionError("reset")] * 3)
    with pytest.raises(ConnectionLost):
        get(installation)
    assert len(hub.asked) == 2


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(requests.ConnectionError("reset"), id="reset"),
        pytest.param(requests.ReadTimeout("late"), id="timeout"),
        pytest.param(reply("", 502), id="502"),
    ],
)
def test_a_write_is_never_sent_twice_blindly(
    hub: Hub, installation: Installation, verb: str, broken: Reply
) -> None:
    hub.on(verb, "/repos/acme/shop", broken, reply({}))
    with pytest.raises(Unavailable):
        installation.rest(verb, "/repos/acme/shop", {}, body={})
    assert len(hub.asked) == 1


def test_an_answer_without_end_is_cut(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme/shop", reply('"' + "x" * ANSWER_BYTES + '"'))
    with pytest.raises(TooHeavy, match="larger than 32 MiB"):
        get(installation)


def test_foreign_names_stay_in_their_place(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/repos/acme%2F..%2Fx%3Fy%23z/sh%C3%B6p", reply({"id": 1}))
    values = {"owner": "acme/../x?y#z", "repo": "sh\u00f6p"}
    assert installation.rest("GET", "/repos/{owner}/{repo}", values).data == {"id": 1}
    for dots in ("..", ".", ""):
        with pytest.raises(NotFound):
            installation.rest("GET", "/repos/{owner}/{repo}", {"owner": "acme", "repo": dots})
    assert len(hub.asked) == 1


def error(**fields: object) -> dict[str, Any]:
    return {"message": "PR title that nobody should log", **fields}


@pytest.mark.parametrize(
    ("errors", "kind", "words"),
    [
        pytest.param(
            [error(type="NOT_FOUND", path=["repository", "pullRequest"])],
            NotFound,
            "not found at repository.pullRequest",
            id="not-found-elsewhere",
        ),
        pytest.param(
            [error(type="NOT_FOUND", path=["orgPublic", "roster"])],
            NotFound,
            "at orgPublic.roster",
            id="not-found-below-a-tolerated-field",
        ),
        pytest.param(
            [error(type="NOT_FOUND", path=["orgPublic"]), error(type="X", path=["repository"])],
            IncompleteSnapshot,
            "GitHub reported X at repository",
            id="another-error-beside-a-tolerated-one",
        ),
        pytest.param(
            [error(type="FORBIDDEN", path=["orgPublic"])],
            Forbidden,
            "may not read at orgPublic",
            id="forbidden-roster-repository",
        ),
        pytest.param(
            [error(type="NOT_FOUND", path=None)], NotFound, "not found", id="without-a-path"
        ),
        pytest.param([error(type="RATE_LIMITED")], RateLimited, "rate limit", id="rate-limited"),
        pytest.param(
            [error(type="RESOURCE_LIMITS_EXCEEDED")], TooHeavy, "gave up", id="resource-limits"
        ),
        pytest.param(
            [{"message": "Something went wrong while executing your query."}],
            TooHeavy,
            "gave up",
            id="something-went-wrong",
        ),
        pytest.param(
            [error(extensions={"code": "undefinedField"})],
            Refused,
            "(undefinedField)",
            id="field-unknown-to-an-old-server",
        ),
        pytest.param(
            [error(type="evil <b>", path=["<i>", 3])],
            IncompleteSnapshot,
            "GitHub reported an error at 3",
            id="foreign-words-in-type-and-path",
        ),
        pytest.param("no list", Unavailable, "unknown shape", id="errors-no-list"),
        pytest.param([], Unavailable, "unknown shape", id="errors-empty"),
        pytest.param([7], Unavailable, "unknown shape", id="error-no-object"),
    ],
)
def test_a_partial_answer_is_no_answer(
    hub: Hub,
    installation: Installation,
    errors: object,
    kind: type[GitHubError],
    words: str,
) -> None:
    hub.answers(reply({"data": {"repository": {}}, "errors": errors}))
    with pytest.raises(kind) as caught:
        installation.query("SnapshotPage", {}, tolerate=("orgPublic", "orgPrivate"))
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "nobody should log" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"data": None}, id="null"),
        pytest.param([], id="list"),
        pytest.param("", id="empty-body"),
    ],
)
def test_no_data_is_no_answer(hub: Hub, installation: Installation, data: object) -> None:
    hub.answers(reply(data))
    with pytest.raises(Unavailable, match="no data"):
        installation.query("SnapshotPage", {})


def test_every_call_is_reported(hub: Hub, installation: Installation, calls: list[Call]) -> None:
    hub.answers(reply({"data": {"rateLimit": {"cost": 3}}}))
    hub.on("GET", "/repos/acme/shop", requests.ReadTimeout("late"))
    installation.query("SnapshotPage", {})
    with pytest.raises(TooHeavy):
        get(installation)
    assert [(call.kind, call.installation_id, call.status, call.cost) for call in calls] == [
        ("POST /app/installations/{id}/access_tokens", None, 201, 1),
        ("query SnapshotPage", 77, 200, 3),
        ("GET /repos/{owner}/{repo}", 77, None, 1),
    ]
    assert calls[1].remaining == 4990
    assert calls[1].reset is not None


def test_what_is_left_of_a_limit(hub: Hub, github: GitHub) -> None:
    assert github.rate(77) is None
    hub.answers(reply({"data": {}}, X_RateLimit_Remaining="12"))
    github.installation(77).query("SnapshotPage", {})
    rate = github.rate(77)
    assert rate is not None
    assert (rate.limit, rate.remaining) == (5000, 12)
    assert github.rate(77, "core") is None


def test_a_limiter_may_refuse_before_anything_is_sent(hub: Hub, settings: Settings) -> None:
    asked: list[tuple[str, int | None]] = []

    def limiter(kind: str, installation_id: int | None) -> None:
        asked.append((kind, installation_id))
        raise RateLimited("our own budget", until=datetime.now(UTC))

    github = GitHub(settings, before_call=limiter)
    with pytest.raises(RateLimited, match="our own budget"):
        get(github.installation(77))
    assert asked == [("GET /repos/{owner}/{repo}", 77)]
    assert not hub.mock.calls


def test_permissions_are_those_of_the_token(hub: Hub, installation: Installation) -> None:
    assert installation.permissions == {"checks": "write"}
    assert hub.mints == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(reply({}, 404), NotFound, id="uninstalled"),
        pytest.param(
            reply({"message": "This installation has been suspended"}, 403), Suspended, id="asleep"
        ),
        pytest.param(reply({"message": "Bad credentials"}, 401), TokenRefused, id="bad-key"),
        pytest.param(reply({"token": 7}, 201), Unavailable, id="wrong-types"),
        pytest.param(
            reply({"token": "", "expires_at": "2100-01-01T00:00:00Z"}, 201),
            Unavailable,
            id="empty",
        ),
        pytest.param(reply([], 201), Unavailable, id="list"),
    ],
)
def test_no_token(hub: Hub, github: GitHub, answer: Reply, kind: type[GitHubError]) -> None:
    hub.on("POST", "/app/installations/78/access_tokens", answer, answer)
    with pytest.raises(kind):
        get(github.installation(78))


def test_a_wrong_clock_is_named(hub: Hub, github: GitHub) -> None:
    slow = reply({"message": "'Issued at' claim"}, 401, Date="Fri, 01 May 2020 10:00:00 GMT")
    hub.on("POST", "/app/installations/78/access_tokens", slow, slow)
    with pytest.raises(TokenRefused, match=r"our clock is \d+ s ahead of GitHub's"):
        get(github.installation(78))


def test_pages_follow_the_link_header_and_nothing_else(
    hub: Hub, installation: Installation
) -> None:
    link = '<https://evil.example/elsewhere?per_page=100&after=c%3D1>; rel="next"'
    hub.on("GET", "/repos/acme/shop/activity", reply([1], Link=link), reply([2]))
    pages = installation.pages("/repos/acme/shop/activity", {}, query={"ref": "x"})
    assert list(pages) == [[1], [2]]
    assert [url for _, url, _ in hub.asked] == [
        "/repos/acme/shop/activity?per_page=100&ref=x",
        "/repos/acme/shop/activity?after=c%3D1&per_page=100",
    ]


def test_pages_that_repeat_are_refused(hub: Hub, installation: Installation) -> None:
    link = f'<{API}/x?page=2>; rel="next"'
    hub.on("GET", "/x", *[reply([1], Link=link)] * 3)
    with pytest.raises(Unavailable, match="pages repeat"):
        list(installation.pages("/x", {}))


def test_a_page_that_is_no_list_is_refused(hub: Hub, installation: Installation) -> None:
    hub.on("GET", "/x", reply({"repositories": None}))
    with pytest.raises(Unavailable, match="not a list"):
        list(installation.pages("/x", {}, key="repositories"))


def test_no_token_in_any_log(
    hub: Hub, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    hub.answers(reply({"data": {"title": "foreign words"}}))
    with caplog.at_level(logging.DEBUG):
        installation.query("SnapshotPage", {})
    assert not any(secret in caplog.text for secret in (*SECRETS, "foreign words", "Bearer"))

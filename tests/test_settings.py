"""The environment: what is read, what is derived, and each thing that is refused."""

import logging
import os
import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from github_app.settings import (
    IN_FILES,
    Secret,
    Settings,
    SettingsError,
    check_name,
    database_url,
    graphql_url_from,
    roster_path,
    web_url_from,
)
from tests.keys import pem

SECRET = "a-long-enough-webhook-secret"


def env(**changes: str) -> dict[str, str]:
    return {
        "GITHUB_APP_ID": "4711",
        "GITHUB_APP_PRIVATE_KEY": pem(),
        "GITHUB_WEBHOOK_SECRET": SECRET,
    } | changes


def refusals(values: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(values)
    return caught.value.problems


def test_the_least_that_is_needed_and_every_default() -> None:
    settings = Settings.from_environment(env())
    assert settings.app_id == 4711
    assert settings.private_key.reveal() == pem().strip()
    assert [secret.reveal() for secret in settings.webhook_secrets] == [SECRET]
    assert settings.api_url == "https://api.github.com"
    assert settings.graphql_url == "https://api.github.com/graphql"
    assert settings.web_url == "https://github.com"
    assert settings.database_url.reveal() == "sqlite:///countersign.db"
    assert settings.roster == Path("reviewers.yaml")
    assert settings.check_name == "senior-signoff"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.client_id, settings.client_secret) == (None, None)
    assert settings.warnings == ()


def test_everything_set() -> None:
    settings = Settings.from_environment(
        env(
            GITHUB_API_URL="https://ghe.acme.example/api/v3/",
            GITHUB_GRAPHQL_URL="https://ghe.acme.example/other/graphql",
            GITHUB_WEB_URL="https://code.acme.example/",
            DATABASE_URL="postgresql://u:p@db/x",
            COUNTERSIGN_ROSTER="/etc/countersign/reviewers.yaml",
            COUNTERSIGN_CHECK_NAME="sign-off",
            COUNTERSIGN_PROTECTION_EVERY="900",
            HOST="0.0.0.0",
            PORT="65535",
            GITHUB_CLIENT_ID="Iv1.abc",
            GITHUB_CLIENT_SECRET="client-secret",
        )
    )
    assert settings.api_url == "https://ghe.acme.example/api/v3"
    assert settings.graphql_url == "https://ghe.acme.example/other/graphql"
    assert settings.web_url == "https://code.acme.example"
    assert settings.database_url == Secret("postgresql://u:p@db/x")
    assert settings.roster == Path("/etc/countersign/reviewers.yaml")
    assert settings.check_name == "sign-off"
    assert settings.protection_every == 900.0
    assert (settings.host, settings.port) == ("0.0.0.0", 65535)
    assert settings.client_id == "Iv1.abc"
    assert settings.client_secret == Secret("client-secret")


@pytest.mark.parametrize(
    ("api", "graphql", "web"),
    [
        pytest.param(
            "https://api.github.com",
            "https://api.github.com/graphql",
            "https://github.com",
            id="github.com",
        ),
        pytest.param(
            "https://ghe.acme.example/api/v3",
            "https://ghe.acme.example/api/graphql",
            "https://ghe.acme.example",
            id="enterprise-server",
        ),
        pytest.param(
            "https://api.acme.ghe.com",
            "https://api.acme.ghe.com/graphql",
            "https://acme.ghe.com",
            id="data-residency",
        ),
        pytest.param(
            "http://127.0.0.1:8123",
            "http://127.0.0.1:8123/graphql",
            "http://127.0.0.1:8123",
            id="loopback",
        ),
        pytest.param(
            "http://[::1]:8123/api/v3",
            "http://[::1]:8123/api/graphql",
            "http://[::1]:8123",
            id="loopback-v6-with-path",
        ),
    ],
)
def test_urls_are_derived_from_the_api(api: str, graphql: str, web: str) -> None:
    values = {"GITHUB_API_URL": api}
    assert graphql_url_from(values) == graphql
    assert web_url_from(values) == web


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        pytest.param(
            {"GITHUB_WEBHOOK_SECRET": ""},
            "GITHUB_WEBHOOK_SECRET is empty: anyone could forge events. "
            "Set it to the secret of your GitHub App.",
            id="empty-webhook-secret",
        ),
        pytest.param(
            {"GITHUB_WEBHOOK_SECRET": "  "}, "GITHUB_WEBHOOK_SECRET is empty", id="blank-secret"
        ),
        pytest.param(
            {"GITHUB_WEBHOOK_SECRET": f"{SECRET},"},
            "GITHUB_WEBHOOK_SECRET has an empty entry",
            id="empty-one-of-several-secrets",
        ),
        pytest.param({"GITHUB_APP_ID": ""}, "GITHUB_APP_ID is empty", id="empty-app-id"),
        pytest.param(
            {"GITHUB_APP_ID": "Iv1.abc"}, "GITHUB_APP_ID must be a number", id="client-id-as-id"
        ),
        pytest.param({"GITHUB_APP_ID": "0"}, "GITHUB_APP_ID must be a number", id="zero-id"),
        pytest.param(
            {"GITHUB_APP_ID": "\u0664\u0665"}, "GITHUB_APP_ID must be a number", id="arabic-digits"
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": ""}, "GITHUB_APP_PRIVATE_KEY is empty", id="no-key"
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"},
            "GITHUB_APP_PRIVATE_KEY is not an unencrypted PEM private key",
            id="broken-key",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": "/does/not/exist.pem"},
            "GITHUB_APP_PRIVATE_KEY names a file that cannot be read (No such file",
            id="key-file-missing",
        ),
        pytest.param(
            {"GITHUB_API_URL": "http://api.acme.example"},
            "GITHUB_API_URL is http: tokens would travel unencrypted",
            id="plain-http",
        ),
        pytest.param(
            {"GITHUB_API_URL": "http://127.0.0.1.evil.example"},
            "GITHUB_API_URL is http",
            id="looks-like-loopback",
        ),
        pytest.param(
            {"GITHUB_API_URL": "ftp://x"}, "GITHUB_API_URL is not an http(s) URL", id="scheme"
        ),
        pytest.param(
            {"GITHUB_API_URL": "https://user:pw@x.example"},
            "GITHUB_API_URL must hold neither credentials nor a query",
            id="credentials-in-url",
        ),
        pytest.param(
            {"GITHUB_API_URL": "https://x:99999"}, "GITHUB_API_URL is not a URL", id="url-port"
        ),
        pytest.param(
            {"GITHUB_GRAPHQL_URL": "http://acme.example/graphql"},
            "GITHUB_GRAPHQL_URL is http",
            id="graphql-plain-http",
        ),
        pytest.param(
            {"GITHUB_WEB_URL": "javascript:alert(1)"}, "GITHUB_WEB_URL is not an", id="web-url"
        ),
        pytest.param({"PORT": "http"}, "PORT must be a number", id="port-word"),
        pytest.param({"PORT": "0"}, "PORT must be a number", id="port-zero"),
        *(
            pytest.param(
                {"COUNTERSIGN_PROTECTION_EVERY": given},
                "COUNTERSIGN_PROTECTION_EVERY must be a number of seconds",
                id=f"protection-every-{given}",
            )
            for given in ("hourly", "-1", "0", "299", "86401", "1.5")
        ),
        pytest.param({"PORT": "65536"}, "PORT must be a number", id="port-too-large"),
        pytest.param(
            {"COUNTERSIGN_CHECK_NAME": "two\nlines"},
            "COUNTERSIGN_CHECK_NAME must be one printable line",
            id="check-name-lines",
        ),
        pytest.param(
            {"COUNTERSIGN_CHECK_NAME": "x" * 101},
            "COUNTERSIGN_CHECK_NAME must be one printable line",
            id="check-name-long",
        ),
    ],
)
def test_refusals(changes: dict[str, str], starts: str) -> None:
    problems = refusals(env(**changes))
    assert len(problems) == 1
    assert problems[0].startswith(starts)


def test_what_is_not_set_is_called_so() -> None:
    values = env()
    del values["GITHUB_WEBHOOK_SECRET"]
    assert refusals(values)[0].startswith("GITHUB_WEBHOOK_SECRET is not set: anyone could forge")


def test_all_problems_are_told_at_once() -> None:
    problems = refusals({"PORT": "no", "GITHUB_API_URL": "http://acme.example"})
    names = [problem.split()[0] for problem in problems]
    assert names == [
        "GITHUB_API_URL",
        "GITHUB_APP_PRIVATE_KEY",
        "GITHUB_APP_ID",
        "GITHUB_WEBHOOK_SECRET",
        "PORT",
    ]


def test_several_secrets_while_one_is_rotated() -> None:
    settings = Settings.from_environment(env(GITHUB_WEBHOOK_SECRET=f"{SECRET}-new , {SECRET}-old"))
    assert [one.reveal() for one in settings.webhook_secrets] == [f"{SECRET}-new", f"{SECRET}-old"]


def test_a_short_secret_is_warned_of() -> None:
    (warning,) = Settings.from_environment(env(GITHUB_WEBHOOK_SECRET="short")).warnings
    assert warning.startswith("GITHUB_WEBHOOK_SECRET is shorter than 16 characters")


def test_a_key_in_one_line_with_literal_newlines() -> None:
    settings = Settings.from_environment(
        env(GITHUB_APP_PRIVATE_KEY=pem().strip().replace("\n", "\\n"))
    )
    assert settings.private_key.reveal() == pem().strip()


@pytest.mark.parametrize(
    ("mode", "warned"),
    [pytest.param(0o600, False, id="ours-alone"), pytest.param(0o644, True, id="for-everybody")],
)
def test_a_key_in_a_file(tmp_path: Path, mode: int, *, warned: bool) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem())
    file.chmod(mode)
    settings = Settings.from_environment(env(GITHUB_APP_PRIVATE_KEY=str(file)))
    assert settings.private_key.reveal() == pem()
    assert any("chmod 600" in warning for warning in settings.warnings) is warned


@pytest.mark.parametrize(
    "content", [pytest.param(b"\xff\xfe", id="binary"), pytest.param(b"", id="empty")]
)
def test_a_key_file_that_holds_no_key(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    (problem,) = refusals(env(GITHUB_APP_PRIVATE_KEY=str(file)))
    assert problem.startswith("GITHUB_APP_PRIVATE_KEY ")
    assert str(file) not in problem


def test_every_secret_may_be_a_file(tmp_path: Path) -> None:
    texts = {
        "GITHUB_APP_PRIVATE_KEY": pem(),
        "GITHUB_WEBHOOK_SECRET": f"{SECRET},another-long-secret",
        "GITHUB_CLIENT_SECRET": "client-secret",
        "DATABASE_URL": "postgresql://u:p@db/x",
    }
    assert set(texts) == IN_FILES
    given = {"GITHUB_APP_ID": "4711", "GITHUB_WEBHOOK_SECRET": ""}  # empty is as good as not set
    for name, text in texts.items():
        file = tmp_path / name.lower()
        file.write_text(text + "\n")
        file.chmod(0o600)
        given[f"{name}_FILE"] = str(file)
    settings = Settings.from_environment(given)
    assert settings.private_key.reveal() == pem().strip()
    assert [secret.reveal() for secret in settings.webhook_secrets] == [
        SECRET,
        "another-long-secret",
    ]
    assert settings.client_secret == Secret("client-secret")
    assert settings.database_url == Secret("postgresql://u:p@db/x")
    assert settings.warnings == ()
    (tmp_path / "github_app_private_key").chmod(0o644)
    (warning,) = Settings.from_environment(given).warnings
    assert "chmod 600" in warning


@pytest.mark.parametrize(
    ("content", "starts"),
    [
        pytest.param(None, "DATABASE_URL_FILE: the file cannot be read", id="not-there"),
        pytest.param(b" \n", "DATABASE_URL_FILE: the file is empty", id="empty-not-the-default"),
        pytest.param(b"\xff\xfe", "DATABASE_URL_FILE: the file is not text", id="binary"),
        pytest.param(b"x" * 70_000, "DATABASE_URL_FILE: the file is too large", id="too-large"),
    ],
)
def test_files_that_hold_no_secret(tmp_path: Path, content: bytes | None, starts: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    (problem,) = refusals(env(DATABASE_URL_FILE=str(file)))
    assert problem.startswith(starts)
    assert str(file) not in problem


def test_a_secret_that_is_given_twice(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("another")
    (problem,) = refusals(env(GITHUB_WEBHOOK_SECRET_FILE=str(file)))
    assert problem.startswith("GITHUB_WEBHOOK_SECRET and GITHUB_WEBHOOK_SECRET_FILE are both set")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize(
    ("mode", "warned"),
    [
        pytest.param(0o440, False, id="lent-to-our-group"),
        pytest.param(0o460, True, id="our-group-may-change-it"),
        pytest.param(0o444, True, id="for-everybody"),
    ],
)
def test_a_key_that_the_platform_owns(tmp_path: Path, mode: int, *, warned: bool) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem())
    file.chmod(mode)
    os.chown(file, 65534, os.getegid())
    settings = Settings.from_environment(env(GITHUB_APP_PRIVATE_KEY=str(file)))
    assert bool(settings.warnings) is warned


def test_keys_of_another_kind_are_refused() -> None:
    elliptic = elliptic_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (problem,) = refusals(env(GITHUB_APP_PRIVATE_KEY=elliptic.decode()))
    assert "is not an RSA key" in problem
    locked = load_pem_private_key(pem().encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    (problem,) = refusals(env(GITHUB_APP_PRIVATE_KEY=locked.decode()))
    assert "is not an unencrypted PEM private key" in problem


def test_a_refusal_never_quotes_a_key() -> None:
    body = pem().splitlines()[1]
    for broken in (pem()[:200], pem().split("\n", 1)[1], body):
        (problem,) = refusals(env(GITHUB_APP_PRIVATE_KEY=broken))
        assert body not in problem


def test_no_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_environment(
        env(DATABASE_URL="postgresql://u:hunter2@db/x", GITHUB_CLIENT_SECRET="client-secret")
    )
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%s %r %s", settings, settings, settings.private_key)
    shown = caplog.text + f"{settings!s} {settings!r} {settings.webhook_secrets}"
    for hidden in (SECRET, "hunter2", "client-secret", pem().splitlines()[1]):
        assert hidden not in shown
    with pytest.raises(TypeError):
        pickle.dumps(settings.private_key)


def test_parts_need_nothing_else() -> None:
    assert database_url({}).reveal() == "sqlite:///countersign.db"
    assert database_url({"DATABASE_URL": " "}).reveal() == "sqlite:///countersign.db"
    assert roster_path({"COUNTERSIGN_ROSTER": "r.yaml"}) == Path("r.yaml")
    assert check_name({}) == "senior-signoff"

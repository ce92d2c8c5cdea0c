"""What the deployment files say fits the program, and each process has as few rights as it can."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from github_app.cli import COMMANDS
from github_app.commands.serve import gunicorn

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
KUBERNETES = ROOT / "deploy/kubernetes"
OBJECTS = [
    document
    for file in sorted(KUBERNETES.glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text("utf-8"))
]
UNITS = {path.name: path.read_text("utf-8") for path in (ROOT / "deploy/systemd").glob("*.service")}
OURS = sorted(COMPOSE["services"].keys() - {"db"})
OUR_USER = "10001"


def template(name: str) -> Any:
    """The pods of this deployment."""
    deployments = [one for one in OBJECTS if one["kind"] == "Deployment"]
    (found,) = [one for one in deployments if one["metadata"]["name"] == name]
    return found["spec"]["template"]


def deployment(name: str) -> Any:
    return template(name)["spec"]


def container(name: str) -> Any:
    (found,) = deployment(name)["containers"]
    return found


def flags(words: list[str]) -> dict[str, str]:
    """``--name value`` and ``--name=value`` alike; where it listens is each place's own."""
    text = " ".join(words).replace("=", " ")
    found = dict(re.findall(r"(--[a-z-]+)(?: (?!--)(\S+))?", text))
    return {name: value for name, value in found.items() if name != "--bind"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            shlex.split((ROOT / "Procfile").read_text("utf-8").splitlines()[0])[1:], id="Procfile"
        ),
        pytest.param(COMPOSE["services"]["web"]["command"], id="compose"),
        pytest.param(container("web")["command"], id="kubernetes"),
    ],
)
def test_the_web_side_is_started_as_serve_starts_it(words: list[str]) -> None:
    assert words[:2] == ["gunicorn", "app:app"]
    wanted = flags(gunicorn("127.0.0.1", 8000))
    assert wanted["--threads"] == "8"
    assert flags(words) == wanted


def test_every_command_exists() -> None:
    words = [COMPOSE["services"][name].get("command", []) for name in OURS]
    words += [container(name)["command"] for name in ("web", "worker")]
    words.append(shlex.split((ROOT / "Procfile").read_text("utf-8").splitlines()[1])[1:])
    words += [
        ["countersign", *rest.split()]
        for unit in UNITS.values()
        for rest in re.findall(r"bin/countersign (.+)", unit)
    ]
    ours = [each[1] for each in words if each[0] == "countersign"]
    assert set(ours) >= {"worker", "migrate", "serve", "backup"}
    assert not [name for name in ours if name not in COMMANDS]


def test_every_variable_is_a_setting() -> None:
    source = (ROOT / "github_app/settings.py").read_text("utf-8")
    known = set(re.findall(r'"((?:GITHUB|COUNTERSIGN)_[A-Z_]+|DATABASE_URL|HOST|PORT)"', source))
    texts = [DOCKERFILE, (ROOT / "compose.yaml").read_text("utf-8"), *UNITS.values()]
    texts += [file.read_text("utf-8") for file in KUBERNETES.glob("*.yaml")]
    used = {
        name
        for text in texts
        for name in re.findall(r"\b((?:GITHUB|COUNTERSIGN)_[A-Z_]+|DATABASE_URL\w*)\b", text)
    }
    assert {"GITHUB_APP_PRIVATE_KEY_FILE", "DATABASE_URL_FILE", "COUNTERSIGN_ROSTER"} <= used
    assert not [name for name in used if name.removesuffix("_FILE") not in known]


def test_no_secret_is_given_but_as_a_file() -> None:
    secret = re.compile(r"\b(GITHUB_APP_PRIVATE_KEY|GITHUB_WEBHOOK_SECRET|DATABASE_URL)\b\s*[:=]")
    for name in ("Dockerfile", "compose.yaml"):
        assert not secret.search((ROOT / name).read_text("utf-8")), name
    for file in [*(ROOT / "deploy/systemd").iterdir(), *KUBERNETES.iterdir()]:
        assert not secret.search(file.read_text("utf-8")), file.name
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_a_service_of_compose_has_no_rights_to_spare(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in {"0", "root"}
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", OURS)
def test_our_services_start_when_the_tables_are_there(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["user"] == f"{OUR_USER}:{OUR_USER}"
    on = service["depends_on"]
    if name == "migrate":
        assert on == {"db": {"condition": "service_healthy"}}
    else:
        assert on == {"migrate": {"condition": "service_completed_successfully"}}


def test_only_the_database_net_reaches_the_database() -> None:
    assert COMPOSE["services"]["db"]["networks"] == ["database"]
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert "ports" not in COMPOSE["services"]["db"]


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_pod_has_no_rights_to_spare(name: str) -> None:
    pod, its = deployment(name), container(name)["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert str(pod["securityContext"]["runAsUser"]) == OUR_USER
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert its == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container(name)["resources"]["limits"]
    (volume,) = [one["secret"] for one in pod["volumes"] if "secret" in one]
    assert volume["defaultMode"] & 0o007 == 0


def test_probes_of_the_web_side_do_not_ask_github() -> None:
    web = container("web")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["path"] == "/healthz"
    assert "/healthz" in DOCKERFILE.partition("HEALTHCHECK")[2]


def test_what_belongs_together_is_named_alike() -> None:
    for kind in ("Service", "PodDisruptionBudget"):
        for one in OBJECTS:
            if one["kind"] == kind:
                selector = one["spec"]["selector"]
                selector = selector.get("matchLabels", selector)
                assert selector == template(one["metadata"]["name"])["metadata"]["labels"]
    (kustomization,) = [one for one in OBJECTS if one["kind"] == "Kustomization"]
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def test_the_image_runs_as_nobody_special_and_is_pinned() -> None:
    assert re.search(rf"^USER {OUR_USER}:{OUR_USER}$", DOCKERFILE, re.MULTILINE)
    (image,) = re.findall(r"^ARG PYTHON=(\S+)", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", image)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON}"}
    steps = re.split(r"&&|^RUN|^COPY", DOCKERFILE.replace("\\\n", ""), flags=re.MULTILINE)
    installs = [step for step in steps if " install " in step and "pip" in step]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install


def test_the_builder_sees_only_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == let_in
    for name in copied:
        found = [ROOT / name, *(ROOT / name).rglob("*")]
        assert not [one for one in found if one.suffix in {".pem", ".db", ".env", ".key"}]


def test_both_units_are_one_user_with_the_same_walls() -> None:
    walls = [
        {
            line
            for line in unit.splitlines()
            if re.match(
                r"(Protect|Private[DTU]|Restrict[NRS]|SystemCall|Dynamic|User=|NoNew)", line
            )
        }
        for unit in UNITS.values()
    ]
    assert walls[0] == walls[1]
    assert {"DynamicUser=yes", "User=countersign", "ProtectSystem=strict"} <= walls[0]

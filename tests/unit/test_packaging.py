"""Dockerfile and compose.yaml, as far as they can be judged without Docker."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.cli import _parser
from bot.settings import Settings

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
ONLY_HERE = {"POSTGRES_PASSWORD", "DESKBELL_COOKIE_KEY", "DESKBELL_PORT", "DESKBELL_LISTEN"}
"""What compose.yaml itself asks for."""


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load(CHECKOUT / "compose.yaml")


def seconds(span: str) -> int:
    return int(span.removesuffix("s"))


# --- Dockerfile --------------------------------------------------------------------------------
def last(step: str) -> str:
    return [rest for name, rest in STEPS if name == step][-1]


def test_the_image_holds_what_is_copied_and_ignores_the_rest() -> None:
    """Every file that a step names exists and is not kept out of the build."""
    copied = [shlex.split(rest)[:-1] for name, rest in STEPS if name == "COPY" and not rest.startswith("--from")]
    named = {name for names in copied for name in names}
    let_in = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((CHECKOUT / name).exists() for name in named)
    assert named == let_in


def test_every_package_of_the_program_is_in_the_image() -> None:
    """What pyproject.toml packs is copied."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packed <= {shlex.split(rest)[0] for name, rest in STEPS if name == "COPY"}


def test_the_image_is_installed_from_hashes() -> None:
    """Nothing is resolved while it is built, and no build tool is fetched behind its back."""
    installs = [rest for name, rest in STEPS if name == "RUN" and " install " in rest and "pip" in rest]
    assert "--require-hashes --no-deps" in re.sub(" +", " ", installs[0])
    assert all("--no-deps" in each for each in installs)
    assert "--no-build-isolation" in installs[1]


def test_the_image_runs_as_an_ordinary_user() -> None:
    """And nothing that follows makes it root again."""
    assert last("USER") == "deskbell"


def test_the_program_gets_the_signal_to_end() -> None:
    """It is started without a shell between, by a command line that exists."""
    entrypoint, command = json.loads(last("ENTRYPOINT")), json.loads(last("CMD"))
    assert entrypoint == ["deskbell"]
    options = _parser().parse_args(command)
    assert (options.host, options.port) == ("0.0.0.0", int(last("EXPOSE")))


def test_the_image_is_healthy_when_messages_can_be_taken() -> None:
    """Docker asks what the proxy asks."""
    assert "/readyz" in last("HEALTHCHECK")
    assert f":{last('EXPOSE')}/" in last("HEALTHCHECK")


# --- compose.yaml ------------------------------------------------------------------------------
def test_three_replicas_run_behind_a_proxy_on_one_postgresql(compose: Any) -> None:
    """The topology that tests/replicas runs as processes."""
    assert compose["services"].keys() == {"postgres", "migrate", "bot", "proxy"}
    assert compose["services"]["bot"]["deploy"]["replicas"] == 3
    assert "ports" not in compose["services"]["bot"]
    assert "ports" not in compose["services"]["postgres"]


def test_the_database_is_migrated_once_before_anything_serves(compose: Any) -> None:
    """The command exists, ends, and is waited for."""
    migrate = compose["services"]["migrate"]
    _parser().parse_args(migrate["command"])
    assert migrate["restart"] == "no"
    assert compose["services"]["bot"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_nothing_is_killed_before_it_has_finished(compose: Any) -> None:
    """The server itself takes up to eight seconds for what is under way, and the rest of the end a little more."""
    assert seconds(compose["services"]["bot"]["stop_grace_period"]) > 10


def mounts(service: Any) -> list[tuple[str, str, bool]]:
    """Source, target, and whether it may be written."""
    short = [volume.split(":") for volume in service["volumes"] if isinstance(volume, str)]
    long = [volume for volume in service["volumes"] if not isinstance(volume, str)]
    written = [(source, target, "ro" not in how) for source, target, *how in short]
    return written + [(volume["source"], volume["target"], not volume.get("read_only", False)) for volume in long]


def test_nothing_can_write_but_to_its_volume(compose: Any) -> None:
    """The image's /data, and /tmp in memory."""
    for name in ("bot", "migrate", "proxy"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert [target for _, target, writable in mounts(service) if writable] in ([], ["/data"])


def test_replicas_that_go_leave_no_volume_behind(compose: Any) -> None:
    """What the image declares has a name, so that the next replica has the same."""
    (declared,) = json.loads(last("VOLUME"))
    sources = {source for source, target, _ in mounts(compose["services"]["bot"]) if target == declared}
    assert sources <= compose["volumes"].keys()
    assert sources


def test_what_is_mounted_exists(compose: Any) -> None:
    """All but the folder that the operator fills, whose lack Docker names instead of making an empty one."""
    sources = {source for service in compose["services"].values() for source, _, _ in mounts(service)}
    assert {source for source in sources if source.startswith("./") and not (CHECKOUT / source).exists()} <= {"./desk"}
    (desk,) = [volume for volume in compose["services"]["bot"]["volumes"] if "desk" in str(volume)]
    assert desk["bind"] == {"create_host_path": False}


def test_the_example_of_secrets_names_what_is_read(compose: Any) -> None:
    """Every variable is the program's or that of compose.yaml, and those that must be set are there to be filled in."""
    lines = (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    known = {field.alias for field in Settings.model_fields.values()}
    assert example.keys() <= known | ONLY_HERE
    required = set(re.findall(r"\$\{(\w+):\?", (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")))
    assert required == {name for name in ("POSTGRES_PASSWORD", "DESKBELL_COOKIE_KEY") if example[name] == ""}


def test_the_proxy_is_told_all_that_its_file_asks_for(compose: Any) -> None:
    """A variable that is missing would be empty, and only seen at the start."""
    asked = set(re.findall(r'"\$\{(\w+)', (CHECKOUT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")))
    assert asked == compose["services"]["proxy"]["environment"].keys()


def test_the_image_names_the_version(compose: Any) -> None:
    """Of this checkout."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    assert compose["services"]["bot"]["image"] == f"deskbell:{project['project']['version']}"


def test_compose_yaml_holds_to_the_specification(compose: Any) -> None:
    """Of the keys, their places and their types."""
    vendored = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    validator = Draft202012Validator(json.loads(vendored.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(compose)] == []
    broken = {**compose, "services": {**compose["services"], "bot": {"replicas": 3}}}
    assert [error.message for error in validator.iter_errors(broken)]

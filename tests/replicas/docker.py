"""compose.yaml as Docker runs it, in a copy of this checkout with an .env of its own. Used by `test_compose.py`."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.programs import CHECKOUT

BUILD_SECONDS = 1500.0
"""Base images and all that requirements.lock names may have to come from outside."""


def missing() -> str | None:
    """Why compose.yaml cannot be started here; None when it can."""
    if sys.platform != "linux":
        return "The tests' own Slack is reached through Docker's bridge, which is on this machine on Linux only."
    if not shutil.which("docker"):
        return "Docker is not installed."
    for command in (("docker", "compose", "version"), ("docker", "info")):
        if subprocess.run(command, capture_output=True, check=False, timeout=60).returncode:
            return f"`{' '.join(command)}` fails: no Docker engine with Compose answers."
    return None


def needed_files() -> list[str]:
    """Of this checkout: what goes into the image, what starts it, and what compose.yaml mounts."""
    let_in = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    of_image = [line.removeprefix("!") for line in let_in if line.startswith("!")]
    return [*of_image, ".dockerignore", "Dockerfile", "compose.yaml", "deploy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with compose.yaml, under a name of its own, so that it meets nothing else that runs here."""

    folder: Path
    name: str

    @classmethod
    def copied(cls, folder: Path, name: str) -> Project:
        folder.mkdir()
        for each in needed_files():
            if (CHECKOUT / each).is_dir():
                shutil.copytree(CHECKOUT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(CHECKOUT / each, folder / each)
        return cls(folder=folder, name=name)

    def fill_in(self, values: Mapping[str, str]) -> None:
        """Writes .env: the example with these values, and those that it does not name below it."""
        example = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
        names = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
        for key in names & values.keys():
            example = re.sub(rf"^{key}=.*$", f"{key}={values[key]}", example, flags=re.MULTILINE)
        added = [f"{key}={value}\n" for key, value in values.items() if key not in names]
        (self.folder / ".env").write_text(example + "".join(added), encoding="utf-8")

    async def compose(self, *arguments: str) -> str:
        """What the command printed; fails the test when it fails."""
        return await self.docker("compose", "--project-name", self.name, *arguments)

    async def docker(self, *arguments: str) -> str:
        """The same, while the loop goes on, so that the tests' own Slack does."""
        return await asyncio.to_thread(self._run, "docker", *arguments)

    async def inspect(self, container: str, *, type: str = "container") -> Any:
        return json.loads(await self.docker("inspect", "--type", type, container))[0]

    async def containers(self, service: str) -> list[str]:
        """Ids of those that run."""
        return (await self.compose("ps", "--quiet", service)).split()

    async def healthy(self, service: str) -> int:
        """How many containers of the service say that they are."""
        found = [(await self.inspect(container))["State"] for container in await self.containers(service)]
        return sum(state.get("Health", {}).get("Status") == "healthy" for state in found)

    async def gateway(self) -> str:
        """The address of this machine on the network of the containers."""
        network = await self.inspect(f"{self.name}_default", type="network")
        return str(network["IPAM"]["Config"][0]["Gateway"])

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
        if done.returncode:
            pytest.fail(f"{' '.join(command)}\n{done.stdout[-4_000:]}{done.stderr[-4_000:]}", pytrace=False)
        return done.stdout

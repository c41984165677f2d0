"""The reverse proxy of compose.yaml as a process of this machine: the same program, the same file.

Debian and the proxy's image call it `haproxy`; `.ci/run` installs it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.conformance.programs import CHECKOUT, free_port
from tests.replicas import names

CONFIG = CHECKOUT / "deploy" / "haproxy.cfg"
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""One machine's loopback has many addresses on Linux: each replica gets one, and all the same port."""
MISSING = "HAProxy is not installed (apt-get install haproxy)."
START_SECONDS = 20.0


def haproxy() -> str | None:
    """The program, also where it is kept for administrators."""
    return shutil.which("haproxy", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


needed = pytest.mark.skipif(haproxy() is None, reason=MISSING)


def environ(*, listen: str, replicas: str, dns: str) -> Mapping[str, str]:
    """All that the file asks for."""
    return {
        "DESKBELL_LISTEN": listen,
        "DESKBELL_REPLICAS": replicas,
        "DESKBELL_DNS": dns,
        "DESKBELL_COOKIE_KEY": "tests",
    }


@asynccontextmanager
async def proxied(port: int, folder: Path, hosts: Sequence[str] = HOSTS) -> AsyncIterator[str]:
    """The proxy's URL, once it passes requests to a replica; they listen on `port` of these hosts."""
    listen, log = f"127.0.0.1:{free_port()}", folder / "proxy.txt"
    async with names.serving(hosts) as dns:
        with _running(environ(listen=listen, replicas=f"bot:{port}", dns=dns), log) as process:
            if not await _passing(process, f"http://{listen}"):
                pytest.fail(f"the proxy passes nothing:\n{log.read_text()[-4_000:]}", pytrace=False)
            yield f"http://{listen}"


@contextmanager
def _running(environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = haproxy()
    if program is None:
        pytest.fail(MISSING, pytrace=False)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen([program, "-db", "-f", CONFIG], env=environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _passing(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    async with aiohttp.ClientSession() as session:
        while process.poll() is None and asyncio.get_running_loop().time() < deadline:
            try:
                async with session.get(f"{url}/healthz") as answer:
                    if answer.status == 200:
                        return True
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    return False

"""The app package that an admin uploads to Teams: the manifest with the company's own ids, and the icons.

Called by `bot` for the command line and the console.
"""

from __future__ import annotations

import json
import re
import zipfile
from importlib.resources import files
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

ICONS = ("color.png", "outline.png")
STAMP = (2026, 1, 1, 0, 0, 0)
"""Time of every file in the archive, so that equal settings give equal bytes."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.\d{1,5}")


def package(app_id: str, public_url: str, *, version: str = "1.0.0") -> bytes:
    """The zip archive. Raises ValueError for ids and addresses that Teams would refuse."""
    contents = {"manifest.json": json.dumps(manifest(app_id, public_url, version=version), indent=2).encode()}
    contents.update({name: files("adapters.teams").joinpath(name).read_bytes() for name in ICONS})
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in contents.items():
            target.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def manifest(app_id: str, public_url: str, *, version: str = "1.0.0") -> dict[str, Any]:
    """The manifest of this installation; `public_url` is where people reach the desk, over https."""
    address = urlsplit(public_url)
    if not _GUID.fullmatch(app_id):
        raise ValueError(f"MicrosoftAppId is not a GUID: {app_id!r}")
    if address.scheme != "https" or not address.hostname:
        raise ValueError(f"Teams needs an https address: {public_url!r}")
    if not _VERSION.fullmatch(version):
        raise ValueError(f"not a version such as 1.0.0: {version!r}")
    values = {
        "MicrosoftAppId": app_id.lower(),
        "PublicUrl": public_url.rstrip("/"),
        "PublicHost": address.hostname,
        "Version": version,
    }
    made: dict[str, Any] = json.loads(_template(), object_pairs_hook=lambda pairs: _filled(pairs, values))
    return made


def _template() -> str:
    return files("adapters.teams").joinpath("manifest.json").read_text(encoding="utf-8")


def _filled(pairs: list[tuple[str, Any]], values: dict[str, str]) -> dict[str, Any]:
    return {key: _fill(value, values) for key, value in pairs}


def _fill(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, str):
        return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], value)
    return value

"""The app package for Teams: what an admin uploads."""

from __future__ import annotations

import json
import struct
import zipfile
from io import BytesIO
from typing import Any

import pytest

from adapters.teams.package import manifest, package

APP_ID = "22222222-2222-4222-8222-22222222ABCD"
URL = "https://desk.example.com/"


def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(package(APP_ID, URL, version="1.2.3")))


def made() -> dict[str, Any]:
    return manifest(APP_ID, URL, version="1.2.3")


def test_the_package_holds_manifest_and_icons() -> None:
    """Three files at the top, nothing else."""
    assert archive().namelist() == ["manifest.json", "color.png", "outline.png"]


def test_equal_settings_give_equal_bytes() -> None:
    """A package can be compared with the one uploaded last."""
    assert package(APP_ID, URL) == package(APP_ID, URL)


@pytest.mark.parametrize(("name", "size"), [("color.png", 192), ("outline.png", 32)])
def test_icons_have_the_size_that_teams_asks_for(name: str, size: int) -> None:
    """The header of each PNG says so."""
    image = archive().read(name)
    assert (image[:8], struct.unpack(">II", image[16:24])) == (b"\x89PNG\r\n\x1a\n", (size, size))


def test_no_placeholder_is_left() -> None:
    """Every id and address is filled in."""
    assert "{{" not in archive().read("manifest.json").decode()


def test_the_companys_own_ids_stand_in_it() -> None:
    """Bot, app and permissions name one registration; the address is the company's."""
    filled = json.loads(archive().read("manifest.json"))
    ids = {filled["id"], filled["bots"][0]["botId"], filled["webApplicationInfo"]["id"]}
    assert (ids, filled["validDomains"], filled["version"]) == ({APP_ID.lower()}, ["desk.example.com"], "1.2.3")


def test_the_bot_works_everywhere() -> None:
    """In personal chats, teams and group chats."""
    assert made()["bots"][0]["scopes"] == ["personal", "team", "groupChat"]


def test_help_channels_are_read_without_a_mention() -> None:
    """Teams delivers a channel's posts only to apps with this permission."""
    permissions = made()["authorization"]["permissions"]["resourceSpecific"]
    assert permissions == [{"name": "ChannelMessage.Read.Group", "type": "Application"}]


def test_lengths_are_within_teams_limits() -> None:
    """Name, descriptions and commands are as short as the schema wants them."""
    filled = made()
    lists = filled["bots"][0]["commandLists"]
    assert len(filled["name"]["short"]) <= 30
    assert len(filled["description"]["short"]) <= 80
    assert len(lists) <= 3
    assert all(len(entry["commands"]) <= 12 for entry in lists)


@pytest.mark.parametrize(
    ("app_id", "url"), [("", URL), ("deskbell", URL), (APP_ID, "http://desk.example.com"), (APP_ID, "desk.example.com")]
)
def test_what_teams_would_refuse_is_refused_here(app_id: str, url: str) -> None:
    """A wrong id or address is named before anything is uploaded."""
    with pytest.raises(ValueError, match=r"GUID|https"):
        package(app_id, url)

"""manifest.yaml asks for what the adapter uses, and for nothing else."""

from __future__ import annotations

from adapters.slack.rights import EVENTS, METHODS, SCOPES
from tests.fakes.slack_rules import ARGUMENTS, BY_CHANNEL, FAMILY, granted, manifest
from tests.fakes.slack_rules import SCOPES as SLACKS_SCOPES


def test_the_scopes_are_those_of_the_methods_and_events_in_use() -> None:
    """Not one more, not one less."""
    assert granted() == SCOPES


def test_the_events_are_those_that_are_listened_to() -> None:
    """Posts everywhere the bot is, and mentions."""
    assert set(manifest()["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)


def test_every_method_is_declared_with_the_scope_that_slack_wants() -> None:
    """Our table against Slack's reference; a channel method covers the kinds of channel it is used on."""
    direct = {method: {scope} for method, scope in SLACKS_SCOPES.items() if method in METHODS}
    families = {method: {f"{family}:{verb}" for family in FAMILY.values()} for method, verb in BY_CHANNEL.items()}
    families["conversations.info"].discard("im:read")
    expected = {method: frozenset((direct | families).get(method, ())) for method in METHODS}
    assert dict(METHODS) == expected


def test_every_declared_method_exists() -> None:
    """By Slack's reference."""
    assert set(METHODS) <= set(ARGUMENTS)


def test_direct_messages_can_be_written() -> None:
    """Without the Messages tab nobody could answer the bot."""
    home = manifest()["features"]["app_home"]
    assert (home["messages_tab_enabled"], home["messages_tab_read_only_enabled"]) == (True, False)


def test_commands_send_ids() -> None:
    """Names are not unique; `assign 42 @kim` needs the person."""
    assert all(command["should_escape"] for command in manifest()["features"]["slash_commands"])


def test_events_and_interactions_go_to_the_one_address() -> None:
    """Everything arrives at /slack/events."""
    settings = manifest()["settings"]
    urls = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        *(command["url"] for command in manifest()["features"]["slash_commands"]),
    }
    assert [url.partition("example.com")[2] for url in urls] == ["/slack/events"]

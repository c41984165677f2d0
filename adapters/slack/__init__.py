"""Slack: the only home of Bolt and the Slack SDK. `bot.compose` constructs `adapter.SlackAdapter`."""

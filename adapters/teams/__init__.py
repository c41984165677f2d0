"""Microsoft Teams: the only home of the Bot Framework. `adapter.TeamsAdapter` is its front door."""

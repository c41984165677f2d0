"""What the `ChatPort` contract suite needs from each platform: a port, and a look at its fake server.

One harness a platform (`slack_harness.py`, `teams_harness.py`, `web_harness.py`); the suite in
`test_chat_port.py` runs over all of them.
"""

from __future__ import annotations

from typing import Protocol

from triage.model import Account, Thread
from triage.ports import Address, ChatPort


class Harness(Protocol):
    port: ChatPort
    channel: Address
    """A channel the bot is in (no root)."""
    forbidden: Address
    """A channel the bot may not write to."""
    account: Account
    """A person the bot can reach."""
    whispers: bool
    """Whether this platform has private messages in place."""
    finds: bool
    """Whether a post can be looked up by its outbox key."""

    def shown(self, thread: Thread) -> list[str]:
        """The texts the platform now shows in this thread, oldest first."""
        ...

    def shown_privately(self, account: Account) -> list[str]:
        """The texts only this person sees."""
        ...

    def busy_once(self, seconds: int) -> bool:
        """Make the next call answer 429; False where the platform cannot be busy."""
        ...

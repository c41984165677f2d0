"""Where an activity came from, as the opaque `reference` that storage keeps and the port reads back.

The service URL in it is the one the verified token named, so the bot's own token goes nowhere else.
Made by `inbound`, read by `port`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`place` is the tenant id, `user` the sender's `29:…` id, `user_object` their Entra object id."""

    service_url: str
    place: str
    conversation: str
    bot: str
    bot_name: str = ""
    user: str = ""
    user_object: str = ""

    def dumps(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def loads(cls, text: str) -> Reference:
        """Raises ValueError when the text is not such a reference."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"not a Teams reference: {error}") from error

"""Slack's delivery: three seconds of patience, three more tries with headers that say so, then given up.

The pauses between tries are shorter than Slack's, so that a run does not take hours. Used by
`tests.crash.author`.
"""

from __future__ import annotations

import asyncio
import json

import httpx

from tests.crash.letters import ONCE, Letter
from tests.fakes.slack_payloads import Delivered, Signed
from tests.fakes.slack_server import FakeSlack

PATIENCE = 3.0
PAUSES = (0.5, 3.0, 7.0)
"""Before each further try; Slack's own are none, a minute and five."""


class Postman:
    """`underway` is how many deliveries wait for an answer just now."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack
        self._rounds: set[asyncio.Task[None]] = set()
        self.underway = 0

    def bring(self, letter: Letter) -> None:
        """Begin to deliver; what came of it stands in the letter."""
        task = asyncio.create_task(self._bring(letter))
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def rest(self) -> None:
        """Wait until everything was acknowledged or given up."""
        while self._rounds:
            await asyncio.gather(*self._rounds)

    async def _bring(self, letter: Letter) -> None:
        taken = await asyncio.gather(*(self._until_taken(letter, request) for request in letter.requests))
        letter.acknowledged = any(taken)
        letter.done = True

    async def _until_taken(self, letter: Letter, request: Signed) -> bool:
        """Whether one request was acknowledged at last."""
        pauses = () if letter.act in ONCE else PAUSES
        for retry, pause in enumerate((0.0, *pauses)):
            await asyncio.sleep(pause)
            letter.tries += 1
            answer = await self._deliver(request, retry)
            if answer.ok:
                letter.refused = letter.act in ONCE and bool(_words(answer))
                return True
        return False

    async def _deliver(self, request: Signed, retry: int) -> Delivered:
        self.underway += 1
        try:
            return await self._slack.deliver(request, retry=retry, patience=PATIENCE)
        except httpx.HTTPError:
            return Delivered(status=None)
        finally:
            self.underway -= 1


def _words(answer: Delivered) -> str:
    """What the answer itself says to the person."""
    return str(json.loads(answer.body).get("text", "")) if answer.body.startswith("{") else answer.body

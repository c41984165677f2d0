"""A name server on this machine that knows one name: what Docker's own is to the proxy of compose.yaml."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import cast

HEADER = struct.Struct("!6H")
QUESTION = struct.Struct("!2H")
ANSWER = struct.Struct("!3HIH")
A, IN, TTL = 1, 1, 1
AUTHORITATIVE = 0x8580
TO_THE_NAME_ASKED = 0xC00C
"""A pointer to the first question."""


class Names(asyncio.DatagramProtocol):
    """Answers questions for A with these addresses, whatever the name, and all others with nothing."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str | int, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(answered(data, self._addresses), address)


def answered(query: bytes, addresses: Sequence[str]) -> bytes:
    id, *_ = HEADER.unpack_from(query)
    end = query.index(b"\0", HEADER.size) + 1
    kind, _ = QUESTION.unpack_from(query, end)
    found = addresses if kind == A else ()
    records = b"".join(ANSWER.pack(TO_THE_NAME_ASKED, A, IN, TTL, 4) + IPv4Address(address).packed for address in found)
    header = HEADER.pack(id, AUTHORITATIVE, 1, len(found), 0, 0)
    return header + query[HEADER.size : end + QUESTION.size] + records


@asynccontextmanager
async def serving(addresses: Sequence[str]) -> AsyncIterator[str]:
    """The server's own address, as the proxy's configuration writes it."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Names(addresses), local_addr=("127.0.0.1", 0), family=socket.AF_INET
    )
    host, port = transport.get_extra_info("sockname")
    try:
        yield f"{host}:{port}"
    finally:
        transport.close()

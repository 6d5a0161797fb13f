"""The leanest way to post what is signed: aiohttp's connector, its pool and its parser, without the session around them.

A post to many inboxes is one request after the other over connections that stay open, each with headers that are known to the
last byte. Half of what a session does for a request (cookies, redirects, forms, packing, its own timers) is never wanted there,
and costs more than all the rest but the signature. The connector is the same one: the addresses where we do not go are no others.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

from activitypub import network

ANSWER_SECONDS: Final = 1.0
ANSWER_BYTES: Final = 65_536
MOST_INTERIM: Final = 8  # answers that say that another one comes
NO_TIMER: Final = aiohttp.ClientTimeout()  # the whole request has one

Answer = tuple[int, CIMultiDictProxy[str]]


async def post(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes, seconds: float
) -> Answer:
    """Status and headers of the answer, whatever they say; redirects are not followed, and what else it says is not kept.

    Raises what `network.ask` raises.
    """
    connector, target = network.checked(session, url)
    data = _request(target, {**headers, "User-Agent": session.headers["User-Agent"]}, body)
    try:
        async with asyncio.timeout(seconds):
            connection = await connector.connect(connector.line_to(target), [], NO_TIMER)
            try:
                return await _exchange(connection, data)
            finally:
                connection.close()  # unless it was released for the next
    except HttpProcessingError as error:
        raise network.failure(aiohttp.ClientPayloadError(error.message)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise network.failure(error) from error


def _request(target: URL, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it goes over the wire; ValueError if a header would be read as more than one."""
    lines = [f"POST {target.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\r") + head.count("\n") != 2 * (len(lines) - 1):
        raise ValueError("a header of a request holds a line break")
    return head.encode("ascii") + b"\r\n\r\n" + body


async def _exchange(connection: aiohttp.connector.Connection, data: bytes) -> Answer:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True, auto_decompress=False)
    transport.write(data)
    message, payload = await protocol.read()
    for _ in range(MOST_INTERIM):
        if message.code >= 200 or message.code == 101:
            break
        message, payload = await protocol.read()
    if not payload.at_eof():
        await _drop(payload)
    if payload.at_eof() and message.code >= 200:
        connection.release()
    return message.code, message.headers


async def _drop(payload: aiohttp.StreamReader) -> None:
    """Reads a short answer to its end, so that the connection can be used again; never raises for it."""
    dropped = 0
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(ANSWER_SECONDS):
            while not payload.at_eof() and dropped < ANSWER_BYTES:
                dropped += len(await payload.readany())

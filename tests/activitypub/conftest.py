"""What the tests of the wire share: a peer on loopback and a session that reaches it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.activitypub import peer as peers


@pytest.fixture
async def peer() -> AsyncIterator[peers.Peer]:
    async with peers.running() as running:
        yield running


@pytest.fixture
async def session(peer: peers.Peer) -> AsyncIterator[aiohttp.ClientSession]:
    async with peers.reached(peer) as reached:
        yield reached

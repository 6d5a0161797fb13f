"""An instance of ours and a server made of bovine, over HTTPS."""

import pytest

from tests.peers.bovine_server import Server
from tests.peers.flows import Endings, Flows, FlowsInTime

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestBovine(Endings, Flows):
    """It signs by draft-cavage, and demands it."""

    server = Server


class TestBovineInTime(FlowsInTime):
    """The same, while the clock moves."""

    server = Server

"""An instance of ours and servers made of Fedify, over HTTPS: `make test-peers`, as it needs Node.

(`make test` leaves this file alone: it is not called test_….)
"""

import pytest

from tests.peers.fedify_server import Server
from tests.peers.flows import Beginnings, Endings, Flows, FlowsInTime

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestFedifyCavageFirst(Endings, Flows):
    """It signs by draft-cavage first."""

    server = Server
    how = ("cavage",)


class TestFedifyRfc9421First(Endings, Flows):
    """It signs by RFC 9421 first, as it does unless told otherwise."""

    server = Server
    how = ("rfc9421",)


class TestFedifyRfc9421Only(Endings, Beginnings):
    """It takes activities only if they are signed by RFC 9421: ours reach it by a second knock."""

    server = Server
    how = ("rfc9421", True)


class TestFedifyInTime(FlowsInTime):
    """While the clock moves."""

    server = Server
    how = ("rfc9421",)

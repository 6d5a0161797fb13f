"""One instance, oak.test, and one stranger, masto.test, over real HTTP."""

from tests.server.peers.conftest import masto as masto
from tests.server.peers.conftest import world as world
from tests.server.web.conftest import enter as enter
from tests.server.web.conftest import meetings as meetings

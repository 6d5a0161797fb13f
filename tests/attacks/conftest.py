"""One instance, oak.test, and one stranger, masto.test, over real HTTP."""

from tests.server.peers.conftest import founded as founded
from tests.server.peers.conftest import masto as masto
from tests.server.peers.conftest import world as world
from tests.server.web.conftest import enter as enter
from tests.server.web.conftest import meetings as meetings
from tests.server.web.conftest import stock as stock
